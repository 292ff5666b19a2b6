package engine

import (
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/ledger"
	"github.com/puttrix/trafficinator/loadgen/internal/standstill"
)

// checkStandstills handles standstills of this process that have ended since the last call. What was queued then is too
// late now.
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

// miss sheds those hits of a visit that fell due up to the end of the last standstill; later ones are sent when due, so
// that no burst follows. A visit whose first hit is missed does not take place. A hit that is being retried is kept: it
// did not fall due now.
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
