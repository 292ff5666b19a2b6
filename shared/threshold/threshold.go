// Package threshold owns the conditions that a run must meet to pass: their notation, their metrics, and their results.
package threshold

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/puttrix/trafficinator/shared/outcome"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

// Threshold is a condition for a metric.
type Threshold struct {
	Expression string // the threshold as it was written
	Metric     string
	op         string
	limit      float64 // a fraction of 1 for a share, seconds for a latency
	builtIn    bool
}

// Default returns the thresholds of a run without any: most hits must be accepted.
func Default() []Threshold {
	return []Threshold{{Expression: "error_share<50%", Metric: "error_share", op: "<", limit: .5, builtIn: true}}
}

// CapacityDefault are the default thresholds of a capacity search.
const CapacityDefault = "error_share<1%,p95<1s,achieved_rate>98%"

// The error brake (STOP_ERROR_SHARE) judges the hits that ended within BrakeWindow, once there are BrakeMinHits.
const (
	BrakeWindow  = time.Minute
	BrakeMinHits = 10
)

// operators are in the order of matching; == means =.
var operators = []string{"<=", ">=", "==", "<", ">", "="}

// holds reports whether the operator has the character of the order of v and the limit.
func (t Threshold) holds(v float64) bool {
	return strings.Contains(t.op, string("<=>"[cmp.Compare(v, t.limit)+1]))
}

// mayCome reports whether a count of v that does not hold yet may do so as it grows.
func (t Threshold) mayCome(v float64) bool { return t.op[0] != '<' && v <= t.limit }

// Evaluate judges values. Without a value, a threshold has failed; during a run, it is pending while it may pass.
func Evaluate(thresholds []Threshold, v Values, ended bool) []runsummary.Verdict {
	verdicts := make([]runsummary.Verdict, len(thresholds))
	for i, t := range thresholds {
		m := metrics[t.Metric]
		verdict := runsummary.Verdict{Expression: t.Expression, Metric: t.Metric, BuiltIn: t.builtIn}
		if n, measured := m.of(v); measured {
			verdict.Value, verdict.Held = &n, t.holds(n)
			verdict.Pending = !ended && !verdict.Held && m.kind == count && t.mayCome(n)
		} else {
			verdict.Held = t.builtIn // no hit was lost
			verdict.Pending = !ended && !verdict.Held
		}
		verdicts[i] = verdict
	}
	return verdicts
}

// Label returns the threshold as written, marked if it is the default.
func Label(v runsummary.Verdict) string {
	if v.BuiltIn {
		return v.Expression + " (default)"
	}
	return v.Expression
}

// IsMissed reports that a threshold has failed.
func IsMissed(v runsummary.Verdict) bool { return !v.Held && !v.Pending }

// AllPassed reports that no threshold has failed.
func AllPassed(verdicts []runsummary.Verdict) bool { return !slices.ContainsFunc(verdicts, IsMissed) }

// Result reports whether the run has passed; nil if no threshold was set and the default one passed.
func Result(verdicts []runsummary.Verdict) *bool {
	passed := AllPassed(verdicts)
	if passed && !slices.ContainsFunc(verdicts, func(v runsummary.Verdict) bool { return !v.BuiltIn }) {
		return nil
	}
	return &passed
}

// DescribeMissed lists the failed thresholds with their values.
func DescribeMissed(verdicts []runsummary.Verdict) string {
	var all []string
	for _, v := range verdicts {
		if IsMissed(v) {
			all = append(all, Label(v)+" ("+FormatValue(v)+")")
		}
	}
	return strings.Join(all, ", ")
}

// Parse parses thresholds: error_share<1%, p95<800ms, achieved_rate>98%, unknown=0. Problems name the setting key.
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

// forms are the notations of limits.
var forms = map[kind]struct {
	read func(string) (float64, bool)
	cure string
}{
	share:   {readShare, "write 1% or 0.01, at most 100%"},
	latency: {readLatency, "write 800ms or 0.8s"},
	rate: {func(s string) (float64, bool) { return readNumber(strings.TrimSuffix(s, "/s")) },
		"write accepted hits per second: 250"},
	count: {readCount, "write a whole number"},
}

// readShare only accepts a number without % below 1: 1 might be meant as one percent.
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

