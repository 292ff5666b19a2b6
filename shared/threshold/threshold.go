// Package threshold owns what a run must keep to pass: how it is written, what is measured for it, and whether it held.
// It knows nothing of how a run goes on, nor of what follows from a threshold that was missed.
package threshold

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/puttrix/trafficinator/shared/problem"
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

// Parse reads thresholds, separated by commas: error_share<1%, p95<800ms, achieved_rate>98%, unknown=0. All faults are
// told at once, under the name of the setting that holds them.
func Parse(key, text string) (thresholds []Threshold, problems problem.List) {
	for expression := range strings.SplitSeq(text, ",") {
		expression = strings.Join(strings.Fields(expression), "")
		if expression == "" {
			continue
		}
		if t, ok := parse(key, expression, &problems); ok {
			thresholds = append(thresholds, t)
		}
	}
	return thresholds, problems
}

func parse(key, expression string, problems *problem.List) (Threshold, bool) {
	at := strings.IndexAny(expression, "<>=")
	if at < 0 {
		problems.Refuse(key, expression, "has no comparison",
			"write a metric, one of < <= > >= =, and a limit: error_share<1%")
		return Threshold{}, false
	}
	t := Threshold{Expression: expression, Metric: expression[:at]}
	bound := expression[at:]
	for _, op := range operators {
		if strings.HasPrefix(bound, op) {
			t.op, bound = op, bound[len(op):]
			break
		}
	}
	m, known := metrics[t.Metric]
	if !known {
		problems.Refuse(key, expression, strconv.Quote(t.Metric)+" is not a metric",
			"use one of "+strings.Join(Metrics(), ", "))
		return Threshold{}, false
	}
	var ok bool
	if t.limit, ok = forms[m.kind].read(bound); !ok {
		problems.Refuse(key, expression, strconv.Quote(bound)+" is not a limit for "+t.Metric, forms[m.kind].cure)
	}
	return t, ok
}

// forms are how the bounds of each kind are written.
var forms = map[kind]struct {
	read func(string) (float64, bool)
	cure string
}{
	share:   {readShare, "write 1% or 0.01, at most 100%"},
	latency: {readLatency, "write 800ms or 0.8s"},
	rate: {func(s string) (float64, bool) {
		return readNumber(strings.TrimSuffix(s, "/s"))
	}, "write accepted hits per second: 250"},
	count: {readCount, "write a whole number"},
}

// readShare takes a bare number for a fraction only where it can be nothing else: 1 might be meant as one percent.
func readShare(s string) (float64, bool) {
	if percent, found := strings.CutSuffix(s, "%"); found {
		n, ok := readNumber(percent)
		return n / 100, ok && n <= 100
	}
	n, ok := readNumber(s)
	return n, ok && n < 1
}

func readLatency(s string) (float64, bool) {
	d, err := time.ParseDuration(s)
	return d.Seconds(), err == nil && d > 0
}

func readCount(s string) (float64, bool) {
	n, ok := readNumber(s)
	return n, ok && n == math.Trunc(n)
}

func readNumber(s string) (float64, bool) {
	n, err := strconv.ParseFloat(s, 64)
	return n, err == nil && n >= 0 && !math.IsInf(n, 1)
}
