package threshold

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/puttrix/trafficinator/shared/problem"
)

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
