package console

import (
	"testing"

	"github.com/puttrix/trafficinator/shared/runsummary"
)

func TestFinding(t *testing.T) {
	late := 1.25
	limit := []runsummary.Verdict{{Expression: "p95<1s", Metric: "p95", Value: &late}}
	for want, c := range map[string]runsummary.Capacity{
		"47.28 visits/s (296.7 hits/s); limit reached at 51.84 visits/s: p95<1s (1.25 s)": {
			VisitRate: 47.283, HitRate: 296.7, Confirmed: true, BrokenRate: 51.843, Limit: limit,
		},
		"at least 16 visits/s (98 hits/s), not confirmed over a minute; limit reached at 64 visits/s: " +
			"p95<1s (1.25 s)": {
			VisitRate: 16, HitRate: 98, BrokenRate: 64, Limit: limit,
		},
		"1000 visits/s (6120 hits/s); no higher rate was tried": {VisitRate: 1000,
			HitRate: 6120, Confirmed: true},
		"below the lowest rate; limit reached at 1 visits/s: p95<1s (1.25 s)": {BrokenRate: 1,
			Limit: limit},
		"the search ended before its first step": {},
		"at least 4 visits/s (24 hits/s); search aborted: 403": {VisitRate: 4, HitRate: 24,
			BrokenRate: 64, Limit: limit, Void: "403"},
		"no result; search aborted: 403": {Void: "403"},
	} {
		if got := Finding(&c); got != want {
			t.Errorf("%s; want %s", got, want)
		}
	}
}
