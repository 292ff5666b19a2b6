package calendar

import (
	"fmt"
	"math"
	"time"

	"github.com/puttrix/trafficinator/shared/profile"
)

const (
	// MaxDays is the longest window: Matomo proposes to delete raw data after as many (config/global.ini.php,
	// delete_logs_older_than), and refuses hits of deleted days.
	MaxDays = 180
	// least is how much of today must have passed to send it: a visit lies wholly inside its day and takes its time.
	least = time.Hour
)

// Window is a stretch of days of a zone, both ends included.
type Window struct {
	First, Last Date
	Zone        *time.Location
}

// Len is the number of days.
func (w Window) Len() int { return w.First.DaysUntil(w.Last) + 1 }

// Load is how many visits days have.
type Load struct {
	// PerDay is what a mean day of the first week has, Curve the share of each hour and day of the week.
	PerDay float64
	Curve  profile.Curve
	// Trend is the growth from week to week, 0.02 for 2 %; it goes on from day to day.
	Trend float64
	// MaxPerDay scales all days down alike where the busiest would have more, MaxTotal cuts the last ones; 0 is no
	// bound.
	MaxPerDay, MaxTotal uint64
}

// Day is a day of a window.
type Day struct {
	Date Date
	// Start is its first moment and End the first that is not sent any more: the next day's, or now.
	Start, End time.Time
	Visits     uint64
	// Skipped says why it has no visits, or fewer than it should.
	Skipped string
}

// Days are those of the window with their visits. Of the day that is not over at now what has passed is sent.
func (w Window) Days(l Load, now time.Time) []Day {
	week := profile.NewWeek(l.Curve, l.PerDay, w.Zone)
	days, exact, busiest := make([]Day, w.Len()), make([]float64, w.Len()), 0.0
	for i := range days {
		date := w.First.Add(i)
		d := Day{Date: date, Start: date.Start(w.Zone), End: date.Add(1).Start(w.Zone)}
		if now.Before(d.End) {
			d.End = now
		}
		if passed := d.End.Sub(d.Start); passed < least {
			d.Skipped = fmt.Sprintf("only %s of it have passed, less than a visit may take",
				max(0, passed).Truncate(time.Minute))
			d.End = d.Start
		}
		exact[i] = week.Integral(d.Start, d.Start, d.End) * math.Pow(1+l.Trend, float64(i)/7)
		busiest = max(busiest, exact[i])
		days[i] = d
	}
	scale := 1.0
	if most := float64(l.MaxPerDay); most > 0 && busiest > most {
		scale = most / busiest
	}
	left := l.MaxTotal
	for i := range days {
		d := &days[i]
		d.Visits = uint64(math.Round(exact[i] * scale))
		if l.MaxTotal > 0 && d.Visits > left {
			d.Skipped = fmt.Sprintf("total cap of %d visits reached: %d of %d are sent", l.MaxTotal, left, d.Visits)
			d.Visits = left
		}
		left -= min(left, d.Visits)
		if d.Visits == 0 && d.Skipped == "" {
			d.Skipped = "no visits"
		}
	}
	return days
}

// Total is how many visits days have.
func Total(days []Day) uint64 {
	sum := uint64(0)
	for _, d := range days {
		sum += d.Visits
	}
	return sum
}
