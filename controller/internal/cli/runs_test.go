package cli_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/cli"
	"github.com/puttrix/trafficinator/controller/internal/run/history"
)

// ended waits until a run has and returns it.
func (c *controller) ended(id string) history.Record {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		var r history.Record
		c.read("/api/runs/"+id, &r)
		if r.Ended != nil {
			return r
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			c.t.Fatalf("run %s does not end; log: %s", id, c.logs.String())
		}
	}
}

// read asks and reads the answer into v.
func (c *controller) read(path string, v any) {
	c.t.Helper()
	data, err := json.Marshal(c.must(200, "GET", path, ""))
	if err != nil {
		c.t.Fatal(err)
	}
	if err := json.Unmarshal(data, v); err != nil {
		c.t.Fatal(err)
	}
}

// begun is the id of a run that a request starts, once the controller is done with what it does itself.
func (c *controller) begun(path, body string) string {
	c.t.Helper()
	limit := time.Now().Add(patience)
	for {
		status, answer := c.ask("POST", path, body)
		if status == http.StatusOK {
			id, _ := answer["run_id"].(string)
			return id
		}
		if status != http.StatusConflict || time.Now().After(limit) {
			c.t.Fatalf("POST %s: %d %v", path, status, answer)
		}
	}
}

// sunk are the sink's counts of hits and titles so far.
func sunk(t *testing.T, tracker string) map[string]float64 {
	t.Helper()
	resp, err := http.Get(strings.TrimSuffix(tracker, "/matomo.php") + "/sink/counts")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // only read
	var all struct {
		Total struct{ Hits, Titles map[string]float64 }
	}
	if err := json.NewDecoder(resp.Body).Decode(&all); err != nil {
		t.Fatal(err)
	}
	out := all.Total.Hits
	for title, n := range all.Total.Titles {
		out["title "+title] = n
	}
	return out
}

func TestTheSameRunAgainDiffersInNothingAndASlowerServerInLatencyAlone(t *testing.T) {
	c := start(t)
	address, _ := c.sink()
	slow, _ := c.sink("--delay", "500ms")
	c.must(200, "PUT", "/api/config",
		fmt.Sprintf(`{"config":{"MATOMO_URL":%q,"MATOMO_TOKEN_AUTH":%q,"TARGET_VISITS_PER_DAY":1500000,
		"PAUSE_BETWEEN_PVS_MIN":0,"PAUSE_BETWEEN_PVS_MAX":0.1,"STOP_AFTER_VISITS":50,"THRESHOLDS":"unknown=0"}}`, address, token))
	c.must(200, "POST", "/api/urls", `{"content":"https://shop.example.test/one\nhttps://shop.example.test/two\n"}`)

	first := c.ended(c.begun("/api/start", `{"note":"baseline","labels":["nightly"]}`))
	once := sunk(t, address)
	c.must(200, "PUT", "/api/config",
		fmt.Sprintf(`{"config":{"MATOMO_URL":%q,"STOP_AFTER_VISITS":3,"PAGEVIEWS_MIN":6}}`, address))
	c.must(200, "DELETE", "/api/urls", "")
	second := c.ended(c.begun("/api/runs/"+first.ID+"/rerun", ""))
	for what, n := range sunk(t, address) {
		if n != 2*once[what] && allSent(first, second) {
			t.Errorf("%s: the sink has %v after the first run and %v after both", what, once[what], n)
		}
	}
	for kind, h := range first.Summary.ByKind {
		if again := second.Summary.ByKind[kind]; again.Planned != h.Planned {
			t.Errorf("%s: %d were planned, then %d", kind, h.Planned, again.Planned)
		}
	}
	if first.ID == second.ID || first.Seed != second.Seed || first.PlanHash != second.PlanHash ||
		first.Note != "baseline" || second.Labels[0] != "nightly" {
		t.Errorf("want the same under a new id: %+v, %+v", first.Head, second.Head)
	}
	var same history.Compared
	c.read("/api/runs/compare?a="+first.ID+"&b="+second.ID, &same)
	if !same.Same.Seed || !same.Same.Config || !same.Same.Files || len(same.Notes) > 0 || len(same.Rows) == 0 {
		t.Errorf("want the same seed, settings and files: %+v", same)
	}
	for _, row := range same.Rows {
		if row.Unit == "count" && (*row.Difference != 0 || row.BeyondNoise) && allSent(first, second) {
			t.Errorf("%s %s differs: %v and %v", row.Group, row.Name, *row.A, *row.B)
		}
	}

	c.must(200, "POST", "/api/urls", `{"content":"https://shop.example.test/one\nhttps://shop.example.test/two\n"}`)
	third := c.ended(c.begun(
		"/api/start",
		fmt.Sprintf(
			`{"config":{"MATOMO_URL":%q,"MATOMO_TOKEN_AUTH":"","RUN_SEED":%d,"STOP_AFTER_VISITS":50,"PAGEVIEWS_MIN":3,
		"TARGET_VISITS_PER_DAY":1500000,"PAUSE_BETWEEN_PVS_MIN":0,"PAUSE_BETWEEN_PVS_MAX":0.1,"THRESHOLDS":"p50<200ms"}}`,
			slow,
			first.Seed,
		),
	))
	if third.ExitCode == nil || *third.ExitCode != 4 || third.Reason != "stop_after_visits" {
		t.Errorf("it should have failed its threshold: %+v", third.Head)
	}
	var slower history.Compared
	c.read("/api/runs/compare?a="+first.ID+"&b="+third.ID, &slower)
	flagged := map[string]bool{}
	for _, row := range slower.Rows {
		if row.BeyondNoise {
			flagged[row.Group+" "+row.Name] = true
			// A run ends with its last visit, which a slower server holds up: the same hits take longer.
			if row.Group != "latency" && row.Group != "rates" && allSent(first, third) {
				t.Errorf("%s %s is flagged: %v and %v, %s", row.Group, row.Name, *row.A, *row.B, row.Why)
			}
		}
	}
	if !flagged["latency p50"] { // what else is slow on this machine can hide it in the higher ones
		t.Errorf("500 ms should be seen: %v", flagged)
	}
	c.lookBack(first, third)
}

