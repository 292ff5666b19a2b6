package preview

import (
	"context"
	"time"

	"github.com/puttrix/trafficinator/shared/profile"
	"github.com/puttrix/trafficinator/shared/spec"
)

// Drawing is how the rate changes with time.
type Drawing struct {
	Kind profile.Kind
	// From is when the points begin: the Monday of this week where a week is drawn, else now.
	From time.Time
	// Points are to be joined by straight lines; two of one moment are a step.
	Points []Point
	// Window is how much time the points cover, Planned how many visits that time has.
	Window  time.Duration
	Planned uint64
	// Ends is how long after its start the profile ends the run; 0 is never.
	Ends time.Duration
}

// Point is the rate at a moment, in visits per 24 hours.
type Point struct {
	At   time.Duration
	Rate float64
}

// drawnDays is how much of a constant rate is drawn.
const drawnDays = 1

// Profile draws the load of the saved settings with overrides laid over them: a week, all stages, or a day of a
// constant rate. The error is a problem.List where the settings have faults.
func (v *Preview) Profile(ctx context.Context, overrides map[string]any, now time.Time) (Drawing, error) {
	s, _, err := v.drafts.Draft(ctx, overrides, nil)
	if err != nil {
		return Drawing{}, err
	}
	k, problems := spec.Parse(s.Knobs, nil)
	if err := problems.Err(); err != nil {
		return Drawing{}, err
	}
	load, problems := k.Profile()
	if err := problems.Err(); err != nil {
		return Drawing{}, err
	}
	d := Drawing{Kind: load.Kind(), From: now, Ends: load.Length()}
	to := now.AddDate(0, 0, drawnDays)
	switch d.Kind {
	case profile.Week:
		zone := k.Timezone.Location()
		local := now.In(zone)
		d.From = time.Date(local.Year(), local.Month(), local.Day()-(int(local.Weekday())+6)%7, 0, 0, 0, 0, zone)
		to = d.From.AddDate(0, 0, 7)
	case profile.Stages:
		to = now.Add(load.Length())
	}
	d.Window = to.Sub(d.From)
	d.Planned = profile.Count(load.Integral(d.From, d.From, to))
	for piece := range load.Pieces(d.From, d.From, to) {
		d.add(Point{piece.From.Sub(d.From), piece.Begin})
		d.add(Point{piece.To.Sub(d.From), piece.End})
	}
	return d, nil
}

// add leaves out what a line through its neighbours shows already.
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
