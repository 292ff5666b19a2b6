package export

import (
	"fmt"
	"strings"
	"time"

	"github.com/puttrix/trafficinator/shared/outcome"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

// timelines are the charts of what happened when.
func timelines(series []Point, zone *time.Location) []chart {
	columns := columnsOf(series)
	if len(columns) == 0 {
		return nil
	}
	c := clockOf(columns, zone)
	return []chart{hitsOver(c, columns), latencyOver(c, columns), visitsOver(c, columns)}
}

// hitsOver stacks the outcomes, the accepted lowest.
func hitsOver(c clock, columns []column) chart {
	rate := func(of func(runsummary.Hits) uint64) func(column) (float64, bool) {
		return func(col column) (float64, bool) { return float64(of(col.hits)) / col.seconds(), true }
	}
	var total runsummary.Hits
	highest := 0.
	for _, col := range columns {
		total = total.Plus(col.hits)
		top, _ := rate(runsummary.Hits.Tried)(col)
		highest = max(highest, top)
	}
	a := axisFor(highest)
	out := chart{
		ID: "hits", Title: "Hits per second", Up: a.labels(Number), Along: c.labels(),
		Label: fmt.Sprintf("Hits per second by outcome over %s, peak %s", span(c.span), Number(highest)),
	}
	shown := outcome.All()[:outcome.Abandoned] // what was abandoned did not end at a moment of its own
	// Each area reaches down to the axis, so that the highest stack is drawn first and the next one over it.
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
	kinds := []struct {
		name string
		of   func(runsummary.Latency) float64
	}{
		{"p99", func(l runsummary.Latency) float64 { return l.P99 }},
		{"p95", func(l runsummary.Latency) float64 { return l.P95 }},
		{"p50", func(l runsummary.Latency) float64 { return l.P50 }},
	}
	highest := 0.
	for _, col := range columns {
		highest = max(highest, col.latency.P99)
	}
	a := axisFor(highest)
	text := latencyAxis(a)
	out := chart{
		ID: "latency", Half: true, Title: "Latency", Up: a.labels(text), Along: c.labels(),
		Label: fmt.Sprintf("Latency percentiles over %s, p99 up to %s", span(c.span), Latency(highest)),
		Note:  "from when a hit was due to its response",
	}
	for _, k := range kinds {
		worst := 0.
		for _, col := range columns {
			worst = max(worst, k.of(col.latency))
		}
		out.Shapes = append(out.Shapes,
			shape{"line " + k.name, line(c.runs(a, columns, func(col column) (float64, bool) {
				v := k.of(col.latency)
				return v, v > 0
			}))})
		out.Legend = append(out.Legend, entry{k.name, k.name, "max " + Latency(worst)})
	}
	out.Bands = c.bands(columns, func(col column) string {
		if col.latency.P50 == 0 {
			return "no responses"
		}
		return fmt.Sprintf("p50 %s\np95 %s\np99 %s", Latency(col.latency.P50), Latency(col.latency.P95),
			Latency(col.latency.P99))
	})
	return out
}

// latencyAxis tells all labels of an axis in one unit.
func latencyAxis(a axis) func(float64) string {
	if a.top() < 2 {
		return func(v float64) string { return Number(1000*v) + " ms" }
	}
	return func(v float64) string { return Number(v) + " s" }
}

func visitsOver(c clock, columns []column) chart {
	rate := func(col column) (float64, bool) { return float64(col.visits) / col.seconds(), true }
	highest, visits := 0., uint64(0)
	for _, col := range columns {
		v, _ := rate(col)
		highest = max(highest, v)
		visits += col.visits
	}
	a := axisFor(highest)
	runs := c.runs(a, columns, rate)
	return chart{
		ID: "visits", Title: "Visits started per second", Up: a.labels(Number), Along: c.labels(),
		Label:  fmt.Sprintf("Visits started per second over %s, peak %s", span(c.span), Number(highest)),
		Shapes: []shape{{"area visits", area(runs)}, {"line visits", line(runs)}},
		Legend: []entry{{"visits", "started",
			fmt.Sprintf("mean %s/s, peak %s/s", Number(float64(visits)/covered(columns)), Number(highest))}},
		Bands: c.bands(columns, func(col column) string { v, _ := rate(col); return Number(v) + " visits/s" }),
	}
}

// covered is how many seconds the columns know something of.
func covered(columns []column) float64 {
	seconds := 0.
	for _, col := range columns {
		seconds += col.seconds()
	}
	return seconds
}

// maxColumns is how fine a chart is: more cannot be told apart on paper.
const maxColumns = 240

// column is one or more points of a series, drawn as one.
type column struct {
	from, to time.Time
	hits     runsummary.Hits
	visits   uint64
	// latency has the highest percentiles of its points: those of all their hits are not known.
	latency runsummary.Latency
	// apart says that nothing is known of the time before.
	apart bool
}

func (c column) seconds() float64 { return c.to.Sub(c.from).Seconds() }

// columnsOf joins points until there are at most maxColumns.
func columnsOf(series []Point) []column {
	if len(series) == 0 {
		return nil
	}
	last := series[len(series)-1]
	width := last.At.Add(last.Length).Sub(series[0].At) / maxColumns
	var columns []column
	for _, p := range series {
		if p.Length <= 0 {
			continue
		}
		if n := len(columns); n > 0 {
			c := &columns[n-1]
			gap := p.At.Sub(c.to)
			if c.to.Sub(c.from) < width && gap < p.Length {
				c.add(p)
				continue
			}
			columns = append(columns, column{from: p.At, apart: gap >= p.Length})
		} else {
			columns = append(columns, column{from: p.At})
		}
		columns[len(columns)-1].add(p)
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
