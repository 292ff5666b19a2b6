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

// dispatch passes queued hits to the pool, one target after the other. It reroutes or sheds hits that waited too long
// or whose target takes none.
func (l *loop) dispatch(now time.Duration) {
	l.firstTarget++
	at := l.startedAt.Add(now)
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
// without traffic leave unused. A suspect target whose requests have all timed out gets one more, as a probe.
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
			unused -= over + 1 // reserves one for its probe
		}
	}
	return unused > 0
}

// send passes a batch of the first visits in a queue to the pool. An unproven target gets a single hit, because Matomo
// locks the address out after a number of hits with a wrong token.
func (l *loop) send(t int, now time.Duration) {
	q, b := &l.queues[t], (*batch)(nil)
	if last := len(l.spare) - 1; last >= 0 {
		b, l.spare = l.spare[last], l.spare[:last]
	} else {
		b = &batch{}
	}
	b.target, b.sent, b.maxHits = t, now, q.size.Max
	b.proven = l.c.Router.Begin(t, l.startedAt.Add(now))
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

// rerouteOrShed moves a visit that has sent no hit to a target that takes hits, or sheds its next hits.
func (l *loop) rerouteOrShed(o openVisit, why answer.Class, now time.Duration) {
	if !o.sent {
		if to := l.c.Router.Pick(o.number, l.startedAt.Add(now)); to != int(o.target) {
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

// shed drops the next hits of a visit, or the entire visit if it has sent none.
func (l *loop) shed(o openVisit, why answer.Class, now time.Duration) {
	l.c.Visits.Outline(o.number, &l.visit)
	last := answer.Answer{Class: why}
	if o.attempts > 0 { // an attempt was certainly not accepted
		last.Class, last.Status = o.class, int(o.status)
	}
	if !o.sent {
		o.upTo = uint16(len(l.visit.Hits))
	}
	l.c.Ledger.End(int(o.target), &last, ledger.CountKinds(l.visit.Hits[o.hit:o.upTo]))
	o.hit, o.attempts = o.upTo, 0
	l.continueVisit(o, now)
}

// miss sheds the hits of a visit that fell due before the end of the last standstill, so that no burst follows, or the
// entire visit if it has sent none. A hit that is being retried is kept.
func (l *loop) miss(o openVisit, now time.Duration) {
	if o.attempts > 0 {
		o.due = now
		l.scheduled.push(o)
		return
	}
	l.c.Visits.Outline(o.number, &l.visit)
	upTo := len(l.visit.Hits)
	if o.sent {
		upTo = int(o.hit) + 1
		for upTo < len(l.visit.Hits) && o.start+l.visit.Hits[upTo].SendOffset <= l.resumedAt {
			upTo++
		}
	}
	l.c.Ledger.Miss(int(o.target), len(l.gaps)-1, ledger.CountKinds(l.visit.Hits[o.hit:upTo]), !o.sent)
	o.hit = uint16(upTo)
	l.continueVisit(o, now)
}

// continueVisit schedules the next hits of the visit outlined last, or closes it.
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

func (l *loop) closeVisit(o *openVisit, hits int) {
	l.open--
	delete(l.queues[o.target].limits, o.number)
	l.c.Ledger.CloseVisit(int(o.target), o.Outcome(hits, o.sent))
}
