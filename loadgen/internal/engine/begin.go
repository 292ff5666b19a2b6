package engine

import (
	"fmt"
	"time"
)

// beginAtOnce is how many visits begin between two looks at the answers.
const beginAtOnce = 256

// begin lets visits arrive that are due, as far as the limits let it.
func (l *loop) begin(elapsed time.Duration) {
	now := l.began.Add(elapsed)
	for n := 0; l.end == "" && !l.nextArrival().After(now); n++ {
		if n == beginAtOnce {
			return
		}
		if !l.pause.IsZero() {
			l.resume(now)
		}
		switch at := l.schedule.At(l.arrived); {
		case l.c.StopAfter > 0 && l.next >= l.c.StopAfter:
			l.finish(StoppedAfterVisits)
		case l.c.AutoStop > 0 && at.Sub(l.began) >= l.c.AutoStop:
			l.finish(AutoStopped)
		case l.allowed(now):
			l.start(at, now)
		}
	}
	switch {
	case l.end != "":
	case l.c.StopAfter > 0 && l.next >= l.c.StopAfter:
		l.finish(StoppedAfterVisits)
	case l.c.AutoStop > 0 && now.Sub(l.began) >= l.c.AutoStop:
		l.finish(AutoStopped)
	}
}

func (l *loop) nextArrival() time.Time {
	if !l.pause.IsZero() {
		return l.pause
	}
	return l.schedule.At(l.arrived)
}

// resume goes on after a pause with a new schedule: the arrivals of the pause are not made up for.
func (l *loop) resume(now time.Time) {
	l.pause = time.Time{}
	l.schedule.Start, l.arrived = now, 0
	l.phase.Store(Running)
}

func (l *loop) pauseUntil(t time.Time) {
	l.pause = t
	l.phase.Store(Paused)
}

// allowed reserves the visit with the cap and its number, and pauses arrivals where that cannot be.
func (l *loop) allowed(now time.Time) bool {
	if l.next >= l.reserved {
		upTo := l.next + 1 + uint64(l.c.PerDay/86400) // a second's worth
		if l.c.StopAfter > 0 {
			upTo = min(upTo, l.c.StopAfter)
		}
		if err := l.c.Reserve(upTo); err != nil {
			l.c.Log.Error("new visits pause: the state cannot be stored", "err", err, "retry_in", retryPause)
			l.pauseUntil(now.Add(retryPause))
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
		l.c.Log.Error("new visits pause: the daily cap cannot be stored", "err", err, "retry_in", retryPause)
		l.pauseUntil(now.Add(retryPause))
	case !ok:
		//nolint:sloglint // the line is promised in these words
		l.c.Log.Info(fmt.Sprintf("daily cap of %d visits reached, resuming at %s", l.c.Cap.limit, resume.In(l.c.Zone).Format(time.RFC3339)))
		l.pauseUntil(resume)
	}
	return ok
}

// start opens the visit that arrives at at. One that comes too late, after a stall of this process, is shed rather
// than sent in a burst.
func (l *loop) start(at, now time.Time) {
	n := l.next
	l.next++
	l.arrived++
	l.c.Visits.Outline(n, &l.visit)
	o := openVisit{number: n, start: at.Sub(l.began), due: at.Sub(l.began), target: uint16(l.c.Router.Pick(n, now))}
	l.date(&o)
	o.group(&l.visit, now.Sub(l.began), l.c.Batch)
	l.c.Ledger.Plan(int(o.target), kindsOf(l.visit.Hits))
	l.open++
	if now.Sub(at) > maxWait {
		l.shed(o, now.Sub(l.began))
		return
	}
	l.lanes[o.target].add(o)
}

// date sets when the visit that was made last is recorded: in whole seconds, because the wire has no finer ones, and
// never after the target's own clock.
func (l *loop) date(o *openVisit) {
	if l.c.Live {
		return
	}
	length := l.visit.Length()
	latest := l.began.Add(o.start - length - l.c.Router.Behind(int(o.target)))
	o.base = l.days.keep(latest.Unix(), int64(length/time.Second))
}
