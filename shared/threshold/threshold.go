// Package threshold owns what a run must keep to pass: how it is written, what is measured for it, and whether it held.
// It knows nothing of how a run goes on, nor of what follows from a threshold that was missed.
package threshold

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/puttrix/trafficinator/shared/runsummary"
)

// Threshold is a metric with the bound that it must keep.
type Threshold struct {
	// Expression is the threshold as it was written.
	Expression string
	Metric     string
	op         string
	// limit is a fraction of 1 for a share, seconds for a latency.
	limit   float64
	builtIn bool
}

// Default are the thresholds of a run for which nobody set any: one in which most hits were not accepted is no success.
func Default() []Threshold {
	return []Threshold{{Expression: "error_share<50%", Metric: "error_share", op: "<", limit: .5, builtIn: true}}
}

// CapacityDefault are the thresholds that a capacity search keeps where none are set.
const CapacityDefault = "error_share<1%,p95<1s,achieved_rate>98%"

// The error brake (STOP_ERROR_SHARE) judges the hits that ended within BrakeWindow, once there are BrakeMinHits.
const (
	BrakeWindow  = time.Minute
	BrakeMinHits = 10
)

// operators are what bounds are written with, longer ones first. == is as good as =.
var operators = []string{"<=", ">=", "==", "<", ">", "="}

func (t Threshold) holds(v float64) bool {
	switch order := cmp.Compare(v, t.limit); t.op {
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	case ">=":
		return order >= 0
	default:
		return order == 0
	}
}

// mayCome says that a count of v can still grow into the bound.
func (t Threshold) mayCome(v float64) bool {
	switch t.op {
	case ">", ">=":
		return true
	case "=", "==":
		return v < t.limit
	}
	return false
}

// Evaluate holds each threshold against what was measured. A threshold for which nothing was measured has not held. While
// a run goes on those that it can still come to hold are pending.
func Evaluate(thresholds []Threshold, v Values, ended bool) []runsummary.Verdict {
	verdicts := make([]runsummary.Verdict, len(thresholds))
	for i, t := range thresholds {
		m := metrics[t.Metric]
		verdict := runsummary.Verdict{Expression: t.Expression, Metric: t.Metric, BuiltIn: t.builtIn}
		if n, measured := m.of(v); measured {
			verdict.Value, verdict.Held = &n, t.holds(n)
			verdict.Pending = !ended && !verdict.Held && m.kind == count && t.mayCome(n)
		} else {
			verdict.Held = t.builtIn // it is against lost hits, and none was lost
			verdict.Pending = !ended && !verdict.Held
		}
		verdicts[i] = verdict
	}
	return verdicts
}

// Label is the threshold of a verdict as it was written, with a word where nobody wrote it.
func Label(v runsummary.Verdict) string {
	if v.BuiltIn {
		return v.Expression + " (default)"
	}
	return v.Expression
}

// IsMissed says that a verdict is against the run.
func IsMissed(v runsummary.Verdict) bool { return !v.Held && !v.Pending }

// AllPassed says that no verdict is against the run.
func AllPassed(verdicts []runsummary.Verdict) bool { return !slices.ContainsFunc(verdicts, IsMissed) }

// Result says whether the run has passed; nil where nobody has set a threshold and the built-in one held.
func Result(verdicts []runsummary.Verdict) *bool {
	passed := AllPassed(verdicts)
	if passed && !slices.ContainsFunc(verdicts, func(v runsummary.Verdict) bool { return !v.BuiltIn }) {
		return nil
	}
	return &passed
}

// DescribeMissed tells the verdicts that are against the run, with what was measured; empty where none is.
func DescribeMissed(verdicts []runsummary.Verdict) string {
	var all []string
	for _, v := range verdicts {
		if IsMissed(v) {
			all = append(all, Label(v)+" ("+FormatValue(v)+")")
		}
	}
	return strings.Join(all, ", ")
}
