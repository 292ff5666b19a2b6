package export

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/puttrix/trafficinator/shared/runsummary"
)

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

// percentileAt is the percentile at x of the axis, from 0 to 1.
func percentileAt(x float64) float64 { return 100 * (1 - math.Pow(10, -nines*x)) }
