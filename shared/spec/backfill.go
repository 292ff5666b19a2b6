package spec

import (
	"fmt"
	"strconv"
	"time"

	"github.com/puttrix/trafficinator/shared/calendar"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/profile"
)

// The settings of the window.
const (
	backfillStart, backfillEnd         = "BACKFILL_START_DATE", "BACKFILL_END_DATE"
	backfillDaysBack, backfillDuration = "BACKFILL_DAYS_BACK", "BACKFILL_DURATION_DAYS"
)

// MaxBatchHits is the maximum of hits per request of a backfill (a visit may exceed it): more is not faster.
const MaxBatchHits = 500

// BatchHits is MaxBatchHits with these settings.
func (s *Spec) BatchHits() int { return min(s.BulkSize, MaxBatchHits) }

// Backfill returns the days of a backfill, valid without errors here and in Parse, and the problems of its window.
func (s *Spec) Backfill(now time.Time) ([]calendar.Day, problem.List) {
	var problems problem.List
	zone := s.Timezone.Location()
	w := window{Spec: s, today: calendar.DateOf(now.In(zone)), problems: &problems}
	found, ok := w.read()
	curve, _ := profile.ParseCurve(s.LoadCurve) // Parse reports its problems
	if !ok || s.VisitsPerDay <= 0 {
		return nil, problems
	}
	found.Zone = zone
	days := found.Days(calendar.Load{
		PerDay: s.VisitsPerDay, Curve: curve, Trend: s.BackfillTrend,
		MaxPerDay: uint64(max(0, s.BackfillPerDay)), MaxTotal: uint64(max(0, s.BackfillTotal)),
	}, now)
	s.warnOfBackfill(days, &problems)
	return days, problems
}

// Values above these are warned of (FEATURES VAL-06).
const (
	manyDays               = 90
	manyVisitsADay         = 8000
	manyRequests   float64 = 100
)

func (s *Spec) warnOfBackfill(days []calendar.Day, problems *problem.List) {
	if n := len(days); n > manyDays {
		key := backfillEnd
		if s.Set[backfillDuration] {
			key = backfillDuration
		}
		problems.Warn(key, "", fmt.Sprintf("makes %d days, and Matomo has to archive each of them", n),
			fmt.Sprintf("send at most %d days per job, or allow for a long archiving run", manyDays))
	}
	var busiest uint64
	for _, d := range days {
		busiest = max(busiest, d.Visits)
	}
	if busiest > manyVisitsADay {
		problems.Warn("BACKFILL_MAX_VISITS_PER_DAY", strconv.FormatInt(s.BackfillPerDay, 10),
			fmt.Sprintf("allows %d visits on the busiest day", busiest),
			fmt.Sprintf("make sure that you own this server, or set at most %d", manyVisitsADay))
	}
	if s.BackfillRPS > manyRequests {
		problems.Warn("BACKFILL_RPS_LIMIT", strconv.FormatFloat(s.BackfillRPS, 'f', -1, 64),
			"is a high load: each request carries many hits",
			fmt.Sprintf("make sure that you own this server, or set at most %g", manyRequests))
	}
	if s.BackfillTotal > 0 && s.BackfillTotal < s.BackfillPerDay {
		problems.Warn("BACKFILL_MAX_VISITS_TOTAL", strconv.FormatInt(s.BackfillTotal, 10),
			fmt.Sprintf("is below BACKFILL_MAX_VISITS_PER_DAY=%d: the first day may use all of it", s.BackfillPerDay),
			"raise it or lower BACKFILL_MAX_VISITS_PER_DAY")
	}
}

type window struct {
	*Spec
	today    calendar.Date
	problems *problem.List
}

func (w window) read() (out calendar.Window, ok bool) {
	absolute := w.Set[backfillStart] || w.Set[backfillEnd]
	relative := w.Set[backfillDaysBack] || w.Set[backfillDuration]
	before := len(w.problems.Errors())
	for _, pair := range [][2]string{{backfillStart, backfillEnd}, {backfillDaysBack, backfillDuration}} {
		for i, key := range pair {
			if other := pair[1-i]; w.Set[key] && !w.Set[other] {
				w.problems.Refuse(other, "", "is not set, but "+key+" is", "set both or neither")
			}
		}
	}
	const cure = "set " + backfillStart + " and " + backfillEnd + ", or " + backfillDaysBack + " and " + backfillDuration
	switch {
	case absolute && relative:
		w.problems.Refuse(backfillDaysBack, "", "conflicts with "+backfillStart, cure)
	case !absolute && !relative:
		w.problems.Refuse(backfillStart, "", "is not set, and neither is "+backfillDaysBack, cure)
	}
	if absolute {
		out = w.dates()
	}
	if relative {
		out = w.back()
	}
	return out, len(w.problems.Errors()) == before
}

func (w window) dates() calendar.Window {
	first, firstGood := w.date(backfillStart, w.BackfillStart)
	last, lastGood := w.date(backfillEnd, w.BackfillEnd)
	out := calendar.Window{First: first, Last: last}
	switch {
	case !firstGood || !lastGood:
	case out.Len() < 1:
		w.problems.Refuse(backfillStart, w.BackfillStart, "is after "+backfillEnd+"="+w.BackfillEnd, "swap them")
	case out.Len() > calendar.MaxDays:
		w.problems.Refuse(backfillEnd, w.BackfillEnd,
			fmt.Sprintf("makes %d days with %s=%s", out.Len(), backfillStart, w.BackfillStart),
			fmt.Sprintf("send at most %d days per job", calendar.MaxDays))
	}
	return out
}

func (w window) date(key, value string) (calendar.Date, bool) {
	if !w.Set[key] {
		return calendar.Date{}, false
	}
	d, err := calendar.ParseDate(value)
	switch {
	case err != nil:
		w.problems.Refuse(key, value, "is not a date", "write YYYY-MM-DD, for example "+w.today.Add(-1).String())
		return d, false
	case w.today.DaysUntil(d) > 0:
		w.problems.Refuse(key, value, "is in the future",
			"use at most "+w.today.String()+", today in "+w.Timezone.String())
	}
	return d, true
}

func (w window) back() calendar.Window {
	days, length := w.BackfillDaysBack, w.BackfillDuration
	if length != nil && *length > calendar.MaxDays {
		w.problems.Refuse(backfillDuration, strconv.Itoa(*length),
			fmt.Sprintf("is more than %d days", calendar.MaxDays), "send the rest in another job")
	}
	if days == nil || length == nil || *days < 1 || *length < 1 {
		return calendar.Window{}
	}
	first := w.today.Add(-*days)
	last := first.Add(*length - 1)
	if *length <= calendar.MaxDays && w.today.DaysUntil(last) > 0 {
		w.problems.Refuse(backfillDuration, strconv.Itoa(*length),
			fmt.Sprintf("ends in the future with %s=%d", backfillDaysBack, *days),
			fmt.Sprintf("use at most %d, which ends today", *days+1))
	}
	return calendar.Window{First: first, Last: last}
}
