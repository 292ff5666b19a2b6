package engine

import (
	"context"
	"slices"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/arrival"
	"github.com/puttrix/trafficinator/loadgen/internal/routing"
	"github.com/puttrix/trafficinator/loadgen/internal/shop"
	"github.com/puttrix/trafficinator/loadgen/internal/tracking"
	"github.com/puttrix/trafficinator/loadgen/internal/visit"
)

// loop is the state of a run; one goroutine owns it.
type loop struct {
	*Engine
	jobs    chan<- job
	results <-chan result
	cancel  context.CancelFunc // breaks requests off

	began    time.Time
	schedule arrival.Schedule
	arrived  uint64 // arrivals of the schedule so far
	next     uint64 // number of the next visit
	reserved uint64 // numbers below may be used
	pause    time.Time

	timers   timers
	ready    []queue // by target
	turn     int     // target that is served first
	inFlight int
	open     int

	end      Reason // set once no more visits begin
	draining bool
	giveUp   time.Time // when requests in flight are broken off
}

// queue holds visits whose next hit is due, first come first served.
type queue []*openVisit

func newLoop(e *Engine, jobs chan<- job, results <-chan result, cancel context.CancelFunc) *loop {
	now := time.Now()
	return &loop{
		Engine: e, jobs: jobs, results: results, cancel: cancel, began: now, next: e.c.FirstVisit, reserved: e.c.FirstVisit,
		schedule: arrival.Schedule{Start: now, PerDay: e.c.PerDay}, ready: make([]queue, e.c.Router.Targets()),
	}
}

func (l *loop) run(drain context.Context) Reason {
	l.phase.Store(Running)
	timer := time.NewTimer(0)
	defer timer.Stop()
	stop := drain.Done()
	for {
		now := time.Now()
		l.begin(now)
		l.release(now)
		l.dispatch(now)
		if l.end != "" && l.open == 0 {
			return l.end
		}
		timer.Reset(time.Until(l.wake(now)))
		select {
		case <-timer.C:
		case r := <-l.results:
			l.take(r)
			for more := true; more; {
				select {
				case r := <-l.results:
					l.take(r)
				default:
					more = false
				}
			}
		case <-stop:
			stop = nil
			l.stop(Interrupted)
		}
		if l.draining && !time.Now().Before(l.giveUp) {
			l.cancel()
		}
	}
}

// wake is when there is something to do that no answer announces.
func (l *loop) wake(now time.Time) time.Time {
	at := now.Add(time.Hour)
	earlier := func(t time.Time) {
		if t.Before(at) {
			at = t
		}
	}
	if l.end == "" {
		earlier(l.nextArrival())
		if l.c.AutoStop > 0 {
			earlier(l.began.Add(l.c.AutoStop))
		}
	}
	if len(l.timers) > 0 {
		earlier(l.timers[0].due)
	}
	for _, q := range l.ready {
		if len(q) > 0 {
			earlier(q[0].ready.Add(maxWait))
		}
	}
	if l.draining {
		earlier(l.giveUp)
	}
	return at
}

// release moves visits whose next hit is due to the queues. One that was tried before goes first: an unproven target
// takes no other meanwhile.
func (l *loop) release(now time.Time) {
	for o := l.timers.next(now); o != nil; o = l.timers.next(now) {
		o.ready = now
		at := len(l.ready[o.target])
		if o.attempts > 0 {
			at = 0
		}
		l.ready[o.target] = slices.Insert(l.ready[o.target], at, o)
	}
}

// dispatch hands due hits to the pool, a target at a time, and sheds those that waited too long or whose target
// takes none.
func (l *loop) dispatch(now time.Time) {
	l.turn++
	for i := range l.ready {
		t := (l.turn + i) % len(l.ready)
		for len(l.ready[t]) > 0 {
			verdict := l.c.Router.Verdict(t, now)
			late := !now.Before(l.ready[t][0].ready.Add(maxWait))
			if verdict != routing.Refuse && !late && (verdict == routing.Wait || l.inFlight >= l.c.Concurrency) {
				break
			}
			o := l.ready[t][0]
			l.ready[t][0] = nil
			l.ready[t] = l.ready[t][1:]
			if verdict == routing.Refuse || late {
				l.shed(o, now)
				continue
			}
			l.send(o, now)
		}
	}
}

