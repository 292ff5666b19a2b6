package benchmark

import (
	"cmp"
	"fmt"
	"math"

	"github.com/puttrix/trafficinator/controller/internal/benchmark/timing"
)

const (
	// matters is by how much of the baseline, and leastSeconds by how much at least, a median has to differ.
	matters      = .2
	leastSeconds = .02
	// fewest requests on each side tell something at all.
	fewest = 3
	// surely is how many standard deviations the ranks have to be apart, unless every request of one side was slower
	// than every one of the other: of few requests nothing more can be asked.
	surely = 2.4
)

// Compare sets a benchmark beside a baseline, in its own order. A report is slower, or faster, where the medians of its
// warm requests differ by more than a fifth and 20 ms, and the order of all the requests shows that it is no chance
// (Mann and Whitney's test of ranks, which a single slow answer does not impress). It is slower too where it timed out
// more often.
func Compare(baseline, now timing.ReportBenchmark) timing.BenchmarkComparison {
	out := timing.BenchmarkComparison{
		ID: now.ID, Baseline: baseline.ID, Began: baseline.Began, Conditions: conditions(baseline, now),
		Reports: make([]timing.ReportDifference, len(now.Results)),
	}
	before := map[timing.ReportKey]timing.ReportTiming{}
	for _, r := range baseline.Results {
		before[r.Key()] = r
	}
	for i, r := range now.Results {
		b, known := before[r.Key()]
		delete(before, r.Key())
		out.Reports[i] = difference(b, known, r)
	}
	out.Missing = len(before)
	return out
}

// conditions are what else differs between two benchmarks.
func conditions(a, b timing.ReportBenchmark) []string {
	out := []string{}
	tell := func(differ bool, format string, args ...any) {
		if differ {
			out = append(out, fmt.Sprintf(format, args...))
		}
	}
	tell(a.URL != b.URL || a.SiteID != b.SiteID, "The baseline is of another site: %d at %s.", a.SiteID, a.URL)
	tell(a.Version != b.Version, "Matomo was %s and is %s.", a.Version, b.Version)
	counted := a.Visits != nil && b.Visits != nil && longestOf(a) == longestOf(b) // else of different periods
	tell(counted && *a.Visits != *b.Visits, "The site had %s visits and has %s.", visits(a), visits(b))
	tell(a.Date != b.Date, "The periods hold %s, and held %s.", b.Date, a.Date)
	tell(a.RunID == "" && b.RunID != "", "A run was sending meanwhile, and none during the baseline.")
	tell(a.RunID != "" && b.RunID == "", "A run was sending during the baseline, and none now.")
	tell(a.Parallel != b.Parallel, "The baseline asked %d at once, this one %d.", a.Parallel, b.Parallel)
	return out
}

// longestOf is the longest period that was measured.
func longestOf(b timing.ReportBenchmark) (longest string) {
	for _, r := range b.Results {
		if longest == "" || rank(r.Period) > rank(longest) {
			longest = r.Period
		}
	}
	return longest
}

func visits(b timing.ReportBenchmark) string {
	if b.Visits == nil {
		return "unknown"
	}
	return fmt.Sprint(*b.Visits)
}

func difference(before timing.ReportTiming, known bool, now timing.ReportTiming) timing.ReportDifference {
	a, b := before.Warm, now.Warm
	d := timing.ReportDifference{
		Report: now.Report, Period: now.Period, Segment: now.Segment, Verdict: timing.ReportSame, Before: median(a),
		Now: median(b),
	}
	if a.P50 > 0 && b.Requests > 0 {
		ratio := b.P50 / a.P50
		d.Ratio = &ratio
	}
	by := b.P50 - a.P50
	differs := math.Abs(by) > leastSeconds && math.Abs(by) > matters*a.P50
	switch {
	case b.Requests == 0:
		d.Verdict, d.Why = timing.ReportFailing, now.Error
	case !known:
		d.Verdict = timing.ReportNew
	case a.Requests == 0:
		d.Verdict, d.Why = timing.ReportNew, "it failed in the baseline"
	case now.Timeouts > before.Timeouts:
		d.Verdict, d.Why = timing.ReportSlower,
			fmt.Sprintf("it timed out %d times, %d in the baseline", now.Timeouts, before.Timeouts)
	case differs && min(a.Requests, b.Requests) < fewest:
		d.Why = "too few requests to tell"
	case differs && by > 0 && later(a.Times, b.Times):
		d.Verdict = timing.ReportSlower
	case differs && by < 0 && later(b.Times, a.Times):
		d.Verdict = timing.ReportFaster
	}
	return d
}

func median(s timing.Spread) *float64 {
	if s.Requests == 0 {
		return nil
	}
	return &s.P50
}

// later says that the slow requests rank surely behind the quick ones.
func later(quick, slow []float64) bool {
	n, m := float64(len(quick)), float64(len(slow))
	behind := 0. // pairs in the expected order; one of equals counts half
	for _, q := range quick {
		for _, s := range slow {
			behind += (1 + float64(cmp.Compare(s, q))) / 2
		}
	}
	return behind == n*m || (behind-n*m/2)/math.Sqrt(n*m*(n+m+1)/12) >= surely
}
