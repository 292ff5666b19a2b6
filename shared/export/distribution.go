package export

import (
	"fmt"
	"math"

	"github.com/puttrix/trafficinator/shared/runsummary"
)

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