func (l *loop) send(o *openVisit, now time.Time) {
	proven := l.c.Router.Begin(o.target)
	l.c.Ledger.Send(o.target, o.kind)
	l.inFlight++
	o.sent++
	l.jobs <- job{o, now, proven}
}

// take books an answer and goes on with the visit.
func (l *loop) take(r result) {
	now := time.Now()
	o, h := r.visit, &r.made.Hits[r.visit.hit]
	l.inFlight--
	l.c.Ledger.Return(o.target, o.kind, now.Sub(o.intended))
	var again time.Time
	if r.res.Retry && o.attempts < len(retries) && !l.draining {
		again = now.Add(retries[o.attempts])
	}
	l.c.Router.End(o.target, r.res, now, again)
	if !again.IsZero() {
		o.due = again
		o.attempts++
		l.timers.add(o)
		return
	}
	l.book(o, h, r.res.Outcome, r.at)
	if l.draining {
		l.abandon(o, r.made)
	} else {
		l.advance(o, r.made)
	}
	if r.res.Outcome != tracking.Accepted {
		l.c.Log.Debug("hit not accepted", "visit", o.number, "kind", h.Kind.String(), "outcome", r.res.Outcome.String(), "reason", r.res.Reason)
		if _, all := l.c.Router.Hopeless(); all {
			l.stop(NoTarget)
		}
	}
}

func (l *loop) book(o *openVisit, h *visit.Hit, outcome tracking.Outcome, at time.Time) {
	var revenue shop.Cents
	if outcome == tracking.Accepted && h.Kind == visit.Order {
		revenue = h.Order.Revenue
	}
	l.c.Ledger.End(o.target, h.Records, outcome, revenue)
	o.book(outcome, h, at, l.c.Zone)
	o.hit++
	o.attempts = 0
}

// advance waits for the next hit of a visit, or closes the visit after its last.
func (l *loop) advance(o *openVisit, v *visit.Visit) {
	if o.hit == len(v.Hits) {
		l.close(o, v)
		return
	}
	h := &v.Hits[o.hit]
	o.kind = h.Records
	o.intended = o.start.Add(h.Wait)
	o.due = o.intended
	l.timers.add(o)
}

func (l *loop) close(o *openVisit, v *visit.Visit) {
	l.open--
	l.c.Ledger.Close(o.fate(len(v.Hits)), o.splits)
}

// shed books the next hit as not sent. A visit whose first hit is not sent does not happen at all.
func (l *loop) shed(o *openVisit, now time.Time) {
	v := l.c.Visits.Visit(o.number)
	outcome := tracking.Shed
	if o.attempts > 0 { // it was tried and surely not taken
		outcome = tracking.Failed
	}
	l.book(o, &v.Hits[o.hit], outcome, now)
	for o.sent == 0 && o.hit < len(v.Hits) {
		l.book(o, &v.Hits[o.hit], tracking.Shed, now)
	}
	l.advance(o, v)
}

// abandon books all that is left of a visit and closes it.
func (l *loop) abandon(o *openVisit, v *visit.Visit) {
	for o.hit < len(v.Hits) {
		l.book(o, &v.Hits[o.hit], tracking.Abandoned, time.Time{})
	}
	l.close(o, v)
}

// stop lets no visit begin, abandons what is not in flight, and gives requests in flight their time.
func (l *loop) stop(why Reason) {
	if l.draining {
		return
	}
	l.end, l.draining, l.giveUp = why, true, time.Now().Add(drainTime)
	l.phase.Store(Draining)
	left := l.timers
	l.timers = nil
	for t := range l.ready {
		left = append(left, l.ready[t]...)
		l.ready[t] = nil
	}
	for _, o := range left {
		l.abandon(o, l.c.Visits.Visit(o.number))
	}
}
