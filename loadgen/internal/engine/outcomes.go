package engine

import (
	"context"
	"runtime"
	"slices"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/ledger"
	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/endreason"
	"github.com/puttrix/trafficinator/shared/hit"
	"github.com/puttrix/trafficinator/shared/outcome"
)

// handleAnswers handles the answers that have arrived. It first yields to the workers, so that the loop need not wake
// up for each of theirs.
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
	q := &l.queues[b.target]
	if b.pending {
		b.pending = false
		q.pending--
		if b.isFinal() {
			l.awaitingOnly -= len(b.visits)
		}
	}
	q.inFlight--
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
		l.reportToRouter(b, time.Time{})
		l.recordOutcomes(b)
	}
	b.visits = b.visits[:0]
	l.spare = append(l.spare, b)
}

// retry sends a batch again that was certainly not accepted, after a delay of at least Retry-After.
func (l *loop) retry(b *batch, attempts uint8) {
	due := b.answered + max(retryDelays[attempts], b.result.RetryAfter)
	l.reportToRouter(b, l.startedAt.Add(due))
	l.c.Ledger.Requeue(b.target, &b.result.Answer, b.kinds)
	for _, o := range b.visits {
		o.attempts, o.due = attempts+1, due
		o.class, o.status = b.result.Class, uint16(b.result.Status)
		l.scheduled.push(o)
	}
}

// splitBatch sends a batch that was too large for its target again in smaller ones. It does not count against the
// target, which may accept those.
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

// reportToRouter reports the answer to a batch, unless it does not reflect on the target. retryAt is when the batch is
// sent again, zero for never.
func (l *loop) reportToRouter(b *batch, retryAt time.Time) {
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
	l.c.Router.End(b.target, b.result, len(b.hits), l.startedAt.Add(b.answered), retryAt)
}

// awaitLateAnswer waits for the late answer of a batch, which keeps its slot and its visits until it is handled again.
func (l *loop) awaitLateAnswer(b *batch) {
	ctx, p := l.waitCtx, b.result.Pending
	stood := l.stoodStill(b.sent, b.answered)
	if stood { // the answer may have arrived in time and decides the outcomes
		ctx = context.Background()
	} else { // or the target would count as working until the wait is over
		l.c.Router.End(b.target, b.result, len(b.hits), l.startedAt.Add(b.answered), time.Time{})
		b.reported = true
	}
	b.result.Pending, b.pending = nil, true
	l.queues[b.target].pending++
	if b.isFinal() {
		l.awaitingOnly += len(b.visits)
	}
	l.waiters.Go(func() {
		late, came := p.Wait(ctx, LateAnswerTimeout)
		b.atWork = !came || late.MayBeProcessing()
		if stood && came { // this process was late, not the target
			b.result.Answer = late
		}
		l.answers <- b
	})
}

// recordOutcomes records the outcomes of a batch and continues its visits.
func (l *loop) recordOutcomes(b *batch) {
	q := &l.queues[b.target]
	if b.result.Class.Outcome() == outcome.Accepted {
		q.size.Accepted(len(b.hits))
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
		own, sending := hits[:o.groupSize()], &b.sending[v]
		hits = hits[len(own):]
		unopened, action, before := o.LastAction == 0, false, o.VisitState
		for i := range own {
			h := &own[i]
			action = action || hit.Rows[h.Kind].Opens
			o.hit++
			o.Add(h.Class.Outcome(), h.Kind, h.recorded,
				o.LastAction > 0 && l.days.sameDay(int64(o.LastAction), h.recorded))
			if unopened && o.LastAction > 0 {
				unopened = false
				l.c.Ledger.OpenVisit(b.target, ledger.Dimensions{Day: l.days.midnight(int64(o.LastAction)),
					Visitor: sending.visitor, SourceLost: o.hit > 1})
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
		case int(o.hit) == sending.hits:
			l.closeVisit(&o, sending.hits)
		case l.draining:
			l.abandon(o)
		default:
			delete(q.limits, o.number)
			o.due, o.upTo = sending.due, sending.upTo
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
