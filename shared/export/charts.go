package export

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/puttrix/trafficinator/shared/outcome"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

func timelines(series []Point, zone *time.Location) []chart {
	columns := columnsOf(series)
	if len(columns) == 0 {
		return nil
	}
	c := clockOf(columns, zone)
	return []chart{hitsOver(c, columns), latencyOver(c, columns), visitsOver(c, columns)}
}

func hitsOver(c clock, columns []column) chart {
	rate := func(of func(runsummary.Hits) uint64) func(column) (float64, bool) {
		return func(col column) (float64, bool) { return float64(of(col.hits)) / col.seconds(), true }
	}
	var total runsummary.Hits
	for _, col := range columns {
		total = total.Plus(col.hits)
	}
	peak := highest(columns, func(c column) float64 { return float64(c.hits.Tried()) / c.seconds() })
	a := axisFor(peak)
	out := chart{
		ID: "hits", Title: "Hits per second", Up: a.labels(Number), Along: c.labels(),
		Label: fmt.Sprintf("Hits per second by outcome over %s, peak %s", span(c.span), Number(peak)),
	}
	shown := outcome.All()[:outcome.Abandoned] // abandoned hits have no time of their own
	// Each area reaches down to the axis, so the highest stack is drawn first and the next one over it.
	for n := len(shown); n > 0; n-- {
		o := shown[n-1]
		if total.Of(o) == 0 && o != outcome.Accepted {
			continue
		}
		stack := func(h runsummary.Hits) (height uint64) {
			for _, o := range shown[:n] {
				height += h.Of(o)
			}
			return height
		}
		runs := c.runs(a, columns, rate(stack))
		out.Shapes = append(out.Shapes, shape{"area " + o.String(), area(runs)})
		if o == outcome.Accepted {
			out.Shapes = append(out.Shapes, shape{"line " + o.String(), line(runs)})
		}
	}
	for _, o := range shown {
		if n := total.Of(o); n > 0 || o == outcome.Accepted {
			out.Legend = append(out.Legend,
				entry{o.String(), o.String(), "mean " + Number(float64(n)/covered(columns)) + "/s"})
		}
	}
	out.Bands = c.bands(columns, func(col column) string {
		var lines []string
		for _, o := range shown {
			if n := col.hits.Of(o); n > 0 || o == outcome.Accepted {
				lines = append(lines, o.String()+" "+Number(float64(n)/col.seconds())+"/s")
			}
		}
		return strings.Join(lines, "\n")
	})
	return out
}

func latencyOver(c clock, columns []column) chart {
	slowest := highest(columns, func(c column) float64 { return c.latency.P99 })
	a := axisFor(slowest)
	out := chart{
		ID: "latency", Half: true, Title: "Latency", Up: a.labels(latencyAxis(a)), Along: c.labels(),
		Label: fmt.Sprintf("Latency percentiles over %s, p99 up to %s", span(c.span), Latency(slowest)),
		Note:  "from when a hit was due to its response",
		Bands: c.bands(columns, func(col column) string {
			if col.latency.P50 == 0 {
				return "no responses"
			}
			return fmt.Sprintf("p50 %s\np95 %s\np99 %s", Latency(col.latency.P50), Latency(col.latency.P95),
				Latency(col.latency.P99))
		}),
	}
	for _, k := range []struct {
		name string
		of   func(column) float64
	}{
		{"p99", func(c column) float64 { return c.latency.P99 }},
		{"p95", func(c column) float64 { return c.latency.P95 }},
		{"p50", func(c column) float64 { return c.latency.P50 }},
	} {
		runs := c.runs(a, columns, func(c column) (float64, bool) { return k.of(c), k.of(c) > 0 })
		out.Shapes = append(out.Shapes, shape{"line " + k.name, line(runs)})
		out.Legend = append(out.Legend, entry{k.name, k.name, "max " + Latency(highest(columns, k.of))})
	}
	return out
}

func latencyAxis(a axis) func(float64) string {
	if a.top() < 2 {
		return func(v float64) string { return Number(1000*v) + " ms" }
	}
	return func(v float64) string { return Number(v) + " s" }
}

func visitsOver(c clock, columns []column) chart {
	rate := func(col column) float64 { return float64(col.visits) / col.seconds() }
	visits := uint64(0)
	for _, col := range columns {
		visits += col.visits
	}
	peak := highest(columns, rate)
	a := axisFor(peak)
	runs := c.runs(a, columns, func(col column) (float64, bool) { return rate(col), true })
	return chart{
		ID: "visits", Title: "Visits started per second", Up: a.labels(Number), Along: c.labels(),
		Label:  fmt.Sprintf("Visits started per second over %s, peak %s", span(c.span), Number(peak)),
		Shapes: []shape{{"area visits", area(runs)}, {"line visits", line(runs)}},
		Legend: []entry{{"visits", "started",
			fmt.Sprintf("mean %s/s, peak %s/s", Number(float64(visits)/covered(columns)), Number(peak))}},
		Bands: c.bands(columns, func(col column) string { return Number(rate(col)) + " visits/s" }),
	}
}

func covered(columns []column) float64 {
	seconds := 0.
	for _, col := range columns {
		seconds += col.seconds()
	}
	return seconds
}

// maxColumns is the resolution of a chart: paper shows no more.
const maxColumns = 240

