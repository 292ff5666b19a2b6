package engine

import (
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/ledger"
	"github.com/puttrix/trafficinator/loadgen/internal/tracking"
	"github.com/puttrix/trafficinator/loadgen/internal/visit"
	"github.com/puttrix/trafficinator/loadgen/internal/visitor"
	"github.com/puttrix/trafficinator/shared/answer"
)

// batch is one request: the visits whose hits it carries, and what the worker adds. The loop reuses batches, so that
// sending allocates nothing.
type batch struct {
	target         int
	proven         bool
	maxHits        int           // per request to the target
	sent, answered time.Duration // since the start of the run
	visits         []openVisit

	kinds      ledger.Kinds
	hits       []sentHit         // in the order of visits
	remainders []remainder       // by visit
	visitors   []visitor.Visitor // by visit
	result     tracking.Result
	reported   bool // the router knows the result
	atWork     bool // the target may still be working on the request
	pending    bool // it has timed out and its late answer is awaited
}

// sentHit is what is needed to record a hit; class and latency come with the answer.
type sentHit struct {
	ledger.Answered
	intended time.Duration
	recorded int64
}

// remainder describes what follows the hits of a visit in a batch.
type remainder struct {
	hits int           // of the visit in total
	due  time.Duration // of the next hit
	upTo uint16        // end of its group
}

// isFinal reports whether no visit of the batch has hits left.
func (b *batch) isFinal() bool {
	for i := range b.visits {
		if int(b.visits[i].upTo) < b.remainders[i].hits {
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

// serve generates the hits of a batch, sends them, and waits for the answer or the timeout.
func (w *worker) serve(b *batch) {
	b.kinds, b.hits, b.remainders, b.visitors = ledger.Kinds{}, b.hits[:0], b.remainders[:0], b.visitors[:0]
	w.request.Begin(b.target, b.proven)
	for _, o := range b.visits {
		w.c.Visits.Outline(o.number, &w.visit)
		w.c.Visits.Fill(&w.visit, int(o.upTo))
		for ; o.hit < o.upTo; o.hit++ {
			i := int(o.hit)
			h := &w.visit.Hits[i]
			at := o.recordedAt(h, w.began.Add(b.sent))
			w.request.Add(&w.visit, i, time.Unix(at, 0))
			b.hits = append(b.hits, sentHit{ledger.SentHit(&w.visit, i), o.start + h.SendOffset, at})
			b.kinds[h.RecordedAs]++
		}
		r := remainder{hits: len(w.visit.Hits)}
		if int(o.hit) < r.hits {
			o.setGroup(&w.visit, b.sent, b.maxHits)
			r.due, r.upTo = o.start+w.visit.Hits[o.hit].SendOffset, o.upTo
		}
		b.remainders, b.visitors = append(b.remainders, r), append(b.visitors, w.visit.AsReported())
	}
	w.c.Ledger.Send(b.target, b.kinds)
	b.result = w.request.Send()
	b.answered = w.elapsed()
	b.reported, b.atWork = false, b.result.MayBeProcessing()
}

// openVisit is the state of a visit that has started. It is small and without pointers, because there may be millions.
type openVisit struct {
	number uint64
	// start is when the first hit is due; due is when the next hit is due or, in a queue, since when it waits. Both are
	// durations since the start of the run.
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

// groupSize returns the number of hits in the next request.
func (o *openVisit) groupSize() int { return int(o.upTo - o.hit) }

// recordedAt returns the Unix time at which a hit sent at sent is recorded.
func (o *openVisit) recordedAt(h *visit.Hit, sent time.Time) int64 {
	if o.recordedStart == 0 {
		return sent.Unix()
	}
	return int64(o.recordedStart) + int64(h.Offset/time.Second)
}

// setGroup sets which hits go in the next request: those that are due by now, at most limit and at least one.
func (o *openVisit) setGroup(v *visit.Visit, now time.Duration, limit int) {
	o.upTo = o.hit + 1
	for int(o.upTo) < len(v.Hits) && o.groupSize() < limit && o.start+v.Hits[o.upTo].SendOffset <= now {
		o.upTo++
	}
}

// record adds the outcome of the next hit.
func (o *openVisit) record(h *sentHit, days *days) {
	o.hit++
	o.Add(h.Class.Outcome(), h.Kind, h.recorded, o.LastAction > 0 && days.sameDay(int64(o.LastAction), h.recorded))
}
