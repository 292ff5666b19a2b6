package backfill

import (
	"context"
	"fmt"

	"github.com/puttrix/trafficinator/loadgen/internal/engine"
	"github.com/puttrix/trafficinator/loadgen/internal/ledger"
	"github.com/puttrix/trafficinator/loadgen/internal/visit"
	"github.com/puttrix/trafficinator/loadgen/internal/visitor"
	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/endreason"
	"github.com/puttrix/trafficinator/shared/outcome"
)

// worker is one goroutine that sends batches.
type worker struct {
	*Job
	request engine.Request
	visit   visit.Visit

	// Of the current batch.
	kinds    ledger.Kinds
	hits     []sentHit
	visits   []sentVisit
	answered []ledger.Answered // reused
}

type sentVisit struct {
	visitor visitor.Visitor
	kinds   ledger.Kinds
}

// sentHit is what is needed to record a hit; class and latency come with the answer.
type sentHit struct {
	ledger.Answered
	visit int // index in the batch
	at    int64
}

// serve sends a batch, unless its result is known, and records its outcomes.
func (w *worker) serve(ctx context.Context, b *batch) {
	w.generate(b)
	for _, v := range w.visits {
		w.c.Ledger.PlanUnscheduled(b.Target, v.kinds)
	}
	if b.known == nil {
		if !w.gates.enter(ctx, b) {
			w.postpone(b, &answer.Answer{Class: answer.Stopped})
			return
		}
		defer w.gates.leave(b)
		w.send(ctx, b)
		return
	}
	answered := b.known.Latency != 0
	if answered {
		w.c.Ledger.Send(b.Target, w.kinds)
	}
	w.account(b, *b.known, answered)
	w.gates.open(b)
}

// generate generates the hits of a batch.
func (w *worker) generate(b *batch) {
	b.number = w.numbered.Add(1) - 1
	w.kinds, w.hits, w.visits = ledger.Kinds{}, w.hits[:0], w.visits[:0]
	for i, v := range b.visits {
		w.generateVisit(v.number)
		for h := range w.visit.Hits {
			hit := &w.visit.Hits[h]
			w.kinds[hit.RecordedAs]++
			w.hits = append(w.hits, sentHit{ledger.SentHit(&w.visit, h), i, v.hitTime(hit).Unix()})
		}
		w.visits = append(w.visits, sentVisit{w.visit.AsReported(), ledger.CountKinds(w.visit.Hits)})
	}
}

func (w *worker) generateVisit(number uint64) {
	w.c.Visits.Outline(number, &w.visit)
	w.c.Visits.Fill(&w.visit, len(w.visit.Hits))
}

// postpone records that a batch is not sent in this run. It does not count for its day: it is sent when the job is
// resumed.
func (w *worker) postpone(b *batch, why *answer.Answer) {
	w.unfinished.Store(true)
	became := ledger.Unsent
	if why.Class.Outcome() == outcome.Failed {
		became = ledger.Lost
	}
	w.c.Ledger.End(b.Target, why, w.kinds)
	for range b.visits {
		w.c.Ledger.CloseVisit(b.Target, became)
	}
}

// outcomes counts the hits of a batch by outcome.
type outcomes [outcome.Count]int

// account records the outcomes of a batch. Its hits are in flight if it was answered; otherwise the job was killed
// before.
func (w *worker) account(b *batch, r batchResult, answered bool) (n outcomes) {
	states, sourceLost := make([]ledger.VisitState, len(b.visits)), make([]bool, len(b.visits))
	w.answered = w.answered[:0]
	for i := range w.hits {
		h := &w.hits[i]
		h.Class, h.Latency = r.HitClass(i, len(w.hits)), r.Latency
		became := h.Class.Outcome()
		first := i == 0 || w.hits[i-1].visit != h.visit
		sourceLost[h.visit] = sourceLost[h.visit] || first && became != outcome.Accepted
		states[h.visit].Add(became, h.Kind, h.at, true)
		n[became]++
		w.answered = append(w.answered, h.Answered)
	}
	if answered {
		seen := r.Answer
		seen.Receipt.Invalid -= len(r.TooLarge) // by Matomo
		w.c.Ledger.Answer(b.Target, &seen, w.answered)
	} else {
		w.c.Ledger.End(b.Target, &r.Answer, w.kinds)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	day := &w.progress.Days[b.day]
	for i := range states {
		state := &states[i]
		if state.LastAction > 0 {
			w.c.Ledger.OpenVisit(
				b.Target,
				ledger.Dimensions{Day: w.c.Days[b.day].Start.Unix(), Visitor: w.visits[i].visitor,
					SourceLost: sourceLost[i]},
			)
		}
		became := state.Outcome(b.visits[i].hits, true)
		w.c.Ledger.AddSplits(b.Target, state.Splits, 0)
		w.c.Ledger.CloseVisit(b.Target, became)
		switch became {
		case ledger.Complete, ledger.Partial:
			day.Sent++
		case ledger.Uncertain:
			day.Unknown++
		default:
			day.Rejected++
		}
	}
	w.progress.BatchesDone++
	if n[outcome.Unknown] > 0 {
		w.progress.Unknown = append(w.progress.Unknown, w.summarize(b, r.String()))
	}
	return n
}

// checkTarget ends the job if a target accepted nothing of several batches in a row.
func (w *worker) checkTarget(b *batch, r batchResult, n outcomes) {
	w.mu.Lock()
	w.visitsEnded += uint64(len(b.visits))
	w.refusedInARow[b.Target]++
	if r.TargetClass(b.hits).Outcome() == outcome.Accepted {
		w.refusedInARow[b.Target] = 0
	}
	failed := w.refusedInARow[b.Target] == maxRefusedBatches
	w.mu.Unlock()
	if n[outcome.Accepted] < b.hits {
		w.c.Log.Warn("batch not fully accepted", "batch", b.number, "day", w.date(b), "target", w.target(b),
			"hits", b.hits, "accepted", n[outcome.Accepted], "rejected", n[outcome.Rejected],
			"unknown", n[outcome.Unknown], "reason", r.String())
	}
	if failed {
		w.fail(endreason.NoTarget, fmt.Sprintf("target %s accepted nothing of %d batches in a row: %s", w.target(b),
			maxRefusedBatches, r.String()))
	}
}
