package history_test

import (
	"strings"
	"testing"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/record"
	"github.com/puttrix/trafficinator/controller/internal/run/history"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

func TestPrintedRunHasReasonsWhyHitsWereNotAccepted(t *testing.T) {
	share := .9
	var b strings.Builder
	err := history.Record{Run: record.Run{Summary: &runsummary.Summary{
		Reasons: []runsummary.Reason{{Target: "main", Class: "in_front", Status: 403, Hits: 1234, Server: "gate",
			Excerpt: "Blocked"}},
		Warnings: []runsummary.Reason{{Target: "main", Class: "accepted_no_receipt", Status: 200, Hits: 7}},
		Thresholds: []runsummary.Verdict{{Expression: "error_share<50%", Metric: "error_share", Value: &share,
			BuiltIn: true}},
	}}}.Print(&b, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"in_front", "1234",
		`something in front of Matomo answered 403 (Server: gate): "Blocked"`, "a queue is active",
		"error_share<50% (default)", "missed"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is missing:\n%s", want, b.String())
		}
	}
}
