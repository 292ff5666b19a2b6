package benchmark

import (
	"cmp"
	"fmt"
	"math"

	"github.com/puttrix/trafficinator/controller/internal/benchmark/timing"
)

const (
	// A difference of medians counts if it exceeds both minRatio of the baseline and minSeconds.
	minRatio   = .2
	minSeconds = .02
	// minRequests is how many requests each side needs for a verdict.
	minRequests = 3
	// minDeviations is how many standard deviations the ranks must differ. Few requests cannot reach it; they are
	// compared if every request of one side is slower than every one of the other.
	minDeviations = 2.4
)

// Compare compares a benchmark with a baseline, in the benchmark's order. A report is slower or faster if the medians
// of its warm requests differ by more than a fifth and 20 ms and the ranks of all requests show that this is
// significant (Mann-Whitney U test, which a single slow response does not sway). It is also slower if it timed out
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

// conditions describes the other differences between two benchmarks.
func conditions(a, b timing.ReportBenchmark) []string {
	out := []string{}
	add := func(differ bool, format string, args ...any) {
		if differ {
			out = append(out, fmt.Sprintf(format, args...))
		}
	}
	add(a.URL != b.URL || a.SiteID != b.SiteID, "The baseline is of another site: %d at %s.", a.SiteID, a.URL)
	add(a.Version != b.Version, "Matomo was %s and is %s.", a.Version, b.Version)
	if a.Visits != nil && b.Visits != nil && longestOf(a) == longestOf(b) { // otherwise counted in different periods
		add(*a.Visits != *b.Visits, "The site had %d visits and has %d.", *a.Visits, *b.Visits)
	}
	add(a.Date != b.Date, "The reports are of %s, those of the baseline of %s.", b.Date, a.Date)
	add(a.RunID == "" && b.RunID != "", "A run was sending at the same time, and none during the baseline.")
	add(a.RunID != "" && b.RunID == "", "A run was sending during the baseline, and none this time.")
	add(a.Parallel != b.Parallel, "The baseline used %d parallel clients, this benchmark %d.", a.Parallel, b.Parallel)
	return out
}

// longestOf returns the longest period that was measured.
func longestOf(b timing.ReportBenchmark) (longest string) {
	for _, r := range b.Results {
		if longest == "" || rank(r.Period) > rank(longest) {
			longest = r.Period
		}
	}
	return longest
}

func difference(before timing.ReportTiming, known bool, now timing.ReportTiming) timing.ReportDifference {
	a, b := before.Warm, now.Warm
	d := timing.ReportDifference{Report: now.Report, Period: now.Period, Segment: now.Segment,
		Verdict: timing.ReportSame, Before: median(a), Now: median(b)}
	if a.P50 > 0 && b.Requests > 0 {
		d.Ratio = new(b.P50 / a.P50)
	}
	by := b.P50 - a.P50
	differs := math.Abs(by) > minSeconds && math.Abs(by) > minRatio*a.P50
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
	case differs && min(a.Requests, b.Requests) < minRequests:
		d.Why = "too few requests for a verdict"
	case differs && by > 0 && rankLater(a.Times, b.Times):
		d.Verdict = timing.ReportSlower
	case differs && by < 0 && rankLater(b.Times, a.Times):
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

// rankLater reports whether the slow requests rank significantly behind the quick ones.
func rankLater(quick, slow []float64) bool {
	n, m := float64(len(quick)), float64(len(slow))
	behind := 0. // pairs in the expected order; one of equals counts half
	for _, q := range quick {
		for _, s := range slow {
			behind += (1 + float64(cmp.Compare(s, q))) / 2
		}
	}
	return behind == n*m || (behind-n*m/2)/math.Sqrt(n*m*(n+m+1)/12) >= minDeviations
}