// allSent tells whether every planned hit was accepted: on a machine that is busy with other things some may not be
// sent.
func allSent(runs ...history.Record) bool {
	for _, r := range runs {
		if r.Summary.Hits.Accepted != r.Summary.Hits.Planned {
			return false
		}
	}
	return true
}

// lookBack reads runs on the command line while the controller serves.
func (c *controller) lookBack(one, other history.Record) {
	c.t.Helper()
	command := func(args ...string) (int, string) {
		var out, err written
		h := c.host
		h.Stdout, h.Stderr = &out, &err
		return cli.Run(c.t.Context(), append([]string{"runs"}, args...), h), out.String() + err.String()
	}
	for _, row := range []struct {
		args []string
		code int
		has  []string
	}{
		{[]string{"list", "--label", "nightly"}, 0, []string{"RUN", one.ID, "baseline"}},
		{[]string{"list", "--json", "--limit", "1"}, 0, []string{`"id": "` + other.ID}},
		{[]string{"show", other.ID}, 0,
			[]string{"stop_after_visits (4)", "p50<200ms", "missed", "pageview", "STOP_AFTER_VISITS"}},
		{[]string{"compare", one.ID, other.ID}, 0, []string{"settings different", "MATOMO_URL", "latency", "yes"}},
		{[]string{"export", one.ID, "--format", "junit"}, 0, []string{"<testsuite", "unknown=0"}},
		{[]string{"export", "--format", "html", one.ID}, 0, []string{"<!doctype html>"}},
		{[]string{"show", "none"}, 1, []string{"not found"}},
		{[]string{"show"}, 2, []string{"takes 1 run ids"}},
		{[]string{"export", one.ID, "--format", "pdf"}, 2, []string{"must be json, html or junit"}},
		{nil, 2, []string{"usage"}},
	} {
		code, text := command(row.args...)
		for _, has := range row.has {
			if code != row.code || !strings.Contains(text, has) {
				c.t.Errorf("%v: %d without %q: %s", row.args, code, has, text)
			}
		}
		if strings.Contains(text, token) {
			c.t.Errorf("%v prints a token", row.args)
		}
	}
}
