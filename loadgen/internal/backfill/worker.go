package backfill

import (
	"context"

	"github.com/puttrix/trafficinator/loadgen/internal/engine"
	"github.com/puttrix/trafficinator/loadgen/internal/ledger"
	"github.com/puttrix/trafficinator/loadgen/internal/visit"
	"github.com/puttrix/trafficinator/loadgen/internal/visitor"
	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/outcome"
)

// worker is one goroutine that sends batches, one after the other.
type worker struct {
	*Job
	to    engine.Request
	visit visit.Visit

	// Of the batch: its hits by kind and one by one, then by visit who it is and how many hits it has.
	kinds    ledger.Kinds
	hits     []sent
	who      []visitor.Visitor
	length   []int
	answered []ledger.Answered
}

// sent is what is needed to book a hit; its class and latency come with the answer.
type sent struct {
	ledger.Answered
	visit int // of the batch
	at    int64
}

// serve sends a batch, unless a job before has, and books what became of it.
func (s *worker) serve(ctx context.Context, b *batch) {
	s.generate(b)
	s.recordPlanned(b)
	if b.known == nil {
		s.sendAfterGate(ctx, b)
		return
	}
	answered := b.known.Latency != 0
	if answered {
		s.c.Ledger.Send(b.span.Target, s.kinds)
	}
	s.account(b, *b.known, answered)
	s.gates.open(b)
}

// sendAfterGate sends a batch after those that go ahead of it.
func (s *worker) sendAfterGate(ctx context.Context, b *batch) {
	if !s.gates.enter(ctx, b) {
		s.postpone(b, &answer.Answer{Class: answer.Stopped})
		return
	}
	defer s.gates.leave(b)
	s.send(ctx, b)
}

// generate makes the hits of a batch.
func (s *worker) generate(b *batch) {
	b.number = s.numbered.Add(1) - 1
	s.kinds, s.hits, s.who, s.length = ledger.Kinds{}, s.hits[:0], s.who[:0], s.length[:0]
	for i, at := range b.visits {
		s.generateVisit(at.number)
		for h := range s.visit.Hits {
			drawn := &s.visit.Hits[h]
			s.kinds[drawn.RecordedAs]++
			s.hits = append(s.hits, sent{ledger.SentHit(&s.visit, h), i, at.hitTime(drawn).Unix()})
		}
		s.who, s.length = append(s.who, s.visit.AsReported()), append(s.length, len(s.visit.Hits))
	}
}

// recordPlanned books that the visits of a batch begin.
func (s *worker) recordPlanned(b *batch) {
	first := 0
	for _, n := range s.length {
		var kinds ledger.Kinds
		for _, h := range s.hits[first : first+n] {
			kinds[h.Kind]++
		}
		s.c.Ledger.PlanUnscheduled(b.span.Target, kinds)
		first += n
	}
}

func (s *worker) generateVisit(number uint64) {
	s.c.Visits.Outline(number, &s.visit)
	s.c.Visits.Fill(&s.visit, len(s.visit.Hits))
}

// postpone books that a batch is not sent now. It is no part of the days' account: it goes when the job is resumed.
func (s *worker) postpone(b *batch, why *answer.Answer) {
	s.unfinished.Store(true)
	fate := ledger.Unsent
	if why.Class.Outcome() == outcome.Failed {
		fate = ledger.Lost
	}
	s.c.Ledger.End(b.span.Target, why, s.kinds)
	for range b.visits {
		s.c.Ledger.CloseVisit(b.span.Target, fate)
	}
}
