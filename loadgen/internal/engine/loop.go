package engine

import (
	"context"
	"sync"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/arrival"
	"github.com/puttrix/trafficinator/loadgen/internal/ledger"
	"github.com/puttrix/trafficinator/loadgen/internal/standstill"
	"github.com/puttrix/trafficinator/loadgen/internal/visit"
	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/endreason"
	"github.com/puttrix/trafficinator/shared/phase"
)

// loop is the state of a run, owned by one goroutine. Its times are durations since startedAt.
type loop struct {
	*Engine
	jobs    chan<- *batch
	answers chan *batch // from the pool, and from batches that waited for a late answer

	schedule *arrival.Schedule
	next     uint64    // number of the next visit
	reserved uint64    // numbers below are reserved
	pause    time.Time // until when arrivals pause by themselves, zero if they do not
	pauseFor string    // why
	applied  overrides // what the schedule follows

	gaps      []standstill.Gap // standstills so far
	resumedAt time.Duration    // end of the last one, negative for none

	lastPoll     time.Duration // last check for due hits
	wakeAt       time.Duration // when the timer fires, 0 if it is not set
	scheduled    visitHeap
	queues       []targetQueue // by target
	firstTarget  int           // the target that is served first
	open         int           // open visits
	awaitingOnly int           // of those, visits with nothing left but a late answer
	days         days
	visit        visit.Visit // the visit outlined last
	spare        []*batch
	answered     []ledger.Answered // reused

	end      endreason.Reason // set once arrivals have ended
	cutAt    time.Duration    // when open visits are cut off, 0 for never
	draining bool
	abortAt  time.Duration // when requests in flight are aborted
	aborted  bool

	waitCtx     context.Context // for late answers
	stopWaiting context.CancelFunc
	waiters     sync.WaitGroup
}

const (
	// pollInterval is the shortest time between two checks for due hits while none is queued: waking up costs more than
	// sending one more hit, so above 2,000 hits per second those of one interval go together. It is below the jitter of
	// any network.
	pollInterval = 500 * time.Microsecond
	// maxSleep is the longest time between two checks: the timer does not count the time that the machine sleeps.
	maxSleep = time.Second
	// maxAbandonsPerPass is how many visits are abandoned before answers are handled again: about a millisecond's work.
	maxAbandonsPerPass = 1000
)

func newLoop(e *Engine, jobs chan<- *batch, answers chan *batch) *loop {
	l := &loop{
		Engine: e, jobs: jobs, answers: answers, next: e.c.FirstVisit, reserved: e.c.FirstVisit,
		schedule: arrival.New(e.c.Load, e.startedAt, e.c.FirstVisit, e.c.Random), applied: overrides{scale: 1},
		resumedAt: -1, lastPoll: -pollInterval, days: days{zone: e.c.Zone},
		queues: newTargetQueues(e.c.Router, e.c.Concurrency, e.c.Batch),
	}
	l.waitCtx, l.stopWaiting = context.WithCancel(context.Background())
	return l
}

func (l *loop) run(drain context.Context) endreason.Reason {
	l.phase.Store(phase.Running)
	l.applyOverrides(l.startedAt)
	l.applyFinish()
	defer l.c.Timer.Stop()
	defer l.waiters.Wait()
	defer l.stopWaiting()
	stop := drain.Done()
	for {
		now := l.elapsed()
		l.checkStandstills()
		if l.cutAt > 0 && now >= l.cutAt {
			l.stop(l.end)
		}
		switch {
		case l.draining:
			l.abandonSome(now)
		case now >= l.lastPoll+pollInterval, l.hasQueued():
			l.lastPoll = now
			l.processArrivals(now)
			l.enqueueDue(now)
			l.dispatch(now)
		}
		if l.end != "" && l.open == 0 {
			return l.end
		}
		if l.draining || l.end != "" && l.awaitingOnly == l.open { // nothing depends on late answers any more
			l.stopWaiting()
		}
		// A wakeup too many costs less than setting the timer for each.
		if at := max(l.nextWakeup(now), l.lastPoll+pollInterval); l.wakeAt == 0 || at < l.wakeAt {
			l.wakeAt = at
			l.c.Timer.Reset(at - l.elapsed())
		}
		select {
		case <-l.c.Timer.C():
			l.wakeAt = 0
		case b := <-l.answers:
			l.handleAnswer(b)
			l.handleAnswers()
		case <-l.controls.changed:
			l.applyControls(l.elapsed())
		case <-stop:
			stop = nil
			l.stop(endreason.FromContext(drain))
		}
	}
}

