package engine

import (
	"runtime"
	"slices"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/ledger"
	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/endreason"
	"github.com/puttrix/trafficinator/shared/hit"
	"github.com/puttrix/trafficinator/shared/outcome"
)

// handleAnswers handles the answers that have arrived. Yielding to the workers first brings in theirs too, so that the
// loop need not wake up for each.
func (l *loop) handleAnswers() {
	runtime.Gosched()
	for {
		select {
		case b := <-l.answers:
			l.handleAnswer(b)
		default:
			return
		}
	}
}

// handleAnswer waits for a late answer, retries a batch, or records its outcomes.
func (l *loop) handleAnswer(b *batch) {
	l.checkStandstills()
	if b.result.Pending != nil {
		l.awaitLateAnswer(b)
		return
	}
	if b.pending {
		l.lateAnswerDone(b)
	}
	l.queues[b.target].inFlight--
	attempts := uint8(0)
	for i := range b.visits {
		attempts = max(attempts, b.visits[i].attempts)
	}
	class := b.result.Class
	switch {
	case class.Splittable() && len(b.hits) > 1 && !l.draining:
		l.splitBatch(b)
	case class.Retryable() && b.result.RetryAfter <= maxRetryAfter && int(attempts) < len(retryDelays) && !l.draining:
		l.retry(b, attempts)
	default:
		l.informRouter(b, time.Time{})
		l.recordOutcomes(b)
	}
	b.visits = b.visits[:0]
	l.spare = append(l.spare, b)
}

// retry sends a batch again that was certainly not accepted, after a delay of at least Retry-After.
func (l *loop) retry(b *batch, attempts uint8) {
	due := b.answered + max(retryDelays[attempts], b.result.RetryAfter)
	l.informRouter(b, l.began.Add(due))
	l.c.Ledger.Requeue(b.target, &b.result.Answer, b.kinds)
	for _, o := range b.visits {
		o.attempts, o.due = attempts+1, due
		o.class, o.status = b.result.Class, uint16(b.result.Status)
		l.scheduled.push(o)
	}
}

// splitBatch sends a batch that was too large for its target again in smaller ones. The router is not told: the target
// may take those.
func (l *loop) splitBatch(b *batch) {
	q := &l.queues[b.target]
	if q.size.Refused(len(b.hits)) {
		l.c.Log.Warn("request too large for the target, sending smaller ones", "target", l.c.Router.Name(b.target),
			"hits", len(b.hits), "now", q.size.Max)
	}
	l.c.Router.Ignore(b.target)
	l.c.Ledger.Requeue(b.target, &b.result.Answer, b.kinds)
	for _, o := range slices.Backward(b.visits) {
		o.due = b.answered
		q.limits[o.number] = len(b.hits) / 2
		q.addFirst(o)
	}
}

// informRouter tells the router what the answer says about the target. retryAt is when the batch is sent again, zero
// for never.
func (l *loop) informRouter(b *batch, retryAt time.Time) {
	if b.reported {
		return
	}
	// The target is not to blame if there was no connection left here, if the run was stopped before the request was
	// sent, or if this process stood still when the answer may have arrived.
	if b.result.LocalFault || b.result.Class == answer.Stopped ||
		b.result.Class.Outcome() == outcome.Unknown && l.stoodStill(b.sent, b.answered) {
		l.c.Router.Ignore(b.target)
		return
	}
	l.c.Router.End(b.target, b.result, len(b.hits), l.began.Add(b.answered), retryAt)
}

// recordOutcomes records the outcomes of a batch and continues its visits.
func (l *loop) recordOutcomes(b *batch) {
	q := &l.queues[b.target]
	if b.result.Class.Outcome() == outcome.Accepted {
		q.size.Accepted(len(b.hits))
	}
	if r := b.result.Receipt; r.Tracked+r.Invalid > 0 {
		l.c.Ledger.AddReceipt(len(b.hits), r.Tracked, r.Invalid)
	}
	l.answered = l.answered[:0]
	for i := range b.hits {
		h := &b.hits[i]
		h.Class, h.Latency = b.result.HitClass(i, len(b.hits)), b.answered-h.intended
		if l.stoodStill(h.intended, b.answered) {
			h.Latency = ledger.NoLatency
		}
		l.answered = append(l.answered, h.Answered)
	}
	l.c.Ledger.Answer(b.target, &b.result.Answer, l.answered)
	hits := b.hits
	for v, o := range b.visits {
		own, rest := hits[:o.groupSize()], b.remainders[v]
		hits = hits[len(own):]
		unopened, action, before := o.LastAction == 0, false, o.VisitState
		for i := range own {
			action = action || hit.Rows[own[i].Kind].Opens
			o.record(&own[i], &l.days)
			if unopened && o.LastAction > 0 {
				unopened = false
				l.c.Ledger.OpenVisit(b.target, ledger.Dimensions{Day: l.days.midnight(int64(o.LastAction)),
					Visitor: b.visitors[v], SourceLost: o.hit > 1})
			}
		}
		if o.Splits > before.Splits || o.Repeats > before.Repeats {
			l.c.Ledger.AddSplits(b.target, o.Splits-before.Splits, o.Repeats-before.Repeats)
		}
		if action && b.atWork {
			o.AddPending()
		}
		o.attempts = 0
		switch {
		case int(o.hit) == rest.hits:
			l.closeVisit(&o, rest.hits)
		case l.draining:
			l.abandon(o)
		default:
			delete(q.limits, o.number)
			o.due, o.upTo = rest.due, rest.upTo
			l.scheduled.push(o)
		}
	}
	if b.result.Class.Outcome() != outcome.Accepted || b.result.Receipt.Invalid > 0 {
		l.c.Log.Debug("request not accepted", "visit", b.visits[0].number, "hits", len(b.hits),
			"class", b.result.Class.String(), "invalid", b.result.Receipt.Invalid, "reason", b.result.String())
		l.stopIfAllFailed()
	}
}

// stopIfAllFailed ends the run if no target has ever accepted a hit and all have failed.
func (l *loop) stopIfAllFailed() bool {
	_, all := l.c.Router.AllFailed()
	if all {
		l.stop(endreason.NoTarget)
	}
	return all
}
