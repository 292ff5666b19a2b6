package export

import (
	"time"

	"github.com/puttrix/trafficinator/shared/runsummary"
)

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
