// Package calendar owns the days of a backfill: when each starts and ends, and its number of visits. All of it is pure.
package calendar

import (
	"fmt"
	"math"
	"time"

	"github.com/puttrix/trafficinator/shared/profile"
)

const (
	// MaxDays is the longest window: by default Matomo proposes to delete raw data after that many days
	// (config/global.ini.php, delete_logs_older_than), and refuses hits of deleted days.
	MaxDays = 180
	// least is the part of today that must have passed to send it: a visit takes time and must end within its day.
	least = time.Hour
)

// Window is a range of days of a zone, both ends included.
type Window struct {
	First, Last Date
	Zone        *time.Location
}

// Len returns the number of days.
func (w Window) Len() int { return w.First.DaysUntil(w.Last) + 1 }

// Load is the number of visits of days.
type Load struct {
	PerDay float64       // the mean of the first week
	Curve  profile.Curve // the distribution over the hours of a week
	Trend  float64       // the growth from week to week, 0.02 for 2 %, spread evenly over the days.
	// MaxPerDay scales all days down equally if the busiest exceeds it, MaxTotal cuts the last ones; 0 is no limit.
	MaxPerDay, MaxTotal uint64
}

// Day is a day of a window.
type Day struct {
	Date Date
	// Start is its first moment and End that of the next day, or now.
	Start, End time.Time
	Visits     uint64
	Skipped    string // why it has no visits, or fewer than planned
}

// Days returns the days of the window with their visits. Today is filled up to now.
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

// Total sums the visits of days.
func Total(days []Day) uint64 {
	sum := uint64(0)
	for _, d := range days {
		sum += d.Visits
	}
	return sum
}

// Date is a day of the calendar, without a zone.
type Date struct {
	noon time.Time // in UTC
}

// ParseDate parses YYYY-MM-DD.
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return Date{}, fmt.Errorf("%q is not a date (YYYY-MM-DD)", s)
	}
	return DateOf(t), nil
}

// DateOf returns the day of t in its own zone.
func DateOf(t time.Time) Date {
	year, month, day := t.Date()
	return Date{time.Date(year, month, day, 12, 0, 0, 0, time.UTC)}
}

// Add returns the date some days later, or earlier.
func (d Date) Add(days int) Date { return Date{d.noon.AddDate(0, 0, days)} }

// DaysUntil returns how many days later o is.
func (d Date) DaysUntil(o Date) int { return int(o.noon.Sub(d.noon) / (24 * time.Hour)) }

// String formats the date as YYYY-MM-DD.
func (d Date) String() string { return d.noon.Format(time.DateOnly) }

// Start returns the first moment of the day in a zone. It is not always midnight: clocks may be put forward at
// midnight, or put back to before it, so that there are two.
func (d Date) Start(zone *time.Location) time.Time {
	year, month, day := d.noon.Date()
	noon := time.Date(year, month, day, 12, 0, 0, 0, zone)
	midnight := noon.Add(-12 * time.Hour)
	change, _ := noon.ZoneBounds()
	if change.IsZero() || change.Before(midnight) {
		return midnight
	}
	before := change.Add(-time.Second)
	if DateOf(before) != d {
		return change // at midnight or later by the new clock
	}
	hour, minute, second := before.Clock()
	return before.Add(-time.Duration(hour*3600+minute*60+second) * time.Second)
}
