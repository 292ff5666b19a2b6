package api_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/record"
	"github.com/puttrix/trafficinator/controller/internal/summaries"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

func TestTheListOfRunsTellsTheTotalsOfEach(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	const ledger = `{"run_id":"b","hits":{"planned":9,"accepted":7,"failed":2},"by_kind":{"pageview":{"planned":9}},"visits":{"planned":4,"complete":3,"lost":1}}`
	for i, r := range []struct{ id, summary string }{{"a", ""}, {"b", ledger}, {"c", "[]"}} {
		summary, _ := summaries.Decode([]byte(r.summary)) // none where there is none that can be read
		begun := time.Unix(int64(100-i), 0)
		if err := f.store.BeginRun(t.Context(),
			record.Run{Head: record.Head{ID: r.id, Kind: "live", Started: begun}}); err != nil {
			t.Fatal(err)
		}
		if err := f.store.EndRun(t.Context(),
			record.Run{Head: record.Head{ID: r.id, Kind: runsummary.Live, Ended: new(begun), Reason: "stopped"},
				Summary: summary}); err != nil {
			t.Fatal(err)
		}
	}
	f.each(t, []quick{
		{"without a ledger", "GET", "/api/runs?limit=1", "", nil, 200, is{"runs.0.totals": nil, "total": 3.}},
		{"with one", "GET", "/api/runs?limit=1&skip=1", "", nil, 200,
			is{"runs.0.totals.hits.planned": 9., "runs.0.totals.hits.accepted": 7., "runs.0.totals.hits.failed": 2.,
				"runs.0.totals.visits.lost": 1.}},
		{"with one that cannot be read", "GET", "/api/runs?limit=1&skip=2", "", nil, 200,
			is{"runs.0.totals": nil, "total": 3.}},
		{"the record has the whole ledger", "GET", "/api/runs/b", "", nil, 200,
			is{"summary.by_kind.pageview.planned": 9.}},
	})
}

// Questions are no changes, but only POST asks one.
func TestTheEndOfARunThatIsCalledAsAQuestionIsAudited(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.ran(t, "validate")
	if got := f.ask("DELETE", "/api/runs/validate", ""); got.Code != http.StatusNoContent && got.Code != http.StatusOK {
		t.Fatalf("%d %s", got.Code, got.Body)
	}
	if got := f.ask("GET", "/api/audit", "").Body.String(); !strings.Contains(got, "DELETE /api/runs/:id") {
		t.Errorf("the audit log holds %s", got)
	}
}