// Values are the measurements that thresholds are judged by, of a run or a part of it.
type Values struct {
	Hits    runsummary.Hits
	Visits  runsummary.Visits
	Due     uint64 // visits due by the schedule
	Latency runsummary.Latency
	Elapsed time.Duration // how long it took
	// Standstill sums the standstills of the loadgen: no share or rate includes them.
	Standstill runsummary.Standstill
}

// ValuesOf returns the values of a run.
func ValuesOf(s *runsummary.Summary) Values {
	return Values{Hits: s.Hits, Visits: s.Visits, Due: s.Due, Latency: s.Latency, Elapsed: s.Duration(),
		Standstill: s.TotalStandstill()}
}

// awakeHits are the hits that were not due in standstills.
func (v Values) awakeHits() runsummary.Hits {
	v.Hits.Shed -= min(v.Standstill.Hits, v.Hits.Shed)
	return v.Hits
}

func (v Values) awake() float64 { return v.Elapsed.Seconds() - v.Standstill.Seconds }

// kind is the notation of a metric's values.
type kind int

const (
	share kind = iota // a fraction of 1
	count             // it only grows
	latency
	rate // per second
)

// metric computes its value; measured is false if there was nothing to measure.
type metric struct {
	kind kind
	of   func(Values) (value float64, measured bool)
}

// metrics are all metrics by name. Shares exclude hits that were abandoned or due in a standstill.
var metrics = func() map[string]metric {
	m := map[string]metric{
		"error_share": {share, func(v Values) (float64, bool) {
			return ratio(v.awakeHits().NotAccepted(), v.awakeHits().Tried())
		}},
		"achieved_rate": {share, func(v Values) (float64, bool) {
			return ratio(v.Visits.Planned-min(v.Visits.Unsent, v.Visits.Planned), v.Due-min(v.Standstill.Visits, v.Due))
		}},
		"visits": {count, func(v Values) (float64, bool) { return float64(v.Visits.Planned), true }},
		"hit_rate": {rate, func(v Values) (float64, bool) {
			return float64(v.Hits.Accepted) / v.awake(), v.awake() > 0
		}},
		"p50": {latency, func(v Values) (float64, bool) { return v.Latency.P50, v.Latency.P50 > 0 }},
		"p95": {latency, func(v Values) (float64, bool) { return v.Latency.P95, v.Latency.P95 > 0 }},
		"p99": {latency, func(v Values) (float64, bool) { return v.Latency.P99, v.Latency.P99 > 0 }},
	}
	for _, o := range outcome.All() {
		m[o.String()] = metric{count, func(v Values) (float64, bool) { return float64(v.Hits.Of(o)), true }}
		if o != outcome.Abandoned {
			m[o.String()+"_share"] = metric{share, func(v Values) (float64, bool) {
				return ratio(v.awakeHits().Of(o), v.awakeHits().Tried())
			}}
		}
	}
	return m
}()

func ratio(part, whole uint64) (float64, bool) {
	if whole == 0 {
		return 0, false
	}
	return float64(part) / float64(whole), true
}

// Metrics returns the names of all metrics, sorted.
func Metrics() []string { return slices.Sorted(maps.Keys(metrics)) }

// FormatValue formats the value of a verdict: 1.25 %, 812 ms, 298.1 hits/s, 17, or "not measured".
func FormatValue(v runsummary.Verdict) string {
	if v.Value == nil {
		return "not measured"
	}
	switch n := *v.Value; metrics[v.Metric].kind {
	case share:
		return digits(100*n, 4) + " %"
	case latency:
		if n < 1 {
			return digits(1000*n, 4) + " ms"
		}
		return digits(n, 4) + " s"
	case rate:
		return digits(n, 4) + " hits/s"
	default:
		return fmt.Sprintf("%.0f", n)
	}
}

// digits has the given number of significant digits, or all digits before the point.
func digits(n float64, significant int) string {
	if rounded := strconv.FormatFloat(n, 'f', 0, 64); len(rounded) >= significant {
		return rounded
	}
	short, _ := strconv.ParseFloat(strconv.FormatFloat(n, 'g', significant, 64), 64) // its own notation
	return strconv.FormatFloat(short, 'f', -1, 64)
}
