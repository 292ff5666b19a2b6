package runsummary_test

import (
	"slices"
	"testing"
	"time"

	"github.com/puttrix/trafficinator/shared/runsummary"
)

func TestTheReasonsOfLivesAddUp(t *testing.T) {
	first := runsummary.Summary{
		Reasons: []runsummary.Reason{{Target: "a", Class: "in_front", Status: 403, Hits: 5, Excerpt: "Blocked"},
			{Target: "a", Class: "late", Hits: 1}},
		Warnings: []runsummary.Reason{{Target: "a", Class: "accepted_no_receipt", Status: 200, Hits: 2}},
	}
	second := runsummary.Summary{
		Reasons: []runsummary.Reason{{Target: "a", Class: "in_front", Status: 403, Hits: 2, Excerpt: "other"},
			{Target: "b", Class: "late", Hits: 9}},
		Warnings: []runsummary.Reason{{Target: "a", Class: "accepted_no_receipt", Status: 200, Hits: 3}},
	}
	all := runsummary.Merge([]runsummary.Summary{first, second})
	want := []runsummary.Reason{
		{Target: "b", Class: "late", Hits: 9},
		{Target: "a", Class: "in_front", Status: 403, Hits: 7, Excerpt: "Blocked"},
		{Target: "a", Class: "late", Hits: 1},
	}
	if !slices.Equal(all.Reasons, want) || len(all.Warnings) != 1 || all.Warnings[0].Hits != 5 {
		t.Errorf("%+v, %+v", all.Reasons, all.Warnings)
	}
	if first.Reasons[0].Hits != 5 || second.Reasons[0].Hits != 2 {
		t.Error("a life was changed")
	}
}

func TestHitsOfAKilledRunHaveAReason(t *testing.T) {
	s := runsummary.Summary{
		ByTarget: map[string]runsummary.Hits{
			"a": {Planned: 10, Accepted: 3, Rejected: 1},
			"b": {Planned: 2, Accepted: 2},
		},
		Reasons: []runsummary.Reason{{Target: "a", Class: "in_front", Status: 403, Hits: 1}},
	}
	s.CloseKilled(time.Now())
	want := []runsummary.Reason{
		{Target: "a", Class: "broken", Hits: 6, Excerpt: "the loadgen was killed"},
		{Target: "a", Class: "in_front", Status: 403, Hits: 1},
	}
	if !slices.Equal(s.Reasons, want) {
		t.Errorf("%+v", s.Reasons)
	}
}

func TestAReasonIsASentence(t *testing.T) {
	for want, r := range map[string]runsummary.Reason{
		`something in front of Matomo answered 403 (Server: gate): "Blocked"`: {Class: "in_front", Status: 403,
			Server: "gate", Excerpt: "Blocked"},
		"too late": {Class: "late"},
		"answered 200: no receipt for a bulk request, a queue is active": {Class: "accepted_no_receipt", Status: 200},
		"answered 200 with additional text: \"Warning\"":                 {Class: "accepted", Status: 200, Excerpt: "Warning"},
		"of_next_year": {Class: "of_next_year"},
	} {
		if r.String() != want {
			t.Errorf("%+v: %s, want %s", r, r, want)
		}
	}
}
