package export

import (
	"cmp"
	"fmt"
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
