package api_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/reconcile/comparison"
	"github.com/puttrix/trafficinator/controller/internal/record"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

func TestARunIsReconciled(t *testing.T) {
	t.Parallel()
	matomo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer matomo.Close()
	tracker := matomo.URL + "/matomo.php"
	f := newFixture(t)
	f.ran(t, "elsewhere")
	s := runsummary.Summary{RunID: "here", Started: noon, Ended: noon.Add(time.Minute),
		Targets: map[string]runsummary.Target{"default": {URL: tracker, SiteID: 1}}}
	r := record.Run{Head: record.Head{ID: "here", Kind: runsummary.Live, Started: noon, Ended: new(s.Ended),
		Reason: "stopped"}, Summary: &s}
	for _, err := range []error{f.store.BeginRun(t.Context(), r), f.store.EndRun(t.Context(), r)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	f.each(t, []quick{
		{"a target", "PUT", "/api/config", `{"config":{"MATOMO_URL":"` + tracker + `"}}`, nil, 200, ""},
		{"none that is saved", "POST", "/api/runs/elsewhere/reconcile", "", nil, 409, "no saved target"},
		{"no run", "POST", "/api/runs/none/reconcile", "", nil, 404, ""},
		{"nobody has asked", "GET", "/api/runs/here/reconcile", "", nil, 200, is{"state": "none"}},
		{"all faults", "POST", "/api/runs/here/reconcile", `{"limit_seconds":-1,"every_seconds":0}`, nil, 422,
			is{"errors.0.location": "body.every_seconds", "errors.1.location": "body.limit_seconds"}},
		{"a look", "POST", "/api/runs/here/reconcile", `{"limit_seconds":0}`, nil, 202, is{"targets": []any{}}},
	})
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		body, err := f.store.Figures(t.Context(), "here", record.Reconciliation)
		var got comparison.Reconciliation
		if err == nil && json.Unmarshal(body, &got) == nil {
			if lasted := got.Until.Sub(got.Began); lasted > time.Minute || got.Targets[0].Error == "" {
				t.Errorf("want one look that tells the fault: %v, %s", lasted, body)
			}
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatal("it is never done")
		}
	}
}
