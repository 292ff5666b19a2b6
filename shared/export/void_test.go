package export_test

import (
	"strings"
	"testing"

	"github.com/puttrix/trafficinator/shared/runsummary"
)

func TestAVoidStepIsReportedAndIsInNoCurve(t *testing.T) {
	r := tenSeconds()
	const why = "120 hits to main were refused (in_front): Access denied"
	r.Summary.Kind = runsummary.CapacitySearch
	r.Summary.Capacity = &runsummary.Capacity{From: 1, To: 100, Void: why, Steps: []runsummary.CapacityStep{
		{Kind: runsummary.CapacityRaise, OfferedVisitRate: 1, HitRate: 6, Held: true},
		{Kind: runsummary.CapacityRaise, OfferedVisitRate: 77, HitRate: 6, Void: why},
	}}
	text := page(t, r)
	if !strings.Contains(text, "void: "+why) || !strings.Contains(text, "search aborted: "+why) {
		t.Error("the page does not say why a step is void, or that the search was given up for it")
	}
	if strings.Contains(text, "1 to 77 visits per second") {
		t.Error("the void step is in the curve")
	}
}
