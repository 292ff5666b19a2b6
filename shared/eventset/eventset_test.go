package eventset_test

import (
	"strings"
	"testing"

	"github.com/puttrix/trafficinator/shared/eventset"
)

func TestTheBuiltInEvents(t *testing.T) {
	s := eventset.Default()
	if len(s.Click) != 16 || len(s.Random) != 16 || s.ClickProbability != nil {
		t.Errorf("%d click events, %d random events", len(s.Click), len(s.Random))
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
}

func TestEachBadSetHasItsMessage(t *testing.T) {
	wrap := func(e string) string {
		return `{"click_events":[` + e + `],"random_events":[{"category":"a","action":"b","name":"c"}]}`
	}
	for name, c := range map[string]struct{ in, want string }{
		"0 bytes":           {"", "events.json: is empty; write JSON into it or remove it"},
		"no JSON":           {"{\n  \"click_events\": [,]\n}", "events.json: line 2: is not JSON: invalid character ',' looking for beginning of value; mend it there"},
		"a list":            {"[]", `events.json="[…]": is not an object; write {…}`},
		"Latin-1":           {wrap("{\"category\":\"Caf\xe9\"}"), "events.json: line 1: is not UTF-8; save the file as UTF-8"},
		"trailing data":     {wrap(`{"category":"a","action":"b","name":"c"}`) + "x", "events.json: line 1: goes on after its end; remove what follows the last bracket"},
		"too large":         {strings.Repeat(" ", 9<<20), "events.json: is larger than 8 MiB; make it smaller"},
		"duplicate key":     {wrap(`{"category":"a","action":"b","action":"b","name":"c"}`), "events.json: click_events[0].action: is there twice; keep one of the two"},
		"unknown key":       {wrap(`{"category":"a","action":"b","name":"c","label":"d"}`), "events.json: click_events[0].label: is not a known key; use one of category, action, name, value"},
		"no name":           {wrap(`{"category":"a","action":"b"}`), "events.json: click_events[0].name: is missing or empty; give a text"},
		"a wrong type":      {wrap(`{"category":1,"action":"b","name":"c"}`), "events.json: click_events[0].category=\"1\": is not a text; write \"…\"\nevents.json: click_events[0].category: is missing or empty; give a text"},
		"true is no number": {wrap(`{"category":"a","action":"b","name":"c","value":true}`), `events.json: click_events[0].value="true": is not a number; write a number without quotes`},
		"a value below 0":   {wrap(`{"category":"a","action":"b","name":"c","value":-1}`), `events.json: click_events[0].value="-1": is below 0; give 0 or more, or null`},
		"a huge value":      {wrap(`{"category":"a","action":"b","name":"c","value":1e999}`), `events.json: click_events[0].value="1e999": is not a number; write a number without quotes`},
		"probability 1.1":   {`{"click_events_probability":1.1}`, `events.json: click_events_probability="1.1": is not between 0 and 1; write a share such as 0.25`},
		"no list":           {`{"click_events":{}}`, `events.json: click_events="{…}": is not a list; write […]`},
	} {
		t.Run(name, func(t *testing.T) {
			_, problems := eventset.Decode("events.json", []byte(c.in))
			if err := problems.Err(); err == nil || err.Error() != c.want {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}

func TestWhatIsPermittedAndProbablyNotMeantIsAWarning(t *testing.T) {
	s, problems := eventset.Decode("events.json", []byte("\xef\xbb\xbf"+`{"note":1,"click_events_probability":0.5,"click_events":[],"random_events":[]}`))
	if problems.Err() != nil || len(problems) != 3 || s.ClickProbability == nil || *s.ClickProbability != .5 {
		t.Errorf("%+v: %v", s, problems)
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
		if _, problems := eventset.Decode("events.json", data); problems.Err() != nil {
			t.Fatalf("%q becomes %s: %v", in, data, problems)
		}
	})
}
