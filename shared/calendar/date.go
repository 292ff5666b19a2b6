// Package calendar owns the days of a backfill: which days of a site's calendar a window holds, when each begins and
// ends by the clock, and how many visits it has. All of it is pure: it knows neither today nor who sends.
package calendar

import (
	"fmt"
	"time"
)

// Date is a day of the calendar, of no zone.
type Date struct {
	noon time.Time // in UTC
}

// ParseDate reads YYYY-MM-DD.
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return Date{}, fmt.Errorf("%q is not a date (YYYY-MM-DD)", s)
	}
	return DateOf(t), nil
}

// DateOf is the day of a moment in its own zone.
func DateOf(t time.Time) Date {
	year, month, day := t.Date()
	return Date{time.Date(year, month, day, 12, 0, 0, 0, time.UTC)}
}

// Add is the date some days later, or earlier.
func (d Date) Add(days int) Date { return Date{d.noon.AddDate(0, 0, days)} }

// DaysUntil is how many days later the other is.
func (d Date) DaysUntil(o Date) int { return int(o.noon.Sub(d.noon) / (24 * time.Hour)) }

// String is YYYY-MM-DD.
func (d Date) String() string { return d.noon.Format(time.DateOnly) }

// Start is the first moment of the day in a zone. That is not always midnight: where the clock is put forward at
// midnight there is none, and where it is put back over midnight there are two.
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
		return change // at midnight or after it, as the clock goes from then on
	}
	hour, minute, second := before.Clock()
	return before.Add(-time.Duration(hour)*time.Hour - time.Duration(minute)*time.Minute - time.Duration(
		second)*time.Second)
}
