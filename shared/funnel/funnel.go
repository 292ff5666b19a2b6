// Package funnel owns funnels.json: paths that a share of the visitors follows, and what share each really gets. It
// knows neither how a step is sent nor where funnels are saved.
package funnel

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/puttrix/trafficinator/shared/matomotext"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/strictjson"
	"github.com/puttrix/trafficinator/shared/urllist"
)

const (
	// MaxDelay is the longest delay in seconds: at 1800 Matomo opens another visit (visit_standard_length).
	MaxDelay = 1799
	// maxLength bounds a funnel in seconds. With the two hours that a visit may browse on after it, and shifted whole
	// before midnight, a visit must not begin more than the 24 hours ago that Matomo takes without a token
	// (tracking_requests_require_authentication_when_custom_timestamp_newer_than of config/global.ini.php).
	maxLength = 9 * 3600

	// maxSteps keeps a visit far below the 10,000 actions at which Matomo opens another one.
	maxSteps = 1000

	maxName, maxDescription, maxTitle = 100, 500, 120
)

// Decode reads funnels.json; name is what problems call the file.
func Decode(name string, data []byte) ([]Funnel, problem.List) {
	d := strictjson.Parse(name, data)
	if d.Root == nil {
		return nil, d.Problems
	}
	var out []Funnel
	names := map[string]bool{}
	for _, v := range d.Root.List("") {
		if !v.Object("name", "description", "probability", "priority", "enabled", "exit_after_completion", "steps") {
			continue
		}
		f := decodeFunnel(v)
		if f.Name != "" && names[strings.ToLower(f.Name)] {
			v.Refuse("name", f.Name, "is used by another funnel", "choose a unique name")
		}
		names[strings.ToLower(f.Name)] = true
		out = append(out, f)
	}
	return out, d.Problems
}

func decodeFunnel(v *strictjson.Value) Funnel {
	f := Funnel{
		Name: v.String("name"), Description: v.String("description"),
		Enabled: v.Bool("enabled", true), ExitAfterCompletion: v.Bool("exit_after_completion", true),
	}
	length(v, "name", f.Name, 1, maxName)
	length(v, "description", f.Description, 0, maxDescription)
	switch p := v.Number("probability"); {
	case p == nil && v.Get("probability") == nil:
		v.Refuse("probability", "", "is missing", "give a share such as 0.25")
	case p != nil && (*p < 0 || *p > 1):
		v.Refuse("probability", fmt.Sprint(*p), "is not between 0 and 1", "give a share such as 0.25")
	case p != nil:
		f.Probability = *p
	}
	if n := v.Int("priority"); n != nil {
		f.Priority = *n
		if *n < 0 {
			v.Refuse("priority", fmt.Sprint(*n), "is below 0", "use 0 or more; lower priorities are tried first")
		}
	}
	list, total := v.List("steps"), 0.0
	for i, sv := range list {
		if !sv.Object(stepKeys...) {
			continue
		}
		s := decodeStep(sv)
		if i == 0 && s.Type != Pageview {
			sv.Refuse("type", s.Type, "is not a pageview", "start with a pageview, as every visit does")
		}
		f.Steps = append(f.Steps, s)
		total += s.DelayMax
	}
	switch n := len(list); {
	case v.Get("steps") == nil, list != nil && n == 0:
		v.Refuse("steps", "", "has no steps", "start with a pageview")
	case n > maxSteps:
		v.Refuse("steps", "", fmt.Sprintf("has %d steps, more than %d", n, maxSteps), "split it into several funnels")
	}
	if total > maxLength {
		v.Refuse("steps", "", fmt.Sprintf("can last %.0f s in total, more than %d", total, maxLength),
			"shorten the delays")
	}
	return f
}

func delay(v *strictjson.Value, key string) float64 {
	n := v.Number(key)
	if n == nil {
		return 0
	}
	if *n < 0 || *n > MaxDelay {
		v.Refuse(key, fmt.Sprint(*n), fmt.Sprintf("is not between 0 and %d seconds", MaxDelay),
			"Matomo ends a visit after 30 minutes without an action")
	}
	return *n
}

func atLeast(v *strictjson.Value, key string, least int) *int {
	n := v.Int(key)
	if n != nil && *n < least {
		v.Refuse(key, fmt.Sprint(*n), fmt.Sprintf("is below %d", least), "raise it or remove it")
	}
	return n
}

func length(v *strictjson.Value, key, text string, least, most int) {
	switch n := utf8.RuneCountInString(text); {
	case n < least:
		v.Refuse(key, "", "is missing or empty", "enter a text")
	case n > most:
		v.Refuse(key, text, fmt.Sprintf("has %d characters, more than %d", n, most), "shorten it")
	}
}

// doubt warns of what Matomo makes of a text otherwise than it stands there; limit is in bytes.
func doubt(v *strictjson.Value, key, text string, limit int) {
	if message, cure := matomotext.Check(text, limit); message != "" {
		v.Warn(key, text, message, cure)
	}
}

// address checks that raw is an http address; a relative one is good where it is resolved against the page.
func address(v *strictjson.Value, key, raw string, relative bool) {
	full := raw
	if relative && strings.HasPrefix(raw, "/") && !strings.HasPrefix(raw, "//") {
		full = "https://host" + raw
	}
	if fault := urllist.CheckAddress(full); fault != nil {
		v.Refuse(key, fault.Redacted(raw), fault.Message, fault.Cure)
		return
	}
	doubt(v, key, raw, matomotext.MaxText)
}

// Funnel is a path with the chance that a visit follows it.
type Funnel struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	// Probability, 0..1, is tried when the visit has followed no funnel of a lower Priority.
	Probability float64 `json:"probability"`
	Priority    int     `json:"priority"`
	Enabled     bool    `json:"enabled"`
	// ExitAfterCompletion ends the visit after the last step; otherwise the visitor browses on.
	ExitAfterCompletion bool   `json:"exit_after_completion"`
	Steps               []Step `json:"steps"`
}

// Sorted are the funnels in the order in which they are tried: by priority, ties as given.
func Sorted(funnels []Funnel) []Funnel {
	out := slices.Clone(funnels)
	slices.SortStableFunc(out, func(a, b Funnel) int { return cmp.Compare(a.Priority, b.Priority) })
	return out
}

// Shares are the real shares of all visits, 0..1, in the order of funnels: a funnel gets its probability of what the
// funnels tried before it leave. A disabled funnel gets 0.
func Shares(funnels []Funnel) []float64 {
	order := make([]int, len(funnels))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(funnels[a].Priority, funnels[b].Priority) })
	shares := make([]float64, len(funnels))
	left := 1.0
	for _, i := range order {
		if funnels[i].Enabled {
			shares[i] = left * funnels[i].Probability
			left -= shares[i]
		}
	}
	return shares
}

// Encode writes the funnels as funnels.json.
func Encode(funnels []Funnel) ([]byte, error) {
	if funnels == nil {
		funnels = []Funnel{}
	}
	data, err := strictjson.Encode(funnels)
	if err != nil {
		return nil, fmt.Errorf("encode funnels: %w", err)
	}
	// Unused keys are null (FEATURES FMT-03). Inside a text every quote is escaped, so this is always a key's value.
	return bytes.ReplaceAll(data, []byte(`": ""`), []byte(`": null`)), nil
}
