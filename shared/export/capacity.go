package export

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/puttrix/trafficinator/shared/runsummary"
	"github.com/puttrix/trafficinator/shared/threshold"
)

// answer is what a capacity search found, in words.
func answer(c *runsummary.Capacity) (found, limit string) {
	if c.BrokenRate > 0 {
		limit = "limit reached at " + Number(c.BrokenRate) + " visits/s: " + threshold.DescribeMissed(c.Limit)
	} else {
		limit = "no higher rate was tried"
	}
	switch {
	case c.Void != "" && c.VisitRate == 0:
		return "no result", "search aborted: " + c.Void
	case c.Void != "":
		return fmt.Sprintf("at least %s visits/s (%s hits/s)", Number(c.VisitRate), Number(c.HitRate)),
			"search aborted: " + c.Void
	case c.VisitRate == 0 && c.BrokenRate > 0:
		return "below the lowest rate", limit
	case c.VisitRate == 0:
		return "the search ended before its first step", ""
	case !c.Confirmed:
		return fmt.Sprintf("at least %s visits/s (%s hits/s), not confirmed over a minute", Number(c.VisitRate),
			Number(c.HitRate)), limit
	}
	return fmt.Sprintf("%s visits/s (%s hits/s)", Number(c.VisitRate), Number(c.HitRate)), limit
}

// curves draw what was measured at each rate that was tried, without what is void.
func curves(c *runsummary.Capacity) []chart {
	steps := slices.DeleteFunc(slices.Clone(c.Steps), func(s runsummary.CapacityStep) bool { return s.Void != "" })
	slices.SortStableFunc(steps, func(a, b runsummary.CapacityStep) int {
		return cmp.Compare(a.OfferedVisitRate, b.OfferedVisitRate)
	})
	if len(steps) == 0 {
		return nil
	}
	rates := chart{ID: "capacity-rate", Title: "Accepted hits per second", Note: "by offered visits per second"}
	slow := chart{ID: "capacity-latency", Title: "Latency p95", Note: "by offered visits per second"}
	var highest runsummary.CapacityStep
	for _, s := range steps {
		highest.HitRate = max(highest.HitRate, s.HitRate)
		highest.Latency.P95 = max(highest.Latency.P95, s.Latency.P95)
	}
	across := axisFor(steps[len(steps)-1].OfferedVisitRate)
	hits, seconds := axisFor(highest.HitRate), axisFor(highest.Latency.P95)
	rates.Up, slow.Up = hits.labels(Number), seconds.labels(latencyAxis(seconds))
	rates.curve(steps, across, hits, func(s runsummary.CapacityStep) float64 { return s.HitRate })
	slow.curve(steps, across, seconds, func(s runsummary.CapacityStep) float64 { return s.Latency.P95 })
	return []chart{rates, slow}
}

// curve draws a value over the rate of the steps, with those that held and those that broke told apart.
func (c *chart) curve(steps []runsummary.CapacityStep, across, up axis, value func(runsummary.CapacityStep) float64) {
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
	c.Half = true
	c.Along = across.labels(Number)
	slices.Reverse(c.Along)
	c.Label = fmt.Sprintf("%s over %s to %s visits per second", c.Title, Number(steps[0].OfferedVisitRate),
		Number(steps[len(steps)-1].OfferedVisitRate))
	c.Shapes = []shape{{"line steps", line([][]spot{all})}, {"dots held", dots(held)}, {"dots broke", dots(broke)}}
	c.Legend = []entry{{"held", "passed", ""}, {"broke", "failed", ""}}
}

// nines is how far the axis of percentiles reaches: each quarter of it has another nine.
const nines = 4

// distribution draws the latency of each percentile, over an axis that stretches the slowest hits as they matter.
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

// percentileAt is the percentile at x of the axis, from 0 to 1.
func percentileAt(x float64) float64 { return 100 * (1 - math.Pow(10, -nines*x)) }

// day is one of a backfill, with a bar in the proportion of the busiest.
type day struct {
	runsummary.BackfillDay
	Bar []Part
}

func daysOf(b *runsummary.Backfill) []day {
	var busiest uint64
	for _, d := range b.Days {
		busiest = max(busiest, d.Planned)
	}
	days := make([]day, 0, len(b.Days))
	for _, d := range b.Days {
		var bar []Part
		x := uint64(0)
		for _, p := range []struct {
			class string
			n     uint64
		}{{"accepted", d.Sent}, {"unknown", d.Unknown}, {"rejected", d.Rejected}, {"unsent", d.Unsent}} {
			if p.n > 0 {
				bar = append(bar, Part{p.class, length(x, busiest), length(p.n, busiest)})
				x += p.n
			}
		}
		days = append(days, day{d, bar})
	}
	return days
}
