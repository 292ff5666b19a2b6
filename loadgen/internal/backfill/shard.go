package backfill

import (
	"context"
	"fmt"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/engine"
	"github.com/puttrix/trafficinator/loadgen/internal/ledger"
	"github.com/puttrix/trafficinator/loadgen/internal/tracking"
	"github.com/puttrix/trafficinator/loadgen/internal/visit"
	"github.com/puttrix/trafficinator/loadgen/internal/visitor"
	"github.com/puttrix/trafficinator/shared/answer"
)

// shard is one goroutine that sends batches, one after the other.
type shard struct {
	*Job
	request engine.Request
	visit   visit.Visit

	// Of the batch: its hits by kind and one by one, then by visit who it is and how many hits it has.
	kinds  ledger.Kinds
	hits   []sent
	who    []visitor.Visitor
	length []int
	booked []ledger.Answered
}

// sent is what is needed to book a hit.
type sent struct {
	visit int // of the batch
	kind  visit.Kind
	ping  bool
	sale  ledger.Sale
	at    int64
}

// serve sends a batch, unless a job before has, and books what became of it.
func (s *shard) serve(ctx context.Context, b *batch) {
	s.plan(b)
	if a, known := s.c.Journal.find(b); known {
		if a.Latency != 0 {
			s.c.Ledger.Send(b.target, s.kinds)
		}
		s.book(b, a, a.Latency != 0)
		return
	}
	if err := s.c.Keep(); err != nil {
		s.leave(b, tracking.Abandoned)
		s.fail(Broken, fmt.Sprintf("store the ledger: %v", err))
		return
	}
	s.send(ctx, b)
}

// plan books that the visits of a batch begin.
func (s *shard) plan(b *batch) {
	s.kinds, s.hits, s.who, s.length = ledger.Kinds{}, s.hits[:0], s.who[:0], s.length[:0]
	for i, at := range b.visits {
		s.draw(at.number)
		kinds := kindsOf(s.visit.Hits)
		s.c.Ledger.Plan(b.target, kinds)
		for k, n := range kinds {
			s.kinds[k] += n
		}
		for h := range s.visit.Hits {
			hit := &s.visit.Hits[h]
			one := sent{visit: i, kind: hit.Records, ping: hit.Kind == visit.Ping, at: at.moment(hit).Unix()}
			if hit.Kind == visit.Order {
				order := s.visit.Order(h)
				one.sale = ledger.SaleOf(&order)
			}
			s.hits = append(s.hits, one)
		}
		s.who, s.length = append(s.who, s.visit.Seen()), append(s.length, len(s.visit.Hits))
	}
}

func (s *shard) draw(number uint64) {
	s.c.Visits.Outline(number, &s.visit)
	s.c.Visits.Fill(&s.visit, len(s.visit.Hits))
}

// write makes the request of a batch.
func (s *shard) write(b *batch) {
	s.request.Begin(b.target, true)
	for _, at := range b.visits {
		s.draw(at.number)
		for h := range s.visit.Hits {
			s.request.Add(&s.visit, h, at.moment(&s.visit.Hits[h]))
		}
	}
}

// send tries until there is an answer that counts, patience ends, or the job is stopped: then the batch goes later.
func (s *shard) send(ctx context.Context, b *batch) {
	first := time.Now()
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		if s.limit != nil && s.limit.Wait(ctx) != nil || ctx.Err() != nil {
			s.leave(b, tracking.Abandoned)
			return
		}
		a, err := s.try(b)
		switch {
		case err != nil:
			s.leave(b, tracking.Abandoned)
			s.fail(Broken, err.Error())
			return
		case !a.Class.Retry() && a.Class != answer.Stopped:
			s.judge(b, a, s.book(b, a, true))
			if err := s.c.Journal.end(b.number, a); err != nil {
				s.fail(Broken, err.Error())
			}
			return
		}
		s.c.Ledger.Return(b.target, s.kinds)
		if err := s.c.Journal.back(b.number); err != nil {
			s.fail(Broken, err.Error())
		}
		pause = max(pause, a.RetryAfter)
		if time.Since(first)+pause > patience {
			s.leave(b, tracking.Failed)
			s.fail(engine.NoTarget, fmt.Sprintf("target %s took nothing for %s: %s; the same RUN_ID goes on later", s.c.Targets[b.target], patience, a.String()))
			return
		}
		s.c.Log.Warn("a batch was not taken and goes again", "batch", b.number, "target", s.c.Targets[b.target], "reason", a.String(), "in", pause)
		wait(ctx, pause)
	}
}

// try sends a batch once. Where it cannot be noted before, it is not sent.
func (s *shard) try(b *batch) (ending, error) {
	s.write(b)
	if err := s.c.Journal.send(b.number); err != nil {
		return ending{}, err
	}
	began, standstills := time.Now(), s.c.Clock.Count()
	s.c.Router.Begin(b.target, began)
	s.c.Ledger.Send(b.target, s.kinds)
	result := s.request.Send()
	a := ending{Answer: result.Answer, Latency: time.Since(began)}
	if result.Own {
		s.c.Router.Ignore(b.target)
	} else {
		s.c.Router.End(b.target, result, b.hits, began.Add(a.Latency), time.Time{})
	}
	if _ = s.c.Clock.Now(); s.c.Clock.Count() > standstills {
		a.Latency = ledger.NoLatency
	}
	return a, nil
}

// leave books that a batch is not sent now. It is no part of the days' account: it goes when the job goes on.
func (s *shard) leave(b *batch, why tracking.Outcome) {
	s.left.Store(true)
	fate := ledger.Unsent
	if why == tracking.Failed {
		fate = ledger.Lost
	}
	s.c.Ledger.End(b.target, why, s.kinds)
	for range b.visits {
		s.c.Ledger.Close(b.target, fate, 0)
	}
}

func wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
