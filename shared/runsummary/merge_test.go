package runsummary_test

import (
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/puttrix/trafficinator/shared/runsummary"
)

// life is a start of a loadgen that accepted n hits of n visits, each answered within so many milliseconds.
func life(t *testing.T, start time.Time, n uint64, ms int64) runsummary.Summary {
	t.Helper()
	h := hdrhistogram.New(1, 600_000_000, 3)
	for range n {
		if err := h.RecordValue(ms * 1000); err != nil {
			t.Fatal(err)
		}
	}
	text, err := h.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	if err != nil {
		t.Fatal(err)
	}
	hits := runsummary.Hits{Planned: n, Accepted: n}
	account := runsummary.Totals{
		Visits: runsummary.Visits{Planned: n, Complete: n}, Revenue: 1.5, Items: 2,
		Opened: runsummary.Opened{Days: map[string]uint64{"2026-03-01": n}},
	}
	return runsummary.Summary{
		RunID: "r", Started: start, Ended: start.Add(time.Minute), Reason: "killed", Hits: hits, Due: n,
		Totals: account,
		ByKind: map[string]runsummary.Hits{"pageview": hits}, ByTarget: map[string]runsummary.Hits{"a": hits},
		Targets: map[string]runsummary.Target{"a": {URL: "u", ByKind: map[string]runsummary.Hits{"pageview": hits},
			Totals: account, Histogram: string(text)}},
	}
}

func TestTheLivesOfARunAddUp(t *testing.T) {
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	first, last := life(t, start, 60, 10), life(t, start.Add(time.Hour), 40, 200)
	first.Standstills, last.Standstills = []runsummary.Standstill{{Seconds: 90, Visits: 3, Hits: 10}},
		[]runsummary.Standstill{{Seconds: 5, Hits: 1}}
	last.DurationSeconds = 30 // the wall clock was set meanwhile
	first.Killed, first.Message, last.Reason, last.FirstVisit = 1, "killed", "stop_after_visits", 60
	s := runsummary.Merge([]runsummary.Summary{first, last})
	if s.Hits.Accepted != 100 || s.ByKind["pageview"].Planned != 100 || s.ByTarget["a"].Accepted != 100 ||
		s.Visits.Complete != 100 || s.Due != 100 {
		t.Errorf("%+v", s)
	}
	if a := s.Targets["a"]; a.Visits.Complete != 100 || a.ByKind["pageview"].Accepted != 100 || a.Items != 4 ||
		a.Opened.Days["2026-03-01"] != 100 {
		t.Errorf("its target: %+v", a)
	}
	if !s.Started.Equal(start) || s.FirstVisit != 0 || s.Reason != "stop_after_visits" || s.Message != "killed" ||
		s.Killed != 1 || s.Revenue != 3 {
		t.Errorf("%+v", s)
	}
	if d, still := s.Duration(), s.TotalStandstill(); d != 90*time.Second || still.Seconds != 95 || still.Visits != 3 ||
		still.Hits != 11 {
		t.Errorf("lasted %s, stood still %+v: want 1 min 30 s without the hour between the lives", d, still)
	}
	// 60 of 10 ms and 40 of 200 ms: the median is of the first life, the 95th percentile of the last.
	if l := s.Latency; l.P50 > .011 || l.P95 < .19 || s.Targets["a"].Latency != l {
		t.Errorf("%+v", l)
	}
	if first.Hits.Accepted != 60 || first.Targets["a"].ByKind["pageview"].Accepted != 60 {
		t.Error("the ledger that was merged has changed")
	}
}

func TestABackfillIsCompleteInItsLastLife(t *testing.T) {
	first, last := life(t, time.Now(), 60, 10), life(t, time.Now(), 100, 10)
	first.Kind, last.Kind = runsummary.BackfillJob, runsummary.BackfillJob
	if s := runsummary.Merge([]runsummary.Summary{first, last}); s.Hits.Accepted != 100 {
		t.Errorf("%+v", s.Hits)
	}
}
