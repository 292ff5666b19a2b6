package engine

import (
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/ledger"
	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/endreason"
	"github.com/puttrix/trafficinator/shared/phase"
)

// clearAtOnce is how many visits are abandoned between two looks at the answers: about a millisecond's work.
const clearAtOnce = 1000

// turnAway deals with a visit whose target takes no hits, or not in time: before its first hit it goes to another where
// its own has failed or is in doubt, else the hits are shed.
func (l *loop) turnAway(o openVisit, why answer.Class, now time.Duration) {
	if !o.sent {
		if to := l.c.Router.Pick(o.number, l.began.Add(now)); to != int(o.target) {
			l.c.Visits.Outline(o.number, &l.visit)
			l.c.Ledger.Move(int(o.target), to, ledger.KindsOf(l.visit.Hits))
			o.target, o.due = uint16(to), now // it begins to wait there
			l.date(&o)
			l.lanes[to].add(o)
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
	l.c.Ledger.End(int(o.target), &said, ledger.KindsOf(l.visit.Hits[o.hit:o.upTo]))
	o.hit, o.attempts = o.upTo, 0
	l.rest(o, now)
}

// rest goes on with a visit after hits that were not sent, or closes it. It was made last.
func (l *loop) rest(o openVisit, now time.Duration) {
	delete(l.lanes[o.target].split, o.number) // its next hits may be small
	if int(o.hit) == len(l.visit.Hits) {
		l.close(&o, len(l.visit.Hits))
		return
	}
	o.group(&l.visit, now, l.c.Batch)
	o.due = o.start + l.visit.Hits[o.hit].Wait
	l.timers.add(o)
}

// abandon books all that is left of a visit and closes it.
func (l *loop) abandon(o openVisit) {
	l.c.Visits.Outline(o.number, &l.visit)
	l.c.Ledger.End(int(o.target), &answer.Answer{Class: answer.Stopped}, ledger.KindsOf(l.visit.Hits[o.hit:]))
	l.cut.Add(1)
	l.close(&o, len(l.visit.Hits))
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
	l.end, l.draining, l.giveUp = why, true, l.elapsed()+drainTime
	l.phase.Store(phase.Draining)
}

// idle is the number of open visits of which nothing is in flight.
func (l *loop) idle() int {
	n := l.timers.len()
	for t := range l.lanes {
		n += l.lanes[t].begun.n + l.lanes[t].fresh.n
	}
	return n
}

// clear abandons some of the visits of which nothing is in flight, and breaks off requests whose time is over.
func (l *loop) clear(now time.Duration) {
	for range min(clearAtOnce, l.timers.len()) {
		l.abandon(l.timers.last())
	}
	for t := range l.lanes {
		for range min(clearAtOnce, l.lanes[t].begun.n+l.lanes[t].fresh.n) {
			l.abandon(l.lanes[t].pop())
		}
	}
	if now >= l.giveUp && !l.broken {
		l.broken = true
		l.c.Sender.Break()
	}
}

// close books what became of a visit.
func (l *loop) close(o *openVisit, hits int) {
	l.open--
	delete(l.lanes[o.target].split, o.number)
	l.c.Ledger.Close(int(o.target), o.Fate(hits, o.sent), 0)
}
