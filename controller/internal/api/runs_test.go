package api_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/record"
	"github.com/puttrix/trafficinator/controller/internal/run"
	"github.com/puttrix/trafficinator/controller/internal/setup/plan"
	"github.com/puttrix/trafficinator/controller/internal/store"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// ran records a run of a minute with a hundred hits, of which it keeps all that can be kept.
func (f *fixture) ran(t *testing.T, id string) {
	t.Helper()
	held := .01
	s := runsummary.Summary{
		RunID:    id,
		Kind:     runsummary.Live,
		Seed:     7,
		PlanHash: "abc",
		Started:  noon,
		Ended:    noon.Add(time.Minute),
		Reason:   "stop_after_visits",
		Hits:     runsummary.Hits{Planned: 100, Accepted: 99, Rejected: 1},
		ByKind:   map[string]runsummary.Hits{"pageview": {Planned: 100, Accepted: 99, Rejected: 1}},
		ByTarget: map[string]runsummary.Hits{"default": {Planned: 100, Accepted: 99, Rejected: 1}},
		Targets: map[string]runsummary.Target{"default": {URL: "https://m.example.test/matomo.php", Health: "healthy",
			ByKind: map[string]runsummary.Hits{}}},
		Thresholds: []runsummary.Verdict{
			{Expression: "error_share<5%", Metric: "error_share", Value: &held, Held: true},
		},
	}
	none := map[string]uint64{}
	s.Visits = runsummary.Visits{Planned: 20, Complete: 19, Partial: 1}
	s.Opened = runsummary.Opened{Days: none, Countries: none, Sources: none, Devices: none}
	target := s.Targets["default"]
	target.Opened = s.Opened
	s.Targets["default"] = target
	r := record.Run{
		Head: record.Head{ID: id, Kind: runsummary.Live, Seed: 7, PlanHash: "abc", Started: noon,
			Ended: new(noon.Add(time.Minute)), Reason: "stop_after_visits", ExitCode: new(0), Note: "of " + id,
			Labels: []string{"nightly"}},
		Config:  map[string]string{"STOP_AFTER_VISITS": "20", "MATOMO_TOKEN_AUTH": "***MASKED***"},
		Summary: &s, Problems: []record.Problem{{Time: noon.Add(time.Second), Level: "WARNING", Text: "slow"}},
	}
	for _, err := range []error{
		f.store.BeginRun(t.Context(), r), f.store.EndRun(t.Context(), r),
		f.store.KeepFiles(t.Context(), id, map[string][]byte{"loadgen.env": []byte("A=1\n")}),
		f.store.SaveInterval(t.Context(), id,
			record.Interval{At: noon, Body: []byte(`{"hits":{"accepted":99},"visits":20}`)}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestRunsAreFoundDescribedDeletedAndRestored(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.ran(t, "one")
	f.ran(t, "two")
	if err := f.store.BeginRun(
		t.Context(),
		record.Run{
			Head: record.Head{ID: "open", Kind: runsummary.CapacitySearch, Started: noon.Add(time.Hour)},
		},
	); err != nil {
		t.Fatal(err)
	}
	f.runs.status.Run = &record.Run{Head: record.Head{ID: "open", Kind: runsummary.CapacitySearch}}
	f.ledgers = map[string]string{"open": `{"run_id":"open","hits":{"planned":5}}`}
	f.each(t, []quick{
		{"all", "GET", "/api/runs", "", nil, 200, is{"labels": []any{"nightly"}, "total": 3.}},
		{"of a kind", "GET", "/api/runs?kind=capacity", "", nil, 200, is{"total": 1.}},
		{"of another kind", "GET", "/api/runs?kind=all", "", nil, 422, "kind"},
		{"with a label", "GET", "/api/runs?label=nightly&limit=1", "", nil, 200, is{"total": 2.}},
		{"with a part of a label", "GET", "/api/runs?label=night", "", nil, 200, is{"total": 0.}},
		{"ended so", "GET", "/api/runs?reason=stop_after_visits", "", nil, 200, is{"total": 2.}},
		{"with a text in the note", "GET", "/api/runs?q=OF+TWO", "", nil, 200, is{"total": 1.}},
		{"with a text in a label", "GET", "/api/runs?q=GHTL", "", nil, 200, is{"total": 2.}},
		{"with a wildcard that is none", "GET", "/api/runs?q=%25", "", nil, 200, is{"total": 0.}},

		{"what is kept", "GET", "/api/runs/one", "", nil, 200, is{"files.0.name": "loadgen.env"}},
		{"its problems", "GET", "/api/runs/one", "", nil, 200,
			is{"problems": []any{map[string]any{"level": "WARNING", "text": "slow", "time": "2026-03-01T12:00:01Z"}}}},
		{"the ledger of one that goes on", "GET", "/api/runs/open", "", nil, 200, is{"summary.hits.planned": 5.}},
		{"its minutes", "GET", "/api/runs/one/minutes", "", nil, 200, is{"minutes.0.numbers.hits.accepted": 99.}},

		{"a note alone", "PATCH", "/api/runs/one", `{"note":"baseline"}`, nil, 200,
			is{"labels": []any{"nightly"}, "note": "baseline"}},
		{"labels alone", "PATCH", "/api/runs/one", `{"labels":["a b","a b"," c "]}`, nil, 200,
			is{"labels": []any{"a b", "c"}, "note": "baseline"}},
		{"no labels", "PATCH", "/api/runs/one", `{"labels":[]}`, nil, 200, is{"labels": []any{}}},
		{"an empty label", "PATCH", "/api/runs/one", `{"labels":["a",""]}`, nil, 422,
			is{"errors.0.location": "labels[1]"}},
		{"a long label", "PATCH", "/api/runs/one", `{"labels":["` + strings.Repeat("x", 51) + `"]}`, nil, 422,
			"50 characters"},
		{"a run that is not there", "PATCH", "/api/runs/none", `{"note":"x"}`, nil, 404, "no resource has this id"},

		{"a run that goes on is not deleted", "DELETE", "/api/runs/open", "", nil, 409, "stop it first"},
		{"one that is not there", "DELETE", "/api/runs/none", "", nil, 404, ""},
		{"one that has ended is", "DELETE", "/api/runs/two", "", nil, 200, is{"deleted_id": "two"}},
		{"it is gone", "GET", "/api/runs/two", "", nil, 404, ""},
		{"from the list too", "GET", "/api/runs", "", nil, 200, is{"total": 2.}},
		{"it comes back", "POST", "/api/runs/two/restore", "", nil, 200, is{"note": "of two"}},
		{"once", "POST", "/api/runs/two/restore", "", nil, 404, ""},
	})
}

func TestRunsAreComparedAndTakenAway(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.ran(t, "one")
	f.ran(t, "two")
	if err := f.store.BeginRun(t.Context(),
		record.Run{Head: record.Head{ID: "open", Kind: runsummary.Live, Started: noon}}); err != nil {
		t.Fatal(err)
	}
	f.each(t, []quick{
		{"two alike", "GET", "/api/runs/compare?a=one&b=two", "", nil, 200,
			is{"same": map[string]any{"config": true, "files": true, "seed": true}}},
		{"their numbers", "GET", "/api/runs/compare?a=one&b=two", "", nil, 200,
			is{"rows.0.group": "visits", "rows.0.name": "planned", "rows.0.a": 20., "rows.0.b": 20.,
				"rows.0.beyond_noise": false}},
		{"with one that is not there", "GET", "/api/runs/compare?a=one&b=none", "", nil, 404, ""},
		{"with nothing", "GET", "/api/runs/compare?a=one", "", nil, 422, ""},
		{"as json", "GET", "/api/runs/one/export", "", nil, 200, is{"minutes.0.seconds": 60.}},
		{"as a report", "GET", "/api/runs/one/export?format=html", "", nil, 200, "<!doctype html>"},
		{"for CI", "GET", "/api/runs/one/export?format=junit", "", nil, 200, "error_share&lt;5%"},
		{
			"without a ledger",
			"GET",
			"/api/runs/open/export?format=html",
			"",
			nil,
			409,
			"only the JSON export is available",
		},
		{"in another form", "GET", "/api/runs/one/export?format=pdf", "", nil, 422, ""},
	})
	if got := f.ask("GET", "/api/runs/one/export?format=html",
		"").Header(); got.Get("Content-Disposition") != `attachment; filename="one.html"` ||
		got.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Errorf("it should be a file of its own: %v", got)
	}
}

func TestARunIsStartedAgainAndSteered(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.each(t, []quick{
		{"a start with a note", "POST", "/api/start", `{"note":"n","labels":["x"],"config":{"CAPACITY_SEARCH":true}}`,
			nil, 200, ""},
	})
	if q := f.runs.start; q.Note != "n" || len(q.Labels) != 1 || q.Overrides["CAPACITY_SEARCH"] != true {
		t.Errorf("it should be handed on: %+v", q)
	}
	f.each(t, []quick{
		{"again", "POST", "/api/runs/one/rerun", "", nil, 200, ""},
		{"again with a note", "POST", "/api/runs/one/rerun", `{"note":"n","restart_if_running":true}`, nil, 200, ""},
		{"with a bad label", "POST", "/api/runs/one/rerun", `{"labels":[""]}`, nil, 422, "labels[0]"},
		{"paused", "POST", "/api/control", `{"paused":true}`, nil, 200,
			is{"run_id": "r1", "paused": true, "scale": 1.}},
		{"scaled", "POST", "/api/control", `{"scale":2.5}`, nil, 200, is{"scale": 2.5}},
		{"too far", "POST", "/api/control", `{"scale":101}`, nil, 422, "scale"},
	})
	if q := f.runs.start; q.Note != "n" || !q.RestartIfRunning ||
		strings.Join(f.runs.asked, ",") != "start,rerun one,rerun one,steer,steer" {
		t.Errorf("%+v, %v", q, f.runs.asked)
	}
	lost := &plan.MissingSecrets{Problems: problem.List{{Where: "MATOMO_TOKEN_AUTH", Message: "no token is saved",
		Cure: "save it"}}}
	for _, c := range []struct {
		err    error
		status int
		told   string
	}{
		{run.ErrNoFiles, 409, "start a new run"},
		{run.ErrJob, 409, "as a job"},
		{lost, 409, "no token is saved; save it"},
		{store.ErrNotFound, 404, ""},
	} {
		f.runs.err = c.err
		if got := f.ask("POST", "/api/runs/one/rerun", ""); got.Code != c.status ||
			!strings.Contains(got.Body.String(), c.told) {
			t.Errorf("%v: %d %s", c.err, got.Code, got.Body)
		}
	}
	f.runs.err = run.ErrNothingRuns
	if got := f.ask("POST", "/api/control", `{"paused":true}`); got.Code != 409 {
		t.Errorf("%d %s", got.Code, got.Body)
	}
}

func TestAProfileIsDrawnWithoutSavingAnything(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.each(t, []quick{
		{"as saved", "POST", "/api/profile", "", nil, 200, is{"kind": "constant"}},
		{"stages", "POST", "/api/profile", `{"config":{"LOAD_PROFILE":"1h:2400"}}`, nil, 200,
			is{"planned_visits": 100., "ends_after_seconds": 3600.}},
		{"one with a fault", "POST", "/api/profile", `{"config":{"LOAD_PROFILE":"1h"}}`, nil, 422, "LOAD_PROFILE"},
		{"nothing was saved", "GET", "/api/config", "", nil, 200, is{"config.LOAD_PROFILE": "constant"}},
	})
	if entries, err := f.store.AuditEntries(context.Background(), 10); err != nil || len(entries) != 0 {
		t.Errorf("a drawing is no change: %v, %v", entries, errors.Join(err))
	}
}

func TestARunThatIsStuckOpenCanBeDeleted(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	if err := f.store.BeginRun(t.Context(),
		record.Run{Head: record.Head{ID: "stuck", Kind: runsummary.Live, Started: noon}}); err != nil {
		t.Fatal(err)
	}
	f.each(t, []quick{
		{"it is open", "GET", "/api/runs/stuck", "", nil, 200, is{"ended": nil}},
		{"nothing runs", "DELETE", "/api/runs/stuck", "", nil, 200, is{"success": true}},
		{"restored it has ended", "POST", "/api/runs/stuck/restore", "", nil, 200, is{"reason": "killed"}},
	})
}
