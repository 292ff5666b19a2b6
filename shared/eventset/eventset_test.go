package eventset_test

import (
	"maps"
	"reflect"
	"strings"
	"testing"

	"github.com/puttrix/trafficinator/shared/eventset"
)

func TestTheBuiltInEvents(t *testing.T) {
	s := eventset.Default()
	if len(s.Click) != 16 || len(s.Random) != 16 || s.ClickProbability != nil {
		t.Errorf("%d click events, %d random events", len(s.Click), len(s.Random))
	}
	categories := map[string]int{}
	for _, e := range s.Click {
		categories["click "+e.Category]++
		if e.Value != nil {
			t.Errorf("the click event %s has a value", e.Name)
		}
	}
	for _, e := range s.Random {
		categories["random "+e.Category]++
	}
	if want := map[string]int{
		"click Navigation": 3, "click UI": 4, "click Social": 3, "click Form": 2, "click Video": 2, "click CTA": 2,
		"random Engagement": 2, "random Performance": 1, "random Error": 2, "random Feature": 3, "random Content": 2,
		"random Mobile":    2,
		"random Analytics": 2, "random User": 2,
	}; !maps.Equal(categories, want) {
		t.Errorf("categories %v, want %v", categories, want)
	}
	values := map[float64]bool{}
	for _, e := range s.Random {
		if e.Value != nil {
			values[*e.Value] = true
		}
	}
	for _, v := range []float64{100, 300, 1200, 1, 50} {
		if !values[v] {
			t.Errorf("no event has the value %g", v)
		}
	}
	if len(values) != 5 {
		t.Errorf("values %v, want five", values)
	}
}

func TestEachBadSetHasItsMessage(t *testing.T) {
	wrap := func(e string) string {
		return `{"click_events":[` + e + `],"random_events":[{"category":"a","action":"b","name":"c"}]}`
	}
	for name, c := range map[string]struct{ in, want string }{
		"0 bytes": {"", "events.json: is empty; write JSON or remove the file"},
		"no JSON": {"{\n  \"click_events\": [,]\n}",
			"events.json: line 2: is not valid JSON: invalid character ',' looking for beginning of value; fix the syntax"},
		"a list": {"[]", `events.json="[…]": is not an object; write {…}`},
		"Latin-1": {wrap("{\"category\":\"Caf\xe9\"}"),
			"events.json: line 1: is not UTF-8; save the file as UTF-8"},
		"trailing data": {wrap(`{"category":"a","action":"b","name":"c"}`) + "x",
			"events.json: line 1: has data after the top-level value; remove what follows the last bracket"},
		"too large": {strings.Repeat(" ", 9<<20), "events.json: is larger than 8 MiB; make it smaller"},
		"duplicate key": {wrap(`{"category":"a","action":"b","action":"b","name":"c"}`),
			"events.json: click_events[0].action: is a duplicate key; keep only one"},
		"unknown key": {wrap(`{"category":"a","action":"b","name":"c","label":"d"}`),
			"events.json: click_events[0].label: is not a known key; use one of category, action, name, value"},
		"no name": {wrap(`{"category":"a","action":"b"}`),
			"events.json: click_events[0].name: is missing or empty; enter a text"},
		"a blank category": {wrap(`{"category":" ","action":"b","name":"c"}`),
			"events.json: click_events[0].category: is missing or empty; enter a text"},
		"a text too long": {wrap(`{"category":"a","action":"b","name":"` + strings.Repeat("x", 4097) + `"}`),
			`events.json: click_events[0].name="` + strings.Repeat("x", 80) +
				`…": is longer than 4096 characters, which Matomo rejects; shorten it`},
		"an empty object": {"{}",
			"events.json: has neither click_events nor random_events; add both lists, or remove the file to " +
				"use the built-in events"},
		"not a number": {`{"click_events_probability":NaN,"click_events":[]}`,
			"events.json: line 1: is not valid JSON: invalid character 'N' looking for beginning of value; fix the syntax"},
		"an event as text": {wrap(`"a"`), `events.json: click_events[0]="a": is not an object; write {…}`},
		"a wrong type": {wrap(`{"category":1,"action":"b","name":"c"}`),
			"events.json: click_events[0].category=\"1\": is not a string; write \"…\"\nevents.json: " +
				"click_events[0].category: is missing or empty; enter a text"},
		"true is no number": {wrap(`{"category":"a","action":"b","name":"c","value":true}`),
			`events.json: click_events[0].value="true": is not a number; write a number without quotes`},
		"a value below 0": {wrap(`{"category":"a","action":"b","name":"c","value":-1}`),
			`events.json: click_events[0].value="-1": is below 0; use 0 or more, or null`},
		"a huge value": {wrap(`{"category":"a","action":"b","name":"c","value":1e999}`),
			`events.json: click_events[0].value="1e999": is not a number; write a number without quotes`},
		"probability 1.1": {`{"click_events_probability":1.1,"click_events":[]}`,
			`events.json: click_events_probability="1.1": is not between 0 and 1; write a share such as 0.25`},
		"no list": {`{"click_events":{}}`, `events.json: click_events="{…}": is not a list; write […]`},
	} {
		t.Run(name, func(t *testing.T) {
			_, problems := eventset.Decode("events.json", []byte(c.in))
			if err := problems.Err(); err == nil || err.Error() != c.want {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}

func TestTextsThatMatomoTreatsAsEmptyAreReported(t *testing.T) {
	t.Parallel()
	_, problems := eventset.Decode(
		"events.json",
		[]byte(
			`{"click_events":[{"category":"0","action":"b","name":"0"}],"random_events":[{"category":"a","action":"b\u200b","name":"c"}]}`,
		),
	)
	const want = `events.json: click_events[0].category="0": is not recorded, because Matomo treats it as empty; use another text` + "\n" +
		`events.json: click_events[0].name="0": is not recorded, because Matomo treats it as empty; use another text` + "\n" +
		`events.json: random_events[0].action="b\u200b": has a zero-width space (U+200B) at position 2; remove it: Matomo would record it`
	if problems.Err() != nil || problems.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", problems, want)
	}
}

func TestWhatIsPermittedAndProbablyNotMeantIsAWarning(t *testing.T) {
	many := strings.TrimSuffix(strings.Repeat(`{"category":"a","action":"b","name":"c"},`, 101), ",")
	s, problems := eventset.Decode("events.json",
		[]byte("\xef\xbb\xbf{\r\n"+
			`"note":1,"click_events_probability":0.6,"random_events_probability":0.3,"click_events":[],"random_events":[`+many+"]\r\n}"))
	const want = "events.json: note: is unknown and has no effect; remove it\n" +
		"events.json: click_events_probability=\"0.6\": is above 0.5, more than real visitors cause; lower it\n" +
		"events.json: click_events: has no events; add one, or set its probability to 0\n" +
		"events.json: random_events: has 101 events; reports become hard to read above 100; keep the most important ones"
	if problems.Err() != nil || problems.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", problems, want)
	}
	if s.ClickProbability == nil || *s.ClickProbability != .6 || len(s.Random) != 101 {
		t.Errorf("%+v", s)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"click_events":[{"category":"a","action":"b","name":"c","value":1}]}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		s, problems := eventset.Decode("events.json", in)
		if problems.Err() != nil {
			return
		}
		data, err := eventset.Encode(s)
		if err != nil {
			t.Fatal(err)
		}
		if again, problems := eventset.Decode("events.json", data); problems.Err() != nil ||
			!reflect.DeepEqual(again, s) {
			t.Fatalf("%q becomes %s: %v", in, data, problems)
		}
	})
}
