package api_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
)

// ready saves a target, so that a backfill has where to send.
func (f *fixture) ready(t *testing.T, tokenOf string) {
	t.Helper()
	body := fmt.Sprintf(
		`{"config":{"MATOMO_URL":"https://m.example.test/matomo.php","MATOMO_TOKEN_AUTH":%q,"TIMEZONE":"Europe/Berlin","TARGET_VISITS_PER_DAY":700,"RUN_ID":"live","CAPACITY_SEARCH":true}}`,
		tokenOf,
	)
	if got := f.ask("PUT", "/api/config", body); got.Code != 200 {
		t.Fatalf("%d %s", got.Code, got.Body)
	}
}

func TestABackfillIsPlannedBeforeItIsSent(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.ready(t, token)
	got := f.ask("POST", "/api/backfill/plan",
		`{"START_DATE":"2026-03-27","BACKFILL_END_DATE":"2026-03-30","MAX_VISITS_TOTAL":2000,"RPS_LIMIT":0.5}`)
	if got.Code != 200 {
		t.Fatalf("%d %s", got.Code, got.Body)
	}
	plan := got.object(t)
	days, total := plan["calendar"].([]any), 0.0
	for _, d := range days {
		total += d.(map[string]any)["visits"].(float64)
	}
	if len(days) != 4 || days[2].(map[string]any)["date"] != "2026-03-29" || total != 2000 || plan["total"] != total ||
		plan["timezone"] != "Europe/Berlin" {
		t.Errorf("want four days with 2000 visits in all, got %s", got.Body)
	}
	if plan["estimated_seconds"] != 4000. {
		t.Errorf("want the loadgen's own estimate, got %s", got.Body)
	}
	f.outline = outline{err: launcher.ErrUnavailable}
	got = f.ask("POST", "/api/backfill/plan", `{"START_DATE":"2026-03-27","END_DATE":"2026-03-27","RPS_LIMIT":0.5}`)
	if plan := got.object(t); plan["estimated_seconds"] != nil ||
		!strings.Contains(fmt.Sprint(plan["warnings"]), "could not estimate the duration") {
		t.Errorf("without an engine a warning should say so, got %s", got.Body)
	}
	if none := f.ask("GET", "/api/backfill/status", ""); !strings.Contains(none.Body.String(), `"runs":[]`) {
		t.Errorf("a plan should queue nothing: %s", none.Body)
	}
}

func TestABackfillIsRefusedWithEveryFault(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.each(t, []quick{
		{"nowhere to send", "POST", "/api/backfill/run", `{"DAYS_BACK":2,"DURATION_DAYS":1}`, nil, 422, "MATOMO_URL"},
	})
	f.ready(t, "")
	f.each(t, []quick{
		{"dates that are none", "POST", "/api/backfill/run", `{"START_DATE":"1999-13-99","END_DATE":"3000-01-01"}`, nil,
			422, "1999-13-99"},
		{"and the future", "POST", "/api/backfill/run", `{"START_DATE":"1999-13-99","END_DATE":"3000-01-01"}`, nil, 422,
			"3000-01-01"},
		{"both windows", "POST", "/api/backfill/run",
			`{"START_DATE":"2026-01-01","END_DATE":"2026-01-02","DAYS_BACK":1,"DURATION_DAYS":1}`, nil, 422,
			"conflicts with"},
		{"old days without a token", "POST", "/api/backfill/run", `{"DAYS_BACK":"3","DURATION_DAYS":2}`, nil, 422,
			"MATOMO_TOKEN_AUTH"},
		{"which a plan only tells", "POST", "/api/backfill/plan", `{"DAYS_BACK":3,"DURATION_DAYS":2}`, nil, 200,
			is{"warnings.0.field": "MATOMO_TOKEN_AUTH"}},
		{"a setting of something else", "POST", "/api/backfill/run",
			`{"DAYS_BACK":3,"DURATION_DAYS":2,"CONCURRENCY":5}`, nil, 422, "CONCURRENCY"},
		{"a name that is none, and all else", "POST", "/api/backfill/run", `{"name":7,"DAYS_BACK":"x"}`, nil, 422,
			is{"errors.0.location": "name", "errors.1.location": "BACKFILL_DAYS_BACK"}},
		{"no such job", "POST", "/api/backfill/cancel", `{"run_id":"none"}`, nil, 404, ""},
		{"no log of such a job", "GET", "/api/logs?job=none", "", nil, 404, ""},
		{"nothing was asked for", "GET", "/api/backfill/last", "", nil, 200, is{"payload": map[string]any{}}},
	})
}

func TestABackfillWaitsIsCancelledAndResumed(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.ready(t, token)
	made := f.ask("POST", "/api/backfill/run",
		`{"DAYS_BACK":3,"BACKFILL_DURATION_DAYS":"2","RUN_ONCE":true,"SEED":7,"name":"two days"}`)
	if made.Code != 202 {
		t.Fatalf("%d %s", made.Code, made.Body)
	}
	id := made.object(t)["run_id"].(string)
	if id == "live" {
		t.Error("a job should have an id of its own, not that of the run")
	}
	f.each(t, []quick{
		{"it waits", "GET", "/api/backfill/status", "", nil, 200, is{"runs.0.state": "queued"}},
		{"not to be settled", "POST", "/api/backfill/" + id + "/settle", "", nil, 409, "running or queued"},
		{"nor resumed", "POST", "/api/backfill/" + id + "/resume", "", nil, 409, "running or queued"},
		{"it is cancelled by its container", "POST", "/api/backfill/cancel", `{"container_name":"job-` + id + `"}`, nil,
			200, is{"state": "exited"}},
		{"but once", "POST", "/api/backfill/cancel", `{"run_id":"` + id + `"}`, nil, 409, "ended"},
		{"it has no unknown batch", "POST", "/api/backfill/" + id + "/settle", "", nil, 409, "no unknown batch"},
		{"it waits again", "POST", "/api/backfill/" + id + "/resume", "", nil, 202, is{"state": "queued"}},
		{"what waits stays", "POST", "/api/backfill/cleanup", "", nil, 200, is{"removed": []any{}}},
		{"it was asked for", "GET", "/api/backfill/last", "", nil, 200, is{"result.run_id": id}},
		{"it is cancelled", "POST", "/api/backfill/cancel", `{"run_id":"` + id + `"}`, nil, 200, is{"success": true}},
		{"and removed", "POST", "/api/backfill/cleanup", "", nil, 200, is{"removed": []any{"job-" + id}}},
		{"what was asked for is still known", "GET", "/api/backfill/last", "", nil, 200,
			is{"payload.BACKFILL_DURATION_DAYS": "2"}},
		{"but not its job", "GET", "/api/backfill/last", "", nil, 200, is{"result": nil}},
	})
}
