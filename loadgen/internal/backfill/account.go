package backfill

import (
	"fmt"

	"github.com/puttrix/trafficinator/loadgen/internal/ledger"
	"github.com/puttrix/trafficinator/shared/endreason"
	"github.com/puttrix/trafficinator/shared/outcome"
)

// outcomes counts the hits of a batch by outcome.
type outcomes [outcome.Count]int

// account records the outcomes of a batch. Its hits are in flight if it was answered; otherwise the job was killed
// before.
func (w *worker) account(b *batch, r batchResult, answered bool) (n outcomes) {
	if invalid := r.Receipt.Invalid - len(r.TooLarge); r.Receipt.Tracked+invalid > 0 { // Matomo did not see those
		w.c.Ledger.AddReceipt(len(w.hits), r.Receipt.Tracked, invalid)
	}
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
		w.c.Ledger.Answer(b.Target, &r.Answer, w.answered)
	} else {
		w.c.Ledger.End(b.Target, &r.Answer, w.kinds)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	day := &w.progress.Days[b.day]
	for i := range states {
		state := &states[i]
		if state.LastAction > 0 {
			w.c.Ledger.OpenVisit(b.Target, ledger.Dimensions{Day: w.c.Days[b.day].Start.Unix(), Visitor: w.visitors[i],
				SourceLost: sourceLost[i]})
		}
		became := state.Outcome(w.lengths[i], true)
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