// nextWakeup returns when there is something to do that no answer triggers.
func (l *loop) nextWakeup(now time.Duration) time.Duration {
	at := now + maxSleep
	switch {
	case l.draining && (l.scheduled.len() > 0 || l.hasQueued()):
		return now
	case l.draining && !l.aborted:
		return l.abortAt
	case l.draining:
		return at
	}
	if l.cutAt > 0 {
		at = min(at, l.cutAt)
	}
	if l.end == "" {
		if next, ok := l.nextArrival(); ok {
			at = min(at, next.Sub(l.startedAt))
		}
		if end, ok := l.schedule.End(); ok {
			at = min(at, end.Sub(l.startedAt))
		}
		if l.c.AutoStop > 0 {
			at = min(at, l.c.AutoStop)
		}
	}
	if l.scheduled.len() > 0 {
		at = min(at, l.scheduled.firstDue())
	}
	for t := range l.queues {
		if q := &l.queues[t]; q.hits > 0 {
			// A batch is sent although it is not full, or hits that could not be sent are shed.
			due := q.oldestDue() + l.c.BatchDelay
			if due <= now {
				due += maxQueueTime
			}
			at = min(at, due)
		}
	}
	return at
}

// hasQueued reports whether hits wait for a request.
func (l *loop) hasQueued() bool {
	for t := range l.queues {
		if l.queues[t].hits > 0 {
			return true
		}
	}
	return false
}

// finish ends the arrivals; open visits continue to their end.
func (l *loop) finish(why endreason.Reason) {
	l.end = why
	l.phase.Store(phase.Draining)
}

// stop ends the arrivals, abandons what is not in flight, and gives requests in flight some time to end.
func (l *loop) stop(why endreason.Reason) {
	if !l.draining {
		l.draining, l.abortAt = true, l.elapsed()+drainTimeout
		l.finish(why)
	}
}

// abandonSome abandons some of the idle visits, and aborts requests that exceed the drain timeout.
func (l *loop) abandonSome(now time.Duration) {
	for range min(maxAbandonsPerPass, l.scheduled.len()) {
		l.abandon(l.scheduled.popLast())
	}
	for t := range l.queues {
		for range min(maxAbandonsPerPass, l.queues[t].len()) {
			l.abandon(l.queues[t].pop())
		}
	}
	if now >= l.abortAt && !l.aborted {
		l.aborted = true
		l.c.Sender.Abort()
	}
}

// abandon records the rest of a visit as abandoned and closes it.
func (l *loop) abandon(o openVisit) {
	l.c.Visits.Outline(o.number, &l.visit)
	l.c.Ledger.End(int(o.target), &answer.Answer{Class: answer.Stopped}, ledger.CountKinds(l.visit.Hits[o.hit:]))
	l.cutVisits.Add(1)
	l.closeVisit(&o, len(l.visit.Hits))
}

// checkStandstills handles standstills of this process that have ended since the last call. Queued hits are too late
// now.
func (l *loop) checkStandstills() {
	if l.c.Clock.GapCount() == len(l.gaps) {
		return
	}
	for _, g := range l.c.Clock.Gaps(len(l.gaps)) {
		g = standstill.Gap{From: g.From - l.base, To: g.To - l.base}
		l.gaps = append(l.gaps, g)
		l.resumedAt = g.To
		l.abortAt += g.Length() // requests in flight could not end meanwhile
	}
	now := l.elapsed()
	for t := range l.queues {
		for q := &l.queues[t]; q.hits > 0; {
			l.miss(q.pop(), now)
		}
	}
}

// stoodStill reports whether this process stood still at some point between two times.
func (l *loop) stoodStill(from, to time.Duration) bool {
	for i := len(l.gaps) - 1; i >= 0 && l.gaps[i].To > from; i-- {
		if l.gaps[i].Overlaps(from, to) {
			return true
		}
	}
	return false
}
