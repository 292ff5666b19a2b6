// Package eventset owns events.json: the events of visitors and, as in the original, their frequency.
package eventset

import (
	_ "embed"
	"fmt"
	"strings"

	"github.com/puttrix/trafficinator/shared/matomotext"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/strictjson"
)

// Event is one event. Value is nil if it has none, else at least 0.
type Event struct {
	Category string   `json:"category"`
	Action   string   `json:"action"`
	Name     string   `json:"name"`
	Value    *float64 `json:"value"`
}

// Set is the content of events.json. The probabilities (0..1) are optional; the settings override them.
type Set struct {
	ClickProbability  *float64 `json:"click_events_probability,omitempty"`
	RandomProbability *float64 `json:"random_events_probability,omitempty"`
	Click             []Event  `json:"click_events"`
	Random            []Event  `json:"random_events"`
}

// Shares of visits, 0 to 1, above which events are warned of as unrealistic (FEATURES VAL-24).
const (
	HighClick  = 0.5 // of click events
	HighRandom = 0.3 // of random events
)

// Lists with more than manyEvents are warned of (FEATURES VAL-25).
const manyEvents = 100

//go:embed default.json
var standard []byte

// Default returns the 32 built-in events.
func Default() Set {
	s, problems := Decode("built-in events", standard)
	if problems.Err() != nil {
		panic(problems.Err()) // the file is part of the program
	}
	return s
}

// Decode reads events.json; name is its name in problems.
func Decode(name string, data []byte) (Set, problem.List) {
	d := strictjson.Parse(name, data)
	var s Set
	keys := []string{"click_events_probability", "random_events_probability", "click_events", "random_events"}
	if d.Root == nil || !d.Root.Object(append(keys, d.Root.Unknown(keys...)...)...) {
		return s, d.Problems
	}
	for _, key := range d.Root.Unknown(keys...) {
		d.Root.Warn(key, "", "is unknown and has no effect", "remove it")
	}
	if d.Root.Get(keys[2]) == nil && d.Root.Get(keys[3]) == nil {
		d.Root.Refuse("", "", "has neither click_events nor random_events",
			"add both lists, or remove the file to use the built-in events")
	}
	s.ClickProbability = probability(d.Root, keys[0], HighClick)
	s.RandomProbability = probability(d.Root, keys[1], HighRandom)
	s.Click = events(d.Root, keys[2])
	s.Random = events(d.Root, keys[3])
	return s, d.Problems
}

func probability(v *strictjson.Value, key string, high float64) *float64 {
	p := v.Number(key)
	switch {
	case p == nil:
	case *p < 0 || *p > 1:
		v.Refuse(key, fmt.Sprint(*p), "is not between 0 and 1", "write a share such as 0.25")
	case *p > high:
		v.Warn(key, fmt.Sprint(*p), fmt.Sprintf("is above %g, more than real visitors cause", high), "lower it")
	}
	return p
}

func events(root *strictjson.Value, key string) []Event {
	list := root.List(key)
	if len(list) == 0 {
		root.Warn(key, "", "has no events", "add one, or set its probability to 0")
	}
	if len(list) > manyEvents {
		root.Warn(key, "", fmt.Sprintf("has %d events; reports become hard to read above %d", len(list), manyEvents),
			"keep the most important ones")
	}
	out := make([]Event, 0, len(list))
	for _, v := range list {
		var e Event
		if v.Into(&e) {
			e.Check(v, "")
			out = append(out, e)
		}
	}
	return out
}

// Check reports problems at v, with prefix before the names of fields. Matomo trims, and refuses an event without a
// category or action (plugins/Events/Columns).
func (e Event) Check(v *strictjson.Value, prefix string) {
	for _, field := range []struct{ key, text string }{{"category", e.Category}, {"action", e.Action},
		{"name", e.Name}} {
		key := prefix + field.key
		switch doubt, cure := matomotext.Check(field.text, 0); {
		case strings.TrimSpace(field.text) == "":
			v.Refuse(key, "", "is missing or empty", "enter a text")
		case matomotext.IsTooLong(field.text):
			v.Refuse(key, field.text,
				fmt.Sprintf("is longer than %d characters, which Matomo rejects", matomotext.MaxEvent), "shorten it")
		case doubt != "":
			v.Warn(key, field.text, doubt, cure)
		}
	}
	if e.Value != nil && *e.Value < 0 {
		v.Refuse(prefix+"value", fmt.Sprint(*e.Value), "is below 0", "use 0 or more, or null")
	}
}

// Encode writes the set as events.json.
func Encode(s Set) ([]byte, error) {
	s.Click, s.Random = append([]Event{}, s.Click...), append([]Event{}, s.Random...) // empty lists, never null
	data, err := strictjson.Encode(s)
	if err != nil {
		return nil, fmt.Errorf("encode events: %w", err)
	}
	return data, nil
}
