package stop_test

import (
	"strings"
	"testing"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/stop"
	"github.com/puttrix/trafficinator/shared/endreason"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

var start = time.Date(2026, 3, 29, 0, 59, 0, 0, time.UTC)

// check calls Check once a second with the summaries that at returns, and returns the second at which the run stops, or
// -1.
func check(c *stop.Conditions, seconds int, at func(n int) runsummary.Summary) (int, endreason.Reason, string) {
	for n := range seconds {
		s := at(n)
		if reason, why := c.Check(start.Add(time.Duration(n)*time.Second), &s); reason != "" {
			return n, reason, why
		}
	}
	return -1, "", ""
}

func TestErrorBrake(t *testing.T) {
	for name, c := range map[string]struct {
		limit float64
		hits  func(n uint64) runsummary.Hits
		want  int
	}{
		"half of the hits fail from the start": {
			.4, func(n uint64) runsummary.Hits { return runsummary.Hits{Accepted: 5 * n, Failed: 5 * n} }, 60,
		},
		"exactly the allowed share": {.5, func(n uint64) runsummary.Hits {
			return runsummary.Hits{Accepted: 5 * n, Failed: 5 * n}
		}, -1},
		"off": {0, func(n uint64) runsummary.Hits { return runsummary.Hits{Failed: n} }, -1},
		"too few hits: nine a minute": {
			.1, func(n uint64) runsummary.Hits { return runsummary.Hits{Rejected: 9 * n / 60} }, -1,
		},
		"enough hits: ten a minute": {.1, func(n uint64) runsummary.Hits { return runsummary.Hits{Rejected: 10 * n / 60} }, 60},
		"abandoned hits do not count": {
			.5, func(n uint64) runsummary.Hits { return runsummary.Hits{Accepted: n, Abandoned: 100 * n} }, -1,
		},
		"an outage after an hour counts by the last minute": {
			.5, func(n uint64) runsummary.Hits {
				return runsummary.Hits{Accepted: 10 * min(n, 3600), Shed: 10 * (max(n, 3600) - 3600)}
			}, 3631,
		},
		"an outage of half a minute": {
			.5, func(n uint64) runsummary.Hits {
				down := min(max(n, 3600)-3600, 30)
				return runsummary.Hits{Accepted: 10 * (n - down), Unknown: 10 * down}
			}, -1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			at, reason, why := check(&stop.Conditions{MaxErrors: c.limit}, 4000, func(n int) runsummary.Summary {
				return runsummary.Summary{Hits: c.hits(uint64(n))}
			})
			if at != c.want {
				t.Errorf("stopped after %d s, want %d: %s", at, c.want, why)
			}
			if at >= 0 && (reason != endreason.ErrorBrake || !strings.Contains(why, "STOP_ERROR_SHARE")) {
				t.Errorf("%s: %s", reason, why)
			}
		})
	}
}

func TestErrorBrakeMessageHasTheShareOfEachOutcome(t *testing.T) {
	_, _, why := check(&stop.Conditions{MaxErrors: .5}, 61, func(n int) runsummary.Summary {
		m := uint64(n)
		return runsummary.Summary{
			Hits: runsummary.Hits{Accepted: 2 * m, Rejected: 4 * m, Failed: 2 * m, Unknown: m, Shed: m},
		}
	})
	want := "error brake: 80.0 % of 600 hits in the last minute were not accepted (rejected 40.0 %, failed 20.0 " +
		"%, unknown 10.0 %, shed 10.0 %), more than STOP_ERROR_SHARE=0.5"
	if !strings.Contains(why, want) {
		t.Errorf("%s", why)
	}
}

func TestThresholdMissedForTenSecondsStopsTheRun(t *testing.T) {
	slow := 1.25
	missed := runsummary.Verdict{Expression: "p95<800ms", Metric: "p95", Value: &slow}
	held := runsummary.Verdict{Expression: "unknown=0", Metric: "unknown", Held: true}
	pending := runsummary.Verdict{Expression: "visits>100", Metric: "visits", Pending: true}
	for name, c := range map[string]struct {
		abort bool
		miss  func(n int) bool
		want  int
	}{
		"missed from the 5th second":     {true, func(n int) bool { return n >= 5 }, 15},
		"held every tenth second":        {true, func(n int) bool { return n%10 != 0 }, -1},
		"missed without THRESHOLD_ABORT": {false, func(int) bool { return true }, -1},
		"held":                           {true, func(int) bool { return false }, -1},
		"held again after nine seconds":  {true, func(n int) bool { return n != 9 }, 20},
	} {
		t.Run(name, func(t *testing.T) {
			at, reason, why := check(&stop.Conditions{Abort: c.abort}, 60, func(n int) runsummary.Summary {
				s := runsummary.Summary{Thresholds: []runsummary.Verdict{held, pending}}
				if c.miss(n) {
					s.Thresholds = append(s.Thresholds, missed)
				}
				return s
			})
			if at != c.want {
				t.Errorf("stopped after %d s, want %d", at, c.want)
			}
			if at >= 0 &&
				(reason != endreason.Threshold || why != "threshold p95<800ms failed for 10s: 1.25 s") {
				t.Errorf("%s: %s", reason, why)
			}
		})
	}
}

func TestStandstillResetsTheConditions(t *testing.T) {
	slow := 1.25
	missed := runsummary.Verdict{Expression: "p95<800ms", Metric: "p95", Value: &slow}
	// At second 100 the summary gets a standstill that shed 5,000 hits; three of ten later hits fail.
	brake := func(n int) runsummary.Summary {
		m := uint64(n)
		s := runsummary.Summary{Hits: runsummary.Hits{Accepted: 10 * m}}
		if n >= 100 {
			s.Hits.Shed = 5000
			s.Standstills = []runsummary.Standstill{{Seconds: 90, Hits: 5000}}
			s.Hits.Accepted, s.Hits.Failed = 1000+7*(m-100), 3*(m-100)
		}
		return s
	}
	if at, _, why := check(&stop.Conditions{MaxErrors: .25}, 200, brake); at != 160 {
		t.Errorf("stopped after %d s, want a full minute after the standstill: %s", at, why)
	}
	if at, _, why := check(&stop.Conditions{MaxErrors: .35}, 200, brake); at != -1 {
		t.Errorf("hits shed by the standstill count: %s", why)
	}
	threshold := func(n int) runsummary.Summary {
		s := runsummary.Summary{Thresholds: []runsummary.Verdict{missed}}
		if n >= 8 {
			s.Standstills = []runsummary.Standstill{{Seconds: 90}}
		}
		return s
	}
	if at, _, _ := check(&stop.Conditions{Abort: true}, 60, threshold); at != 18 {
		t.Errorf("stopped after %d s, want ten seconds after the standstill", at)
	}
}
