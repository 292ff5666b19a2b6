package threshold

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/puttrix/trafficinator/shared/outcome"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

// Values are what thresholds are judged by: of a whole run so far, or of a part of one.
type Values struct {
	Hits   runsummary.Hits
	Visits runsummary.Visits
	// Due is how many visits the schedule had begin by then.
	Due     uint64
	Latency runsummary.Latency
	// Elapsed is how long it took.
	Elapsed time.Duration
	// Standstill sums the standstills of the loadgen meanwhile: their time, and what fell due in them, is in no share or
	// rate.
	Standstill runsummary.Standstill
}

// ValuesOf are the values of a whole run, as they stand.
func ValuesOf(s *runsummary.Summary) Values {
	return Values{Hits: s.Hits, Visits: s.Visits, Due: s.Due, Latency: s.Latency, Elapsed: s.Duration(),
		Standstill: s.TotalStandstill()}
}

// awakeHits are the hits without those that fell due in standstills.
func (v Values) awakeHits() runsummary.Hits {
	v.Hits.Shed -= min(v.Standstill.Hits, v.Hits.Shed)
	return v.Hits
}

// awake is for how many seconds the loadgen ran.
func (v Values) awake() float64 { return v.Elapsed.Seconds() - v.Standstill.Seconds }

// kind is how the values of a metric are written.
type kind int

const (
	share kind = iota // a fraction of 1
	count             // it only grows
	latency
	rate // per second
)

// metric takes its value from what was measured; measured is false where there was nothing to measure.
type metric struct {
	kind kind
	of   func(Values) (value float64, measured bool)
}

// metrics are all that a threshold can be about, by name. Shares are of the hits that ended, the abandoned apart:
// those were not sent because the run was stopped, and those that fell due while the loadgen stood still.
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

// Metrics are the names of all metrics, sorted.
func Metrics() []string { return slices.Sorted(maps.Keys(metrics)) }

// FormatValue is the value of a verdict for people: 1.25 %, 812 ms, 298.1 hits/s, 17, or that nothing was measured.
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

// digits has the given number of significant digits, and all digits before the point.
func digits(n float64, significant int) string {
	if rounded := strconv.FormatFloat(n, 'f', 0, 64); len(rounded) >= significant {
		return rounded
	}
	short, _ := strconv.ParseFloat(strconv.FormatFloat(n, 'g', significant, 64), 64) // it reads what it wrote
	return strconv.FormatFloat(short, 'f', -1, 64)
}
