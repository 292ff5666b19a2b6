package containertest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	key = "a-key-of-this-test-alone"
	// patience bounds every wait.
	patience = time.Minute
)

// product is a running controller, the sink that its traffic goes to, and ways to hurt the loadgen.
type product struct {
	api string
	// tracker is the sink for the loadgen, sink for the test.
	tracker, sink string
	kill          func(t *testing.T)
}

// call sends body as JSON and reads the answer; it fails unless the status is want.
func (p product) call(t *testing.T, method, path string, body any, want int) map[string]any {
	t.Helper()
	var sent io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		sent = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, p.api+path, sent)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-API-Key", key)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // only read
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != want {
		t.Fatalf("%s %s: %s, want %d\n%s", method, path, resp.Status, want, data)
	}
	var out map[string]any
	if err := json.Unmarshal(data, &out); err != nil {
		t.Fatalf("%s %s: %v in %q", method, path, err, data)
	}
	return out
}

// status is what of GET /api/status is looked at.
type status struct {
	Container struct {
		State    string
		Healable bool
	}
	Phase string
	Run   *struct {
		ID, Reason string
		Ended      *time.Time
		Restarts   int
		Summary    *struct {
			Hits   map[string]uint64
			ByKind map[string]map[string]uint64 `json:"by_kind"`
		}
	}
	Stats *struct {
		Sample struct{ Hits map[string]uint64 }
	}
}

func (p product) status(t *testing.T) status {
	t.Helper()
	data, err := json.Marshal(p.call(t, http.MethodGet, "/api/status", nil, http.StatusOK))
	if err != nil {
		t.Fatal(err)
	}
	var s status
	if err := json.Unmarshal(data, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// recorded are the sink's own counts.
type recorded struct {
	Violations int64
	Total      struct {
		Hits   map[string]uint64
		Titles map[string]uint64
	}
}

func (p product) recorded(t *testing.T) recorded {
	t.Helper()
	var r recorded
	if !getJSON(t, p.sink+"/sink/counts", &r) {
		t.Fatal("the sink does not answer")
	}
	maps.DeleteFunc(r.Total.Hits, func(_ string, n uint64) bool { return n == 0 })
	return r
}

// journey is a person's way through the product.
func journey(t *testing.T, p product) {
	p.call(t, http.MethodPut, "/api/config", map[string]any{"config": map[string]any{
		"MATOMO_URL": p.tracker, "TARGET_VISITS_PER_DAY": 2e6, "PAUSE_BETWEEN_PVS_MIN": 0, "PAUSE_BETWEEN_PVS_MAX": 0.1,
		"CLICK_EVENTS_PROBABILITY": 1, "RANDOM_EVENTS_PROBABILITY": 0,
	}}, http.StatusOK)
	p.call(t, http.MethodPost, "/api/urls", map[string]any{"content": "https://shop.example.test/only\tThe only page\n"}, http.StatusOK)
	p.call(t, http.MethodPost, "/api/funnels", map[string]any{
		"name": "Way", "probability": 0.5, "priority": 1, "enabled": true,
		"steps": []any{map[string]any{"type": "pageview", "url": "https://shop.example.test/way", "title": "The way", "action_name": "The way"}},
	}, http.StatusCreated)
	if a := p.call(t, http.MethodPost, "/api/config/apply", nil, http.StatusOK); a["restarted"] != false {
		t.Errorf("while stopped, apply should start nothing: %v", a)
	}

	p.call(t, http.MethodPost, "/api/start", nil, http.StatusOK)
	await(t, "traffic flows", func() bool { return p.recorded(t).Total.Hits["pageview"] > 200 })
	first := p.status(t)
	if first.Phase != "running" || first.Run == nil || first.Run.Ended != nil {
		t.Fatalf("want a run that goes on: %+v", first)
	}
	await(t, "the status shows traffic", func() bool {
		s := p.status(t)
		return s.Stats != nil && s.Stats.Sample.Hits["accepted"] > 200
	})

	if a := p.call(t, http.MethodPost, "/api/config/apply", map[string]any{"config": map[string]any{
		"MATOMO_URL": p.tracker, "TARGET_VISITS_PER_DAY": 1e6, "PAUSE_BETWEEN_PVS_MIN": 0, "PAUSE_BETWEEN_PVS_MAX": 0.1,
		"CLICK_EVENTS_PROBABILITY": 1, "RANDOM_EVENTS_PROBABILITY": 0,
	}}, http.StatusOK); a["restarted"] != true {
		t.Errorf("while it runs, apply should restart: %v", a)
	}
	second := p.status(t)
	if second.Run.ID == first.Run.ID {
		t.Errorf("want another run after apply, still %s", first.Run.ID)
	}

	p.kill(t)
	await(t, "the crash is healed", func() bool {
		s := p.status(t)
		return s.Run.Restarts == 1 && s.Phase == "running" && s.Run.ID == second.Run.ID
	})
	p.call(t, http.MethodPost, "/api/stop?timeout=10", nil, http.StatusOK)
	if s := p.status(t); s.Run.Ended == nil || s.Run.Reason != "interrupted" || s.Run.Summary == nil {
		t.Errorf("want the end and the ledger: %+v", s.Run)
	}
	exact(t, p)
}

// exact runs once more without a crash and compares what was accepted with what the sink recorded meanwhile.
func exact(t *testing.T, p product) {
	t.Helper()
	before := p.recorded(t)
	p.call(t, http.MethodPost, "/api/start", nil, http.StatusOK)
	await(t, "traffic flows again", func() bool { return p.recorded(t).Total.Hits["pageview"] > before.Total.Hits["pageview"]+200 })
	p.call(t, http.MethodPost, "/api/stop?timeout=10", nil, http.StatusOK)
	s := p.status(t)
	if s.Run.Summary == nil {
		t.Fatalf("want a ledger: %+v", s.Run)
	}
	after := p.recorded(t)
	for kind, n := range after.Total.Hits {
		if got, want := s.Run.Summary.ByKind[kind]["accepted"], n-before.Total.Hits[kind]; got != want {
			t.Errorf("%s: the ledger says %d, the sink %d", kind, got, want)
		}
	}
	if after.Total.Hits["event"] == 0 || after.Violations != 0 {
		t.Errorf("want events and no objection: %+v", after)
	}
	for title, n := range after.Total.Titles {
		if strings.HasPrefix(title, "The only page") || title == "The way" {
			if n == 0 {
				t.Errorf("%q should have been seen", title)
			}
			continue
		}
		t.Errorf("%q was seen %d times and is on no page that was given", title, n)
	}
}

// files builds what the images are made of, once, the way people do.
var files = sync.OnceValue(func() error {
	out, err := exec.Command("make", "-C", root(), "build", "images").CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	return nil
})

func root() string {
	path, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		panic(err) // there is always a working directory
	}
	return path
}

func await(t *testing.T, what string, yes func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for !yes() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("waited %s in vain: %s", patience, what)
		}
	}
}

// getJSON reads url into v and tells whether it answered.
func getJSON(t *testing.T, url string, v any) bool {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close() //nolint:errcheck // only read
	if err := json.NewDecoder(resp.Body).Decode(v); err != nil {
		t.Fatalf("read %s: %v", url, err)
	}
	return true
}

// folders are what a controller and its loadgen work in.
func folders(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"controller", "exchange", "state"} {
		if err := os.MkdirAll(filepath.Join(dir, "data", name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
