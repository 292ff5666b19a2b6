package benchmark

import (
	"slices"

	"github.com/puttrix/trafficinator/controller/internal/benchmark/timing"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/runsummary"
	"github.com/puttrix/trafficinator/shared/threshold"
)

// judged are the metrics that a report has: latencies of its warm requests, and the share of all its requests that
// failed.
var judged = []string{"p50", "p95", "p99", "error_share"}

// mostFailing is what each report must keep where nothing else is asked of its failures.
const mostFailing = "error_share<50%"

// Thresholds reads what each report must keep, such as p95<2s; all faults are told at once. Where none is about
// error_share, error_share<50% is added: a report that fails is no result.
func Thresholds(text string) ([]threshold.Threshold, problem.List) {
	list, problems := threshold.Parse("threshold", text)
	if !slices.ContainsFunc(list, func(t threshold.Threshold) bool { return t.Metric == "error_share" }) {
		most, _ := threshold.Parse("threshold", mostFailing) // it is well formed
		list = append(list, most...)
	}
	for _, t := range list {
		if !slices.Contains(judged, t.Metric) {
			problems.Refuse("threshold", t.Expression, "is not about a report", "use p50, p95, p99 or error_share")
		}
	}
	return list, problems
}

// Missed is a threshold that a report did not keep.
type Missed struct {
	timing.ReportTiming
	runsummary.Verdict
}

// Judge holds each report against the thresholds and tells what was missed. One without any time has missed those of
// latencies.
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
	answered := r.Warm.Requests + r.Parallel.Requests
	if r.Cold != nil {
		answered++
	}
	v := threshold.Values{Hits: runsummary.Hits{Accepted: uint64(answered), Failed: uint64(r.Failures + r.Timeouts)}}
	v.Latency.P50, v.Latency.P95 = r.Warm.P50, r.Warm.P95
	if n := len(r.Warm.Times); n > 0 {
		v.Latency.P99 = r.Warm.Times[(n*99+99)/100-1]
	}
	return v
}
