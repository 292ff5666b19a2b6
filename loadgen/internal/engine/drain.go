package engine

import (
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/ledger"
	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/endreason"
	"github.com/puttrix/trafficinator/shared/phase"
)

// maxAbandonsPerPass is how many visits are abandoned before answers are handled again: about a millisecond's work.
const maxAbandonsPerPass = 1000

// continueVisit schedules the next hits of the visit outlined last after some were not sent, or closes it.
func (l *loop) continueVisit(o openVisit, now time.Duration) {
	delete(l.queues[o.target].limits, o.number) // its next hits may be small
	if int(o.hit) == len(l.visit.Hits) {
		l.closeVisit(&o, len(l.visit.Hits))
		return
	}
	o.setGroup(&l.visit, now, l.c.Batch)
	o.due = o.start + l.visit.Hits[o.hit].SendOffset
	l.scheduled.push(o)
}

// closeVisit records the outcome of a visit.
func (l *loop) closeVisit(o *openVisit, hits int) {
	l.open--
	delete(l.queues[o.target].limits, o.number)
	l.c.Ledger.CloseVisit(int(o.target), o.Outcome(hits, o.sent))
}

// abandon records the rest of a visit as abandoned and closes it.
func (l *loop) abandon(o openVisit) {
	l.c.Visits.Outline(o.number, &l.visit)
	l.c.Ledger.End(int(o.target), &answer.Answer{Class: answer.Stopped}, ledger.CountKinds(l.visit.Hits[o.hit:]))
	l.cutVisits.Add(1)
	l.closeVisit(&o, len(l.visit.Hits))
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

// idleVisits returns the number of open visits with nothing in flight.
func (l *loop) idleVisits() int {
	n := l.scheduled.len()
	for t := range l.queues {
		n += l.queues[t].len()
	}
	return n
}

// abandonSome abandons some of the visits with nothing in flight, and aborts requests that exceed the drain timeout.
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
