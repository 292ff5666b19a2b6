package engine

import (
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/ledger"
	"github.com/puttrix/trafficinator/loadgen/internal/tracking"
	"github.com/puttrix/trafficinator/loadgen/internal/visit"
	"github.com/puttrix/trafficinator/loadgen/internal/visitor"
	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/calendar"
)

// batch is one request: its visits, and what the worker adds. The loop reuses batches, so that sending allocates
// nothing.
type batch struct {
	target         int
	proven         bool
	maxHits        int           // per request to the target
	sent, answered time.Duration // since the start of the run
	visits         []openVisit

	kinds    ledger.Kinds
	hits     []sentHit   // in the order of visits
	sending  []sentVisit // by visit
	result   tracking.Result
	reported bool // the result was reported to the router
	atWork   bool // the target may still be working on the request
	pending  bool // it has timed out and its late answer is awaited
}

// sentHit is what is needed to record a hit; class and latency come with the answer.
type sentHit struct {
	ledger.Answered
	intended time.Duration
	recorded int64
}

// sentVisit is the visitor of a visit in a batch, and what follows its hits there.
type sentVisit struct {
	visitor visitor.Visitor
	hits    int           // of the visit in total
	due     time.Duration // of the next hit
	upTo    uint16        // end of its group
}

// isFinal reports whether no visit of the batch has hits left.
func (b *batch) isFinal() bool {
	for i := range b.visits {
		if int(b.visits[i].upTo) < b.sending[i].hits {
			return false
		}
	}
	return true
}

// worker is one goroutine of the pool.
type worker struct {
	*Engine
	request Request
	visit   visit.Visit
}

// serve generates the hits of a batch and sends them.
func (w *worker) serve(b *batch) {
	b.kinds, b.hits, b.sending = ledger.Kinds{}, b.hits[:0], b.sending[:0]
	w.request.Begin(b.target, b.proven)
	for _, o := range b.visits {
		w.c.Visits.Outline(o.number, &w.visit)
		w.c.Visits.Fill(&w.visit, int(o.upTo))
		for ; o.hit < o.upTo; o.hit++ {
			i := int(o.hit)
			h := &w.visit.Hits[i]
			at := o.recordedAt(h, w.startedAt.Add(b.sent))
			w.request.Add(&w.visit, i, time.Unix(at, 0))
			b.hits = append(b.hits, sentHit{ledger.SentHit(&w.visit, i), o.start + h.SendOffset, at})
			b.kinds[h.RecordedAs]++
		}
		s := sentVisit{visitor: w.visit.AsReported(), hits: len(w.visit.Hits)}
		if int(o.hit) < s.hits {
			o.setGroup(&w.visit, b.sent, b.maxHits)
			s.due, s.upTo = o.start+w.visit.Hits[o.hit].SendOffset, o.upTo
		}
		b.sending = append(b.sending, s)
	}
	w.c.Ledger.Send(b.target, b.kinds)
	b.result = w.request.Send()
	b.answered = w.elapsed()
	b.reported, b.atWork = false, b.result.MayBeProcessing()
}

// openVisit is the state of a visit that has started. It is small and without pointers, because there may be millions.
type openVisit struct {
	number uint64
	// Since the start of the run: start is when the first hit is due; due is when the next is due or was queued.
	start, due time.Duration
	ledger.VisitState
	recordedStart uint32 // recorded time of the first hit as a Unix time, 0 in a live visit
	target        uint16
	hit, upTo     uint16 // the next hit, and the end of the group that goes in one request
	attempts      uint8  // to send the group
	class         answer.Class
	status        uint16 // class and status of the last attempt
	sent          bool   // some hit was sent
}

func (o *openVisit) groupSize() int { return int(o.upTo - o.hit) }

// recordedAt returns the Unix time at which a hit sent at sent is recorded.
func (o *openVisit) recordedAt(h *visit.Hit, sent time.Time) int64 {
	if o.recordedStart == 0 {
		return sent.Unix()
	}
	return int64(o.recordedStart) + int64(h.Offset/time.Second)
}

// setGroup sets which hits go in the next request: those that are due by now, up to limit and at least one.
func (o *openVisit) setGroup(v *visit.Visit, now time.Duration, limit int) {
	o.upTo = o.hit + 1
	for int(o.upTo) < len(v.Hits) && o.groupSize() < limit && o.start+v.Hits[o.upTo].SendOffset <= now {
		o.upTo++
	}
}

// days finds the midnights of a site's time zone. It caches one day, because nearly all calls are about the same.
type days struct {
	zone     *time.Location
	from, to int64 // midnights of the cached day as Unix times
}

// nextMidnight returns the midnight after the Unix time t.
func (d *days) nextMidnight(t int64) int64 {
	if t < d.from || t >= d.to {
		date := calendar.DateOf(time.Unix(t, 0).In(d.zone))
		d.from, d.to = date.Start(d.zone).Unix(), date.Add(1).Start(d.zone).Unix()
	}
	return d.to
}

// midnight returns the start of the day of the Unix time t.
func (d *days) midnight(t int64) int64 {
	d.nextMidnight(t)
	return d.from
}

// sameDay reports whether two Unix times are of one day; a is the earlier.
func (d *days) sameDay(a, b int64) bool { return b < d.nextMidnight(a) }

// fitInDay returns start, or an earlier start with which a visit of length seconds does not cross midnight, where
// Matomo splits visits (create_new_visit_after_midnight).
func (d *days) fitInDay(start, length int64) int64 {
	if midnight := d.nextMidnight(start); start+length >= midnight {
		return midnight - 1 - length
	}
	return start
}
