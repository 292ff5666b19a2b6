package preview

import (
	"context"
	"time"

	"github.com/puttrix/trafficinator/shared/profile"
	"github.com/puttrix/trafficinator/shared/spec"
)

// Drawing is the arrival rate over time.
type Drawing struct {
	Kind    profile.Kind `json:"kind" enum:"constant,stages,week"`
	From    time.Time    `json:"from" doc:"Start of the points: Monday 0:00 in TIMEZONE for a week, otherwise now."`
	Points  []Point      `json:"points" doc:"To be joined by straight lines; two at the same time are a step."`
	Window  float64      `json:"window_seconds" doc:"Time that the points cover."`
	Planned uint64       `json:"planned_visits" doc:"Visits of that time, by the exact integral."`
	Ends    *float64     `json:"ends_after_seconds" doc:"When the profile itself ends the run; null for never."`
}

// Point is the rate at a time.
type Point struct {
	At   float64 `json:"at_seconds"`
	Rate float64 `json:"rate_per_day" doc:"Visits a day."`
}

// Profile returns the load profile of the saved settings with overrides: a week, all stages, or a day of a constant
// rate. The error is a problem.List if the settings are invalid.
func (v *Preview) Profile(ctx context.Context, overrides map[string]any, now time.Time) (Drawing, error) {
	s, _, err := v.drafts.Draft(ctx, overrides, nil)
	if err != nil {
		return Drawing{}, err
	}
	k, problems := spec.Parse(s.Settings, nil)
	if err := problems.Err(); err != nil {
		return Drawing{}, err
	}
	load, problems := k.Profile()
	if err := problems.Err(); err != nil {
		return Drawing{}, err
	}
	d := Drawing{Kind: load.Kind(), From: now}
	if ends := load.Length().Seconds(); ends > 0 {
		d.Ends = &ends
	}
	to := now.AddDate(0, 0, 1)
	switch d.Kind {
	case profile.Week:
		zone := k.Timezone.Location()
		local := now.In(zone)
		d.From = time.Date(local.Year(), local.Month(), local.Day()-(int(local.Weekday())+6)%7, 0, 0, 0, 0, zone)
		to = d.From.AddDate(0, 0, 7)
	case profile.Stages:
		to = now.Add(load.Length())
	}
	d.Window = to.Sub(d.From).Seconds()
	d.Planned = profile.Count(load.Integral(d.From, d.From, to))
	for piece := range load.Pieces(d.From, d.From, to) {
		d.add(Point{piece.From.Sub(d.From).Seconds(), piece.StartRate})
		d.add(Point{piece.To.Sub(d.From).Seconds(), piece.EndRate})
	}
	return d, nil
}

// add adds a point, and removes one that lies on the line between its neighbors.
func (d *Drawing) add(p Point) {
	n := len(d.Points)
	switch {
	case n > 0 && d.Points[n-1] == p:
	case n > 1 && d.Points[n-1].Rate == p.Rate && d.Points[n-2].Rate == p.Rate:
		d.Points[n-1] = p
	default:
		d.Points = append(d.Points, p)
	}
}
