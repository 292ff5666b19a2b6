package endtoend

import (
	"bufio"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/puttrix/trafficinator/shared/testbed"
)

// config is a configuration for the sink, with changes.
func (p Product) config(changes map[string]any) map[string]any {
	values := map[string]any{
		"MATOMO_URL": p.Tracker, "MATOMO_TOKEN_AUTH": Token, "TARGET_VISITS_PER_DAY": 2e6, "PAUSE_BETWEEN_PVS_MIN": 0,
		"PAUSE_BETWEEN_PVS_MAX": 0.1, "LOG_LEVEL": "DEBUG", "SITESEARCH_PROBABILITY": 0, "OUTLINKS_PROBABILITY": 0,
		"DOWNLOADS_PROBABILITY":    0,
		"CLICK_EVENTS_PROBABILITY": 1, "RANDOM_EVENTS_PROBABILITY": 0, "MATOMO_HTTP_AUTH": "journey:" + password,
		"MATOMO_HEADERS": "X-Gate: " + header + "\nX-Other: 1", "TLS_CERT_FILE": certificate + ".pem",
		"TLS_KEY_FILE": certificate + ".key",
	}
	maps.Copy(values, changes)
	return map[string]any{"config": values}
}

// Save saves a configuration for the sink.
func (p Product) Save(t *testing.T) {
	t.Helper()
	p.Call(t, http.MethodPut, "/api/config", p.config(nil), http.StatusOK)
}

// Hits is how many hits the sink has recorded.
func (p Product) Hits(t *testing.T) uint64 {
	t.Helper()
	var all uint64
	for _, n := range p.recorded(t).Total.Hits {
		all += n
	}
	return all
}

// Walk is the way itself: save everything, start, change, suffer a crash, stop.
func (p Product) Walk(t *testing.T) {
	t.Helper()
	p.Save(t)
	p.Call(t, http.MethodPost, "/api/targets", map[string]any{
		"name": "Elsewhere", "url": "https://user:" + password + "@elsewhere.test/matomo.php", "site_id": 1,
		"enabled": false, "token_auth": Token,
		"read_token": readToken, "headers": "X-Gate: " + header, "proxy_url": "http://user:" + password +
			"@proxy.test:3128",
	}, http.StatusCreated)
	p.Call(t, http.MethodPost, "/api/urls",
		map[string]any{"content": "https://shop.example.test/only\tThe only page\n"}, http.StatusOK)
	p.Call(t, http.MethodPost, "/api/events", map[string]any{
		"content": `{"click_events":[{"category":"Journey","action":"press","name":"The button","value":7}],"random_events":[]}`,
	}, http.StatusOK)
	p.Call(t, http.MethodPost, "/api/funnels", map[string]any{
		"name": "Way", "probability": 0.5, "priority": 1, "enabled": true, "steps": []any{
			map[string]any{"type": "pageview", "url": "https://shop.example.test/way", "title": "The way"},
			map[string]any{"type": "site_search", "search_keyword": "the end", "search_results": 3},
		},
	}, http.StatusCreated)
	if a := p.Call(t, http.MethodPost, "/api/config/apply", nil, http.StatusOK); a["restarted"] != false {
		t.Errorf("while stopped, apply should start nothing: %v", a)
	}
	if a := p.Call(t, http.MethodPost, "/api/preview", nil, http.StatusOK); len(a["visits"].([]any)) != 3 {
		t.Errorf("want a preview of three visits: %v", a)
	}
	p.StartRun(t)
	first := p.Status(t)
	if first.Phase != "running" || first.Run == nil || first.Run.Ended != nil {
		t.Fatalf("want a run under way: %+v", first)
	}
	if a := p.Call(t, http.MethodPost, "/api/config/apply", p.config(map[string]any{"TARGET_VISITS_PER_DAY": 1e6}),
		http.StatusOK); a["restarted"] != true {
		t.Errorf("while it runs, apply should restart: %v", a)
	}
	second := p.Status(t)
	if second.Run.ID == first.Run.ID {
		t.Errorf("want another run after apply, still %s", first.Run.ID)
	}
	p.Kill(t)
	p.Recovers(t, second.Run.ID, 1)
	p.Call(t, http.MethodPost, "/api/stop?timeout=60", nil, http.StatusOK)
	if s := p.Status(t); s.Run.Ended == nil || s.Run.Reason != "stopped" || s.Run.Summary == nil {
		t.Errorf("want the end and the ledger: %+v", s.Run)
	}
}

