package engine

import (
	"time"

	"github.com/puttrix/trafficinator/shared/calendar"
)

// days tells the days of a site apart. It remembers the day it was asked for last, because nearly all questions are
// about one.
type days struct {
	zone *time.Location
	// from and to are midnights as Unix seconds: the first of the day, and the next.
	from, to int64
}

// nextMidnight is the midnight after the second t.
func (d *days) nextMidnight(t int64) int64 {
	if t < d.from || t >= d.to {
		date := calendar.DateOf(time.Unix(t, 0).In(d.zone))
		d.from, d.to = date.Start(d.zone).Unix(), date.Add(1).Start(d.zone).Unix()
	}
	return d.to
}

// midnight is the midnight before the second t, or t itself.
func (d *days) midnight(t int64) int64 {
	d.nextMidnight(t)
	return d.from
}

// sameDay says whether both seconds are of one day; a is the earlier.
func (d *days) sameDay(a, b int64) bool { return b < d.nextMidnight(a) }

// fitInDay shifts a visit from base on, length seconds long, that would cross midnight of the site to end a second before
// it: Matomo cuts visits there (create_new_visit_after_midnight).
func (d *days) fitInDay(base, length int64) int64 {
	if midnight := d.nextMidnight(base); base+length >= midnight {
		return midnight - 1 - length
	}
	return base
}
