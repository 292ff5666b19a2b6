package engine

import (
	"time"

	"github.com/puttrix/trafficinator/shared/calendar"
)

// days finds the midnights of a site's time zone. It caches one day, because nearly all calls are about the same.
type days struct {
	zone     *time.Location
	from, to int64 // midnights of the cached day as Unix times
}

// nextMidnight returns the midnight after the Unix time t.
func (d *days) nextMidnight(t int64) int64 {
	if t < d.from || t >= d.to {
		date := calendar.DateOf(time.Unix(t, 0).In(d.zone))
		d.from, d.to = date.Start(d.zone).Unix(), date.Add(1).Start(d.zone).Unix()
	}
	return d.to
}

// midnight returns the start of the day of the Unix time t.
func (d *days) midnight(t int64) int64 {
	d.nextMidnight(t)
	return d.from
}

// sameDay reports whether two Unix times are of one day; a is the earlier.
func (d *days) sameDay(a, b int64) bool { return b < d.nextMidnight(a) }

// fitInDay returns the start of a visit of length seconds, earlier than start if it would cross midnight, where Matomo
// splits visits (create_new_visit_after_midnight).
func (d *days) fitInDay(start, length int64) int64 {
	if midnight := d.nextMidnight(start); start+length >= midnight {
		return midnight - 1 - length
	}
	return start
}
