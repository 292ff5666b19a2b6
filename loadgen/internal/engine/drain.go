package engine

import (
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/ledger"
	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/endreason"
	"github.com/puttrix/trafficinator/shared/phase"
)

// maxAbandonsPerPass is how many visits are abandoned between two looks at the answers: about a millisecond's work.
const maxAbandonsPerPass = 1000

// rerouteOrShed deals with a visit whose target takes no hits, or not in time: before its first hit it goes to another where
// its own has failed or is in doubt, else the hits are shed.
func (l *loop) rerouteOrShed(o openVisit, why answer.Class, now time.Duration) {
	if !o.sent {
		if to := l.c.Router.Pick(o.number, l.began.Add(now)); to != int(o.target) {
			l.c.Visits.Outline(o.number, &l.visit)
			l.c.Ledger.Move(int(o.target), to, ledger.CountKinds(l.visit.Hits))
			o.target, o.due = uint16(to), now // it begins to wait there
			l.setRecordedStart(&o)
			l.queues[to].add(o)
			return
		}
	}
	l.shed(o, why, now)
}

// shed books the next hits as not sent. A visit whose first hit is not sent does not happen at all.
func (l *loop) shed(o openVisit, why answer.Class, now time.Duration) {
	l.c.Visits.Outline(o.number, &l.visit)
	said := answer.Answer{Class: why}
	if o.attempts > 0 { // it was tried and surely not taken
		said.Class, said.Status = o.class, int(o.status)
	}
	if !o.sent {
		o.upTo = uint16(len(l.visit.Hits))
	}
	l.c.Ledger.End(int(o.target), &said, ledger.CountKinds(l.visit.Hits[o.hit:o.upTo]))
	o.hit, o.attempts = o.upTo, 0
	l.continueVisit(o, now)
}

// continueVisit goes on with a visit after hits that were not sent, or closes it. It was made last.
func (l *loop) continueVisit(o openVisit, now time.Duration) {
	delete(l.queues[o.target].split, o.number) // its next hits may be small
	if int(o.hit) == len(l.visit.Hits) {
		l.closeVisit(&o, len(l.visit.Hits))
		return
	}
	o.setGroup(&l.visit, now, l.c.Batch)
	o.due = o.start + l.visit.Hits[o.hit].SendOffset
	l.scheduled.push(o)
}

// abandon books all that is left of a visit and closes it.
func (l *loop) abandon(o openVisit) {
	l.c.Visits.Outline(o.number, &l.visit)
	l.c.Ledger.End(int(o.target), &answer.Answer{Class: answer.Stopped}, ledger.CountKinds(l.visit.Hits[o.hit:]))
	l.cutVisits.Add(1)
	l.closeVisit(&o, len(l.visit.Hits))
}

// finish lets no visit begin any more; open ones go on to their end.
func (l *loop) finish(why endreason.Reason) {
	l.end = why
	l.phase.Store(phase.Draining)
}

// stop lets no visit begin, abandons what is not in flight, and gives requests in flight their time.
func (l *loop) stop(why endreason.Reason) {
	if l.draining {
		return
	}
	l.end, l.draining, l.abortAt = why, true, l.elapsed()+drainTimeout
	l.phase.Store(phase.Draining)
}

// idleVisits is the number of open visits of which nothing is in flight.
func (l *loop) idleVisits() int {
	n := l.scheduled.len()
	for t := range l.queues {
		n += l.queues[t].started.n + l.queues[t].unstarted.n
	}
	return n
}

// abandonSome abandons some of the visits of which nothing is in flight, and breaks off requests whose time is over.
func (l *loop) abandonSome(now time.Duration) {
	for range min(maxAbandonsPerPass, l.scheduled.len()) {
		l.abandon(l.scheduled.popLast())
	}
	for t := range l.queues {
		for range min(maxAbandonsPerPass, l.queues[t].started.n+l.queues[t].unstarted.n) {
			l.abandon(l.queues[t].pop())
		}
	}
	if now >= l.abortAt && !l.aborted {
		l.aborted = true
		l.c.Sender.Abort()
	}
}

// closeVisit books what became of a visit.
func (l *loop) closeVisit(o *openVisit, hits int) {
	l.open--
	delete(l.queues[o.target].split, o.number)
	l.c.Ledger.CloseVisit(int(o.target), o.Outcome(hits, o.sent), 0)
}
