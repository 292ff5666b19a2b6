package engine

import (
	"fmt"
	"math"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/ledger"
	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/endreason"
	"github.com/puttrix/trafficinator/shared/metric"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

const (
	// maxArrivalsPerPass is how many visits start before answers are handled again.
	maxArrivalsPerPass = 256
	// maxReservation is how many overdue visits are reserved in one write: outlining them takes about 20 ms in which
	// answers wait.
	maxReservation = 10_000
)

// processArrivals starts the visits that are due, within the limits, and records how many should have started.
func (l *loop) processArrivals(elapsed time.Duration) {
	now := l.startedAt.Add(elapsed)
	l.startDue(now)
	l.c.Ledger.SetDue(l.dueVisits(now))
	l.rate.Store(math.Float64bits(l.schedule.Rate()))
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
		at, _ := l.schedule.Next()
		if !l.finishAtLimit(at) && l.reserve(at, now) {
			l.startVisit(at, now)
		}
	}
	if end, ends := l.schedule.End(); l.end == "" && !l.finishAtLimit(now) && ends && !end.After(now) {
		l.finish(endreason.ProfileEnded)
	}
}

// finishAtLimit ends the arrivals if a limit of the run is reached at the given time.
func (l *loop) finishAtLimit(at time.Time) bool {
	switch {
	case l.c.StopAfter > 0 && l.next >= l.c.StopAfter:
		l.finish(endreason.StoppedAfterVisits)
	case l.c.AutoStop > 0 && at.Sub(l.startedAt) >= l.c.AutoStop:
		l.finish(endreason.AutoStopped)
	default:
		return false
	}
	return true
}

// nextArrival returns when the next visit arrives or a pause of arrivals ends; false if neither is known.
func (l *loop) nextArrival() (time.Time, bool) {
	if !l.pause.IsZero() {
		return l.pause, !l.applied.paused
	}
	return l.schedule.Next()
}

func (l *loop) arrivalDue(now time.Time) bool {
	next, ok := l.nextArrival()
	return ok && !next.After(now)
}

// dueVisits returns how many visits should have started: those that did, and the overdue ones within the limits.
func (l *loop) dueVisits(now time.Time) uint64 {
	started := l.next - l.c.FirstVisit
	if l.end != "" {
		return started
	}
	if stop := l.startedAt.Add(l.c.AutoStop); l.c.AutoStop > 0 && stop.Before(now) {
		now = stop
	}
	overdue := l.schedule.Overdue(now)
	if l.c.StopAfter > 0 {
		overdue = min(overdue, l.c.StopAfter-l.next)
	}
	if l.c.Cap != nil {
		overdue = min(overdue, l.c.Cap.remaining())
	}
	return started + overdue
}

// reserve reserves the number of the next visit, which arrives at at, and its place in the cap, or pauses arrivals.
func (l *loop) reserve(at, now time.Time) bool {
	if l.next >= l.reserved {
		// one second's worth, or more after a standstill
		upTo := l.next + 1 + max(uint64(l.schedule.Rate()), min(l.schedule.Overdue(now), maxReservation))
		if l.c.StopAfter > 0 {
			upTo = min(upTo, l.c.StopAfter)
		}
		if err := l.c.Reserve(upTo); err != nil {
			l.c.Log.Error("new visits pause: cannot store the state", "err", err, "retry_in", reserveRetryDelay)
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
		l.c.Log.Error("new visits pause: cannot store the daily cap", "err", err, "retry_in", reserveRetryDelay)
		l.pauseUntil(now.Add(reserveRetryDelay), at, metric.PauseState)
	case !ok:
		//nolint:sloglint // a documented message
		l.c.Log.Info(fmt.Sprintf("daily cap of %d visits reached, resuming at %s", l.c.Cap.limit,
			resume.In(l.c.Zone).Format(time.RFC3339)))
		l.pauseUntil(resume, at, metric.PauseCap)
	}
	return ok
}

// startVisit opens the visit that arrives at at. One that is late because this process was delayed is shed, so that no
// burst follows.
func (l *loop) startVisit(at, now time.Time) {
	n := l.next
	l.next++
	l.schedule.Advance()
	l.c.Visits.Outline(n, &l.visit)
	start, elapsed := at.Sub(l.startedAt), now.Sub(l.startedAt)
	o := openVisit{number: n, start: start, due: start, target: uint16(l.c.Router.Pick(n, now))}
	l.setRecordedStart(&o)
	o.setGroup(&l.visit, elapsed, l.c.Batch)
	l.c.Ledger.Plan(int(o.target), ledger.CountKinds(l.visit.Hits))
	l.open++
	switch {
	case o.due <= l.resumedAt:
		l.miss(o, elapsed)
	case elapsed-start > maxQueueTime:
		l.shed(o, answer.Late, elapsed)
	default:
		l.queues[o.target].add(o)
	}
}

// setRecordedStart sets when the visit outlined last is recorded: in full seconds, as in Matomo, and never after the
// target's own clock.
func (l *loop) setRecordedStart(o *openVisit) {
	if l.c.Live {
		return
	}
	length := l.visit.Length()
	latest := l.startedAt.Add(o.start - length - l.c.Router.ClockLag(int(o.target)))
	o.recordedStart = uint32(l.days.fitInDay(latest.Unix(), int64(length/time.Second)))
}

// Cap limits the visits that start in each window.
type Cap struct {
	limit, block, used uint64
	state              runsummary.Cap
	save               func(runsummary.Cap) error
}

// NewCap continues from a stored state. save stores the state durably; limit is above 0.
func NewCap(limit uint64, state runsummary.Cap, save func(runsummary.Cap) error) *Cap {
	return &Cap{limit: limit, block: max(1, limit/100), used: min(limit, state.Reserved), state: state, save: save}
}

// Take lets one visit start at now. If the cap is reached, it returns when the next window starts. An error is that of
// save: the visit may not start, because a restart would not count it.
func (c *Cap) Take(now time.Time) (ok bool, resume time.Time, err error) {
	if end := c.state.WindowStart.Add(runsummary.CapWindow); c.state.WindowStart.IsZero() || !now.Before(end) {
		c.state, c.used = runsummary.Cap{WindowStart: now}, 0
	}
	if c.used >= c.limit {
		return false, c.state.WindowStart.Add(runsummary.CapWindow), nil
	}
	if c.used >= c.state.Reserved {
		next := runsummary.Cap{WindowStart: c.state.WindowStart, Reserved: min(c.limit, c.used+c.block)}
		if err := c.save(next); err != nil {
			return false, time.Time{}, err
		}
		c.state = next
	}
	c.used++
	return true, time.Time{}, nil
}

// remaining returns how many visits may still start in the current window.
func (c *Cap) remaining() uint64 { return c.limit - c.used }

// Release returns what was reserved and not used. It does nothing for a nil Cap.
func (c *Cap) Release() error {
	if c == nil || c.state.WindowStart.IsZero() || c.state.Reserved == c.used {
		return nil
	}
	c.state.Reserved = c.used
	return c.save(c.state)
}
