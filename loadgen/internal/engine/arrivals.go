package engine

import (
	"fmt"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/ledger"
	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/endreason"
	"github.com/puttrix/trafficinator/shared/metric"
)

// maxArrivalsPerPass is how many visits begin between two looks at the answers.
const maxArrivalsPerPass = 256

// maxReservation is how many of the visits that a standstill left overdue are reserved in one write, which outlines each
// of them while answers wait: about 20 ms of work.
const maxReservation = 10_000

// processArrivals lets visits arrive that are due, as far as the limits let it, and books how many should have begun.
func (l *loop) processArrivals(elapsed time.Duration) {
	now := l.began.Add(elapsed)
	l.startDue(now)
	l.c.Ledger.SetDue(l.dueVisits(now))
	l.rate.Store(l.schedule.Rate())
}

func (l *loop) startDue(now time.Time) {
	for n := 0; l.end == "" && l.arrivalDue(now); n++ {
		if n == maxArrivalsPerPass {
			return
		}
		if !l.pause.IsZero() {
			l.resume(now)
			continue
		}
		switch at, _ := l.schedule.Next(); {
		case l.c.StopAfter > 0 && l.next >= l.c.StopAfter:
			l.finish(endreason.StoppedAfterVisits)
		case l.c.AutoStop > 0 && at.Sub(l.began) >= l.c.AutoStop:
			l.finish(endreason.AutoStopped)
		case l.reserve(at, now):
			l.startVisit(at, now)
		}
	}
	end, ends := l.schedule.End()
	switch {
	case l.end != "":
	case l.c.StopAfter > 0 && l.next >= l.c.StopAfter:
		l.finish(endreason.StoppedAfterVisits)
	case l.c.AutoStop > 0 && now.Sub(l.began) >= l.c.AutoStop:
		l.finish(endreason.AutoStopped)
	case ends && !end.After(now):
		l.finish(endreason.ProfileEnded)
	}
}

// nextArrival is when the next visit arrives, or arrivals go on after a pause; false where nothing of it is in sight.
func (l *loop) nextArrival() (time.Time, bool) {
	if !l.pause.IsZero() {
		return l.pause, !l.applied.paused
	}
	return l.schedule.Next()
}

// arrivalDue says that the next arrival is due.
func (l *loop) arrivalDue(now time.Time) bool {
	next, ok := l.nextArrival()
	return ok && !next.After(now)
}

// dueVisits is how many visits should have begun: those that did, and those that are overdue as far as the limits let them.
func (l *loop) dueVisits(now time.Time) uint64 {
	begun := l.next - l.c.FirstVisit
	if l.end != "" {
		return begun
	}
	if stop := l.began.Add(l.c.AutoStop); l.c.AutoStop > 0 && stop.Before(now) {
		now = stop
	}
	overdue := l.schedule.Overdue(now)
	if l.c.StopAfter > 0 {
		overdue = min(overdue, l.c.StopAfter-l.next)
	}
	if l.c.Cap != nil {
		overdue = min(overdue, l.c.Cap.remaining())
	}
	return begun + overdue
}

// reserve reserves the visit that arrives at at with the cap and its number, and pauses arrivals where that cannot be.
func (l *loop) reserve(at, now time.Time) bool {
	if l.next >= l.reserved {
		// a second's worth, or more after a standstill
		upTo := l.next + 1 + max(uint64(l.schedule.Rate()), min(l.schedule.Overdue(now), maxReservation))
		if l.c.StopAfter > 0 {
			upTo = min(upTo, l.c.StopAfter)
		}
		if err := l.c.Reserve(upTo); err != nil {
			l.c.Log.Error("new visits pause: the state cannot be stored", "err", err, "retry_in", reserveRetryDelay)
			l.pauseUntil(now.Add(reserveRetryDelay), at, metric.PauseState)
			return false
		}
		l.reserved = upTo
	}
	if l.c.Cap == nil {
		return true
	}
	ok, resume, err := l.c.Cap.Take(now)
	switch {
	case err != nil:
		l.c.Log.Error("new visits pause: the daily cap cannot be stored", "err", err, "retry_in", reserveRetryDelay)
		l.pauseUntil(now.Add(reserveRetryDelay), at, metric.PauseState)
	case !ok:
		//nolint:sloglint // the line is promised in these words
		l.c.Log.Info(fmt.Sprintf("daily cap of %d visits reached, resuming at %s", l.c.Cap.limit,
			resume.In(l.c.Zone).Format(time.RFC3339)))
		l.pauseUntil(resume, at, metric.PauseCap)
	}
	return ok
}

// startVisit opens the visit that arrives at at. One that comes too late, because this process stood still or was held up,
// is shed rather than sent in a burst.
func (l *loop) startVisit(at, now time.Time) {
	n := l.next
	l.next++
	l.schedule.Advance()
	l.c.Visits.Outline(n, &l.visit)
	o := openVisit{number: n, start: at.Sub(l.began), due: at.Sub(l.began), target: uint16(l.c.Router.Pick(n, now))}
	l.setRecordedStart(&o)
	o.setGroup(&l.visit, now.Sub(l.began), l.c.Batch)
	l.c.Ledger.Plan(int(o.target), ledger.CountKinds(l.visit.Hits))
	l.open++
	switch {
	case o.due <= l.resumedAt:
		l.miss(o, now.Sub(l.began))
	case now.Sub(at) > maxQueueTime:
		l.shed(o, answer.Late, now.Sub(l.began))
	default:
		l.queues[o.target].add(o)
	}
}

// setRecordedStart sets when the visit that was made last is recorded: in whole seconds, because the wire has no finer ones, and
// never after the target's own clock.
func (l *loop) setRecordedStart(o *openVisit) {
	if l.c.Live {
		return
	}
	length := l.visit.Length()
	latest := l.began.Add(o.start - length - l.c.Router.ClockLag(int(o.target)))
	o.recordedStart = uint32(l.days.fitInDay(latest.Unix(), int64(length/time.Second)))
}
