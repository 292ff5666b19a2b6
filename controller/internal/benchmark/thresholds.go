package benchmark

import (
	"slices"

	"github.com/puttrix/trafficinator/controller/internal/benchmark/timing"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/runsummary"
	"github.com/puttrix/trafficinator/shared/threshold"
)

// metrics are the metrics of a report: latencies of its warm requests, and the share of all its requests that failed.
var metrics = []string{"p50", "p95", "p99", "error_share"}

// Thresholds parses the thresholds for each report, such as p95<2s, and returns all problems. Unless one is about
// error_share, it adds error_share<50%, because a report that mostly fails is no result.
func Thresholds(text string) ([]threshold.Threshold, problem.List) {
	list, problems := threshold.Parse("threshold", text)
	if !slices.ContainsFunc(list, func(t threshold.Threshold) bool { return t.Metric == "error_share" }) {
		byDefault, _ := threshold.Parse("threshold", "error_share<50%") // valid
		list = append(list, byDefault...)
	}
	for _, t := range list {
		if !slices.Contains(metrics, t.Metric) {
			problems.Refuse("threshold", t.Expression, "is not a metric of reports", "use p50, p95, p99 or error_share")
		}
	}
	return list, problems
}

// Missed is a threshold that a report failed.
type Missed struct {
	timing.ReportTiming
	runsummary.Verdict
}

// Judge returns the missed thresholds of each report. A report without a successful request misses those of latencies.
func Judge(b timing.ReportBenchmark, thresholds []threshold.Threshold) (missed []Missed) {
	for _, r := range b.Results {
		for _, v := range threshold.Evaluate(thresholds, values(r), true) {
			if threshold.IsMissed(v) {
				missed = append(missed, Missed{r, v})
			}
		}
	}
	return missed
}

func values(r timing.ReportTiming) threshold.Values {
	succeeded := r.Warm.Requests + r.Parallel.Requests
	if r.Cold != nil {
		succeeded++
	}
	v := threshold.Values{Hits: runsummary.Hits{Accepted: uint64(succeeded), Failed: uint64(r.Failures + r.Timeouts)}}
	v.Latency.P50, v.Latency.P95 = r.Warm.P50, r.Warm.P95
	if len(r.Warm.Times) > 0 {
		v.Latency.P99 = percentile(r.Warm.Times, 99)
	}
	return v
}
