package engine

import (
	"container/heap"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/ledger"
	"github.com/puttrix/trafficinator/loadgen/internal/tracking"
	"github.com/puttrix/trafficinator/loadgen/internal/visit"
)

// openVisit is a visit that has begun: what is needed to go on with it. Its hits are made again from its number.
type openVisit struct {
	number uint64
	target int
	// start is the intended moment of the first hit; base is the recorded one, zero in a live visit.
	start, base time.Time
	// hit is the next hit: kind is what it will be booked as, intended when it should be sent, due when it will be
	// tried, ready since when it waits for a request.
	hit                  int
	kind                 visit.Kind
	intended, due, ready time.Time
	attempts             int

	accepted, unknown, sent int
	// opened says that an action was accepted, the latest of them recorded at last.
	opened bool
	last   time.Time
	splits int
}

// recorded is the moment that a hit sent at sent is recorded at: that itself where the visit is live.
func (o *openVisit) recorded(h *visit.Hit, sent time.Time) time.Time {
	if o.base.IsZero() {
		return sent
	}
	return o.base.Add(h.Offset)
}

// book takes in the outcome of the next hit, h, recorded at at.
func (o *openVisit) book(outcome tracking.Outcome, h *visit.Hit, at time.Time, zone *time.Location) {
	switch outcome {
	case tracking.Unknown:
		o.unknown++
	case tracking.Accepted:
		o.accepted++
		if h.Kind == visit.Ping { // opens no visit and keeps none open
			return
		}
		if o.opened && (at.Sub(o.last) > visit.MaxGap || !sameDay(o.last, at, zone)) {
			o.splits++
		}
		o.opened, o.last = true, at
	}
}

func (o *openVisit) fate(hits int) ledger.Fate {
	switch {
	case o.accepted == hits:
		return ledger.Complete
	case o.opened:
		return ledger.Partial
	case o.unknown > 0:
		return ledger.Uncertain
	case o.sent > 0:
		return ledger.Lost
	default:
		return ledger.Unsent
	}
}

func sameDay(a, b time.Time, zone *time.Location) bool {
	ay, am, ad := a.In(zone).Date()
	by, bm, bd := b.In(zone).Date()
	return ay == by && am == bm && ad == bd
}

// endBefore shifts a visit that would cross midnight of the zone to end a second before it: Matomo cuts visits at
// midnight of the site (create_new_visit_after_midnight).
func endBefore(base time.Time, length time.Duration, zone *time.Location) time.Time {
	end := base.Add(length)
	if sameDay(base, end, zone) {
		return base
	}
	y, m, d := end.In(zone).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, zone).Add(-time.Second - length)
}

// timers are open visits by the moment their next hit is due.
type timers []*openVisit

func (t timers) Len() int           { return len(t) }
func (t timers) Less(i, j int) bool { return t[i].due.Before(t[j].due) }
func (t timers) Swap(i, j int)      { t[i], t[j] = t[j], t[i] }

// Push implements heap.Interface.
func (t *timers) Push(x any) { *t = append(*t, x.(*openVisit)) }

// Pop implements heap.Interface.
func (t *timers) Pop() any {
	old := *t
	last := old[len(old)-1]
	old[len(old)-1] = nil
	*t = old[:len(old)-1]
	return last
}

func (t *timers) add(o *openVisit) { heap.Push(t, o) }

// next is the visit that is due first and due by now, nil where none is.
func (t *timers) next(now time.Time) *openVisit {
	if len(*t) == 0 || (*t)[0].due.After(now) {
		return nil
	}
	return heap.Pop(t).(*openVisit)
}
