package engine

import (
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/ledger"
	"github.com/puttrix/trafficinator/loadgen/internal/tracking"
	"github.com/puttrix/trafficinator/loadgen/internal/visit"
	"github.com/puttrix/trafficinator/loadgen/internal/visitor"
	"github.com/puttrix/trafficinator/shared/answer"
)

// batch is one request on its way: the visits whose hits it carries, and what the pool found out about them. The
// loop uses batches again, so that sending makes no garbage.
type batch struct {
	target  int
	proven  bool
	maxHits int // hits of a request to the target
	// sent and answered count from the beginning of the run.
	sent, answered time.Duration
	visits         []openVisit

	kinds      ledger.Kinds
	hits       []sentHit         // those of the first visit first
	remainders []remainder       // by visit
	visitors   []visitor.Visitor // by visit
	result     tracking.Result
	// reported says that the router knows of the result, and atWork that the target may still be at work on the
	// request.
	reported, atWork bool
	// pending says that its time is over and its answer is waited for.
	pending bool
}

// sentHit is what is needed to book a hit; its class and latency come with the answer.
type sentHit struct {
	ledger.Answered
	intended time.Duration
	recorded int64
}

// remainder is what comes after the hits of a visit that were sent.
type remainder struct {
	hits int // of the whole visit
	// due is when the next is due, and upTo where the group ends that goes with it.
	due  time.Duration
	upTo uint16
}

// class is what the answer means for hit i of the batch.
func (b *batch) class(i int) answer.Class { return b.result.HitClass(i, len(b.hits)) }

// worker is one goroutine of the pool.
type worker struct {
	*Engine
	request Request
	visit   visit.Visit
}

// serve makes the hits of a batch, sends them and waits for the answer, until its time is over.
func (w *worker) serve(b *batch) {
	b.kinds, b.hits, b.remainders, b.visitors = ledger.Kinds{}, b.hits[:0], b.remainders[:0], b.visitors[:0]
	w.request.Begin(b.target, b.proven)
	for i := range b.visits {
		o := b.visits[i]
		w.c.Visits.Outline(o.number, &w.visit)
		w.c.Visits.Fill(&w.visit, int(o.upTo))
		for ; o.hit < o.upTo; o.hit++ {
			w.add(b, &o)
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

// isFinal says that no visit of the batch has hits left.
func (b *batch) isFinal() bool {
	for i := range b.visits {
		if int(b.visits[i].upTo) < b.remainders[i].hits {
			return false
		}
	}
	return true
}

// add adds the next hit of o.
func (w *worker) add(b *batch, o *openVisit) {
	h := &w.visit.Hits[o.hit]
	at := o.recordedAt(h, w.began.Add(b.sent))
	w.request.Add(&w.visit, int(o.hit), time.Unix(at, 0))
	b.hits = append(b.hits, sentHit{ledger.SentHit(&w.visit, int(o.hit)), o.start + h.SendOffset, at})
	b.kinds[h.RecordedAs]++
}
