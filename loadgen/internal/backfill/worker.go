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

// shard is one goroutine that sends batches, one after the other.
type shard struct {
	*Job
	to    engine.Request
	visit visit.Visit

	// Of the batch: its hits by kind and one by one, then by visit who it is and how many hits it has.
	kinds  ledger.Kinds
	hits   []sent
	who    []visitor.Visitor
	length []int
	booked []ledger.Answered
}

// sent is what is needed to book a hit; its class and latency come with the answer.
type sent struct {
	ledger.Answered
	visit int // of the batch
	at    int64
}

// serve sends a batch, unless a job before has, and books what became of it.
func (s *shard) serve(ctx context.Context, b *batch) {
	s.load(b)
	s.plan(b)
	if b.found == nil {
		s.inTurn(ctx, b)
		return
	}
	answered := b.found.Latency != 0
	if answered {
		s.c.Ledger.Send(b.span.Target, s.kinds)
	}
	s.book(b, *b.found, answered)
	s.turns.skip(b)
}

// inTurn sends a batch after those that go ahead of it.
func (s *shard) inTurn(ctx context.Context, b *batch) {
	if !s.turns.begin(ctx, b) {
		s.leave(b, &answer.Answer{Class: answer.Stopped})
		return
	}
	defer s.turns.end(b)
	s.send(ctx, b)
}

// load makes the hits of a batch.
func (s *shard) load(b *batch) {
	b.number = s.made.Add(1) - 1
	s.kinds, s.hits, s.who, s.length = ledger.Kinds{}, s.hits[:0], s.who[:0], s.length[:0]
	for i, at := range b.visits {
		s.draw(at.number)
		for h := range s.visit.Hits {
			drawn := &s.visit.Hits[h]
			s.kinds[drawn.RecordedAs]++
			s.hits = append(s.hits, sent{ledger.SentHit(&s.visit, h), i, at.moment(drawn).Unix()})
		}
		s.who, s.length = append(s.who, s.visit.AsReported()), append(s.length, len(s.visit.Hits))
	}
}

// plan books that the visits of a batch begin.
func (s *shard) plan(b *batch) {
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

func (s *shard) draw(number uint64) {
	s.c.Visits.Outline(number, &s.visit)
	s.c.Visits.Fill(&s.visit, len(s.visit.Hits))
}

// leave books that a batch is not sent now. It is no part of the days' account: it goes when the job is resumed.
func (s *shard) leave(b *batch, why *answer.Answer) {
	s.left.Store(true)
	fate := ledger.Unsent
	if why.Class.Outcome() == outcome.Failed {
		fate = ledger.Lost
	}
	s.c.Ledger.End(b.span.Target, why, s.kinds)
	for range b.visits {
		s.c.Ledger.CloseVisit(b.span.Target, fate, 0)
	}
}