// column is one or more points of a series, drawn as one.
type column struct {
	from, to time.Time
	hits     runsummary.Hits
	visits   uint64
	// latency has the highest percentiles of its points; those of all their hits are not known.
	latency  runsummary.Latency
	afterGap bool // means that the time before is not covered
}

func (c column) seconds() float64 { return c.to.Sub(c.from).Seconds() }

// columnsOf joins points until there are at most maxColumns.
func columnsOf(series []Point) (columns []column) {
	if len(series) == 0 {
		return nil
	}
	last := series[len(series)-1]
	width := last.At.Add(last.Length).Sub(series[0].At) / maxColumns
	for _, p := range series {
		if p.Length <= 0 {
			continue
		}
		next := column{from: p.At}
		if n := len(columns); n > 0 {
			c := &columns[n-1]
			next.afterGap = p.At.Sub(c.to) >= p.Length
			if c.to.Sub(c.from) < width && !next.afterGap {
				c.add(p)
				continue
			}
		}
		next.add(p)
		columns = append(columns, next)
	}
	return columns
}

func (c *column) add(p Point) {
	c.to = p.At.Add(p.Length)
	c.visits += p.Visits
	c.hits = c.hits.Plus(p.Hits)
	l := &c.latency
	l.P50, l.P95, l.P99 = max(l.P50, p.Latency.P50), max(l.P95, p.Latency.P95), max(l.P99, p.Latency.P99)
}

// curves are the charts of what was measured at each rate, without void steps.
func curves(all []runsummary.CapacityStep) []chart {
	steps := slices.DeleteFunc(slices.Clone(all), func(s runsummary.CapacityStep) bool { return s.Void != "" })
	slices.SortStableFunc(steps, func(a, b runsummary.CapacityStep) int {
		return cmp.Compare(a.OfferedVisitRate, b.OfferedVisitRate)
	})
	if len(steps) == 0 {
		return nil
	}
	return []chart{
		curve("capacity-rate", "Accepted hits per second", steps,
			func(s runsummary.CapacityStep) float64 { return s.HitRate },
			func(axis) func(float64) string { return Number }),
		curve("capacity-latency", "Latency p95", steps,
			func(s runsummary.CapacityStep) float64 { return s.Latency.P95 }, latencyAxis),
	}
}

// curve draws a value over the offered rate, with dots for the steps that passed and those that failed.
func curve(id, title string, steps []runsummary.CapacityStep, value func(runsummary.CapacityStep) float64,
	format func(axis) func(float64) string) chart {
	lowest, top := steps[0].OfferedVisitRate, steps[len(steps)-1].OfferedVisitRate
	across, up := axisFor(top), axisFor(highest(steps, value))
	var all, held, broke []spot
	for _, s := range steps {
		at := spot{fieldWidth * s.OfferedVisitRate / across.top(), up.y(value(s))}
		all = append(all, at)
		if s.Held {
			held = append(held, at)
		} else {
			broke = append(broke, at)
		}
	}
	along := across.labels(Number)
	slices.Reverse(along)
	return chart{
		ID: id, Title: title, Note: "by offered visits per second", Half: true, Up: up.labels(format(up)), Along: along,
		Label:  fmt.Sprintf("%s over %s to %s visits per second", title, Number(lowest), Number(top)),
		Shapes: []shape{{"line steps", line([][]spot{all})}, {"dots held", dots(held)}, {"dots broke", dots(broke)}},
		Legend: []entry{{"held", "passed", ""}, {"broke", "failed", ""}},
	}
}

// nines is the reach of the percentile axis: each quarter adds a nine.
const nines = 4

// distribution is the chart of latency by percentile, with an axis that stretches the slowest hits.
func distribution(s *runsummary.Summary) (chart, bool) {
	h := s.Latencies()
	if h == nil {
		return chart{}, false
	}
	at := func(percentile float64) float64 { return float64(h.ValueAtPercentile(percentile)) / 1e6 }
	a := axisFor(at(percentileAt(1)))
	var spots []spot
	for i := range maxColumns + 1 {
		x := float64(i) / maxColumns
		spots = append(spots, spot{fieldWidth * x, a.y(at(percentileAt(x)))})
	}
	c := chart{
		ID: "distribution", Title: "Latency by percentile", Half: true,
		Note: fmt.Sprintf("of %s answered hits", Count(uint64(h.TotalCount()))),
		Label: fmt.Sprintf("Latency by percentile: half of the hits within %s, the slowest in %s", Latency(at(50)),
			Latency(float64(h.Max())/1e6)),
		Up: a.labels(latencyAxis(a)), Along: []string{"0 %", "90 %", "99 %", "99.9 %", "99.99 %"},
		Shapes: []shape{{"area visits", area([][]spot{spots})}, {"line visits", line([][]spot{spots})}},
	}
	const bands = maxColumns / 4
	for i := range bands {
		p := percentileAt(float64(i+1) / bands)
		c.Bands = append(c.Bands, band{
			place(fieldWidth * float64(i) / bands), place(fieldWidth / float64(bands)),
			fmt.Sprintf("%.4g %% of the hits within %s", p, Latency(at(p))),
		})
	}
	for _, p := range []float64{50, 90, 95, 99, 99.9} {
		c.Legend = append(c.Legend, entry{"visits", fmt.Sprintf("p%g", p), Latency(at(p))})
	}
	c.Legend = append(c.Legend, entry{"visits", "slowest", Latency(float64(h.Max()) / 1e6)})
	return c, true
}

func percentileAt(x float64) float64 { return 100 * (1 - math.Pow(10, -nines*x)) }