// StartRun starts a run and waits until its traffic has reached the sink.
func (p Product) StartRun(t *testing.T) {
	t.Helper()
	before := p.recorded(t).Total.Hits["pageview"]
	p.Call(t, http.MethodPost, "/api/start", nil, http.StatusOK)
	testbed.WaitFor(t, "traffic flows", func() bool { return p.recorded(t).Total.Hits["pageview"] > before+200 })
}

// Recovers waits until a run is running again after a crash, the one that makes so many.
func (p Product) Recovers(t *testing.T, run string, restarts int) {
	t.Helper()
	testbed.WaitFor(t, "the crash is healed", func() bool {
		s := p.Status(t)
		return s.Run.Restarts == restarts && s.Phase == "running" && s.Run.ID == run
	})
}

// Counts has some visits sent and compares what status, stream and ledger say with what the sink has recorded
// meanwhile: a cap pauses the run, so that the numbers stand still while they are read.
func (p Product) Counts(t *testing.T) {
	t.Helper()
	before := p.recorded(t)
	p.Call(t, http.MethodPut, "/api/config", p.config(map[string]any{"MAX_TOTAL_VISITS": 300}), http.StatusOK)
	p.Call(t, http.MethodPost, "/api/start", nil, http.StatusOK)
	var s Status
	testbed.WaitFor(t, "the run is over with all that it may send", func() bool {
		s = p.Status(t)
		return s.Phase == "paused" && s.Stats != nil && s.Stats.Sample.over()
	})
	gained := map[string]uint64{}
	for kind, n := range p.recorded(t).Total.Hits {
		gained[kind] = n - before.Total.Hits[kind]
	}
	s.Stats.Sample.equals(t, "the status", gained)
	p.streamed(t).equals(t, "the stream", gained)
	p.Call(t, http.MethodPost, "/api/stop?timeout=60", nil, http.StatusOK)
	if s = p.Status(t); s.Run.Summary == nil {
		t.Fatalf("want a ledger: %+v", s.Run)
	}
	s.Run.Summary.equals(t, "the ledger", gained)
	p.onlyWhatWasGiven(t)
}

// equals holds the hits by kind against those that the sink has recorded: all that were accepted, and of those without
// an answer any number.
func (h Hits) equals(t *testing.T, who string, sink map[string]uint64) {
	t.Helper()
	for kind, hits := range h.ByKind {
		if n := sink[kind]; n < hits["accepted"] || n > hits["accepted"]+hits["unknown"] {
			t.Errorf("%s says of %s %v, the sink has %d", who, kind, hits, n)
		}
	}
	for kind, n := range sink {
		if h.ByKind[kind] == nil && n > 0 {
			t.Errorf("%s does not know of %s, the sink has %d", who, kind, n)
		}
	}
}

// streamed is the latest sample that a new reader of the stream gets.
func (p Product) streamed(t *testing.T) Hits {
	t.Helper()
	resp := p.ask(t, http.MethodGet, "/api/stream?logs=false", nil)
	defer resp.Body.Close() //nolint:errcheck // only read
	// A stream that says nothing must not hold the test.
	defer time.AfterFunc(testbed.WaitLimit, func() { _ = resp.Body.Close() }).Stop()
	kind := ""
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		if name, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
			kind = name
		}
		if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok && kind == "sample" {
			var s Hits
			if err := json.Unmarshal([]byte(data), &s); err != nil {
				t.Fatal(err)
			}
			return s
		}
	}
	t.Fatal("the stream ended without a sample")
	return Hits{}
}

// onlyWhatWasGiven looks at the sink's last hits: they hold the page, the funnel and the event that were saved, and
// nothing else.
func (p Product) onlyWhatWasGiven(t *testing.T) {
	t.Helper()
	after := p.recorded(t)
	if after.Violations != 0 {
		t.Errorf("the sink objects %d times", after.Violations)
	}
	for title := range after.Total.Titles {
		if title != "The only page" && title != "The way" {
			t.Errorf("%q is the title of no page that was given", title)
		}
	}
	var hits []struct{ Params map[string]string }
	if !testbed.GetJSON(t, p.Sink+"/sink/hits", &hits) {
		t.Fatal("the sink does not answer")
	}
	seen := map[string]bool{}
	for _, h := range hits {
		for _, parameter := range []string{"url", "e_c", "e_a", "e_n", "e_v", "search"} {
			if v := h.Params[parameter]; v != "" {
				seen[parameter+" "+v] = true
			}
		}
	}
	want := []string{
		"e_a press", "e_c Journey", "e_n The button", "e_v 7", "search the end", "url https://shop.example.test/only",
		"url https://shop.example.test/way",
	}
	if got := slices.Sorted(maps.Keys(seen)); !slices.Equal(got, want) {
		t.Errorf("the sink has seen\n%q, want\n%q", got, want)
	}
}
