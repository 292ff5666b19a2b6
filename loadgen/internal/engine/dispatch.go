package engine

import (
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/ledger"
	"github.com/puttrix/trafficinator/loadgen/internal/routing"
	"github.com/puttrix/trafficinator/shared/answer"
)

// enqueueDue moves visits whose next hits are due to the queues of their targets.
func (l *loop) enqueueDue(now time.Duration) {
	for o, due := l.scheduled.popDue(now); due; o, due = l.scheduled.popDue(now) {
		if o.due <= l.resumedAt && o.attempts == 0 {
			l.miss(o, now)
			continue
		}
		o.due = now
		l.queues[o.target].add(o)
	}
}

// dispatch passes queued hits to the pool, one target after the other. It reroutes or sheds what waited too long or
// belongs to a target that takes no hits.
func (l *loop) dispatch(now time.Duration) {
	l.firstTarget++
	at := l.began.Add(now)
	for i := range l.queues {
		t := (l.firstTarget + i) % len(l.queues)
		q := &l.queues[t]
		for q.hits > 0 {
			admission, due := l.c.Router.Admission(t, at), q.oldestDue()+l.c.BatchDelay
			switch {
			case admission == routing.Deny && l.stopIfAllFailed(): // its requests may still wait for late answers
				return
			case admission == routing.Deny:
				l.rerouteOrShed(q.pop(), answer.Breaker, now)
				continue
			case now >= due+maxQueueTime:
				l.rerouteOrShed(q.popOldest(), answer.Late, now)
				continue
			}
			if admission == routing.Wait || !l.hasSlot(q, admission, at) || q.hits < q.size.Max && now < due {
				break
			}
			l.send(t, now)
		}
	}
}

// hasSlot reports whether one more request to the target may be in flight: in its own slots, or in those that targets
// without traffic leave unused. Unanswered requests to a suspect target keep it neither from being probed nor from
// taking hits once it works again: one request at a time may go beside them.
func (l *loop) hasSlot(q *targetQueue, admission routing.Admission, at time.Time) bool {
	if q.inFlight < q.slots {
		q.suspect = false
		return true
	}
	q.suspect = q.suspect || admission == routing.AdmitOne
	if q.suspect && q.inFlight == q.pending {
		return true
	}
	unused := 0
	for t := range l.queues {
		other := &l.queues[t]
		if over := other.inFlight - other.slots; over >= 0 {
			unused -= over
		} else if l.c.Router.Admission(t, at) == routing.Deny {
			unused -= over + 1 // one is for its probe
		}
	}
	return unused > 0
}

// send passes a batch of the first visits in a queue to the pool. An unproven target gets a single hit, because Matomo
// counts every hit with a wrong token before it locks the address out.
func (l *loop) send(t int, now time.Duration) {
	q, b := &l.queues[t], l.newBatch()
	b.target, b.sent, b.maxHits = t, now, q.size.Max
	b.proven = l.c.Router.Begin(t, l.began.Add(now))
	q.inFlight++
	for hits := 0; q.hits > 0 && (b.proven || hits == 0); {
		if limit, ok := q.limits[q.head().number]; ok {
			b.maxHits = min(b.maxHits, limit)
		}
		if hits > 0 && hits+q.head().groupSize() > b.maxHits {
			break
		}
		o := q.pop()
		o.upTo = o.hit + uint16(min(o.groupSize(), b.maxHits))
		if !b.proven {
			o.upTo = o.hit + 1
		}
		o.sent = true
		hits += o.groupSize()
		b.visits = append(b.visits, o)
	}
	l.jobs <- b
}

func (l *loop) newBatch() *batch {
	last := len(l.spare) - 1
	if last < 0 {
		return &batch{}
	}
	b := l.spare[last]
	l.spare = l.spare[:last]
	return b
}

// rerouteOrShed handles a visit whose target takes no hits, or not in time: before its first hit it moves to another
// target if its own has failed or is suspect; otherwise its hits are shed.
func (l *loop) rerouteOrShed(o openVisit, why answer.Class, now time.Duration) {
	if !o.sent {
		if to := l.c.Router.Pick(o.number, l.began.Add(now)); to != int(o.target) {
			l.c.Visits.Outline(o.number, &l.visit)
			l.c.Ledger.Move(int(o.target), to, ledger.CountKinds(l.visit.Hits))
			o.target, o.due = uint16(to), now // its wait starts again
			l.setRecordedStart(&o)
			l.queues[to].add(o)
			return
		}
	}
	l.shed(o, why, now)
}

// shed records that the next hits are not sent. A visit whose first hit is not sent does not take place.
func (l *loop) shed(o openVisit, why answer.Class, now time.Duration) {
	l.c.Visits.Outline(o.number, &l.visit)
	last := answer.Answer{Class: why}
	if o.attempts > 0 { // it was tried and certainly not accepted
		last.Class, last.Status = o.class, int(o.status)
	}
	if !o.sent {
		o.upTo = uint16(len(l.visit.Hits))
	}
	l.c.Ledger.End(int(o.target), &last, ledger.CountKinds(l.visit.Hits[o.hit:o.upTo]))
	o.hit, o.attempts = o.upTo, 0
	l.continueVisit(o, now)
}
