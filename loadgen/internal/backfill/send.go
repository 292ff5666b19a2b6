package backfill

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/ledger"
	"github.com/puttrix/trafficinator/loadgen/internal/wakeup"
	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/endreason"
	"github.com/puttrix/trafficinator/shared/outcome"
)

// errStopped means that the job was stopped before a batch was accepted.
var errStopped = errors.New("the job was stopped")

// targetUnavailable means that a target accepted nothing for too long.
type targetUnavailable struct {
	target string
	answer answer.Answer
}

// Error implements error.
func (e targetUnavailable) Error() string {
	return fmt.Sprintf("target %s accepted nothing for %s: %s; resume the job later with the same RUN_ID", e.target,
		maxRetryTime, e.answer.String())
}

// send sends a batch until it is accepted or rejected, in smaller ones if it is too large.
func (w *worker) send(ctx context.Context, b *batch) {
	r, err := w.sendWithRetries(ctx, b, func() (batchResult, error) { return w.sendOnce(b) })
	switch {
	case err != nil:
		w.giveUp(b, err)
	case !b.tooLarge(r):
		w.end(b, r)
	case len(b.visits) > 1:
		w.reduceBatchSize(b)
		for _, half := range b.halves() {
			w.generate(half)
			w.send(ctx, half)
		}
	default:
		w.reduceBatchSize(b)
		w.sendInParts(ctx, b)
	}
}

// tooLarge reports whether a batch may be accepted in smaller requests.
func (b *batch) tooLarge(r batchResult) bool { return r.Class.Splittable() && b.hits > 1 }

// sendWithRetries calls send until its result is final, the retries take too long, or the job is stopped. The time
// starts again after a standstill of this process.
func (w *worker) sendWithRetries(ctx context.Context, b *batch, send func() (batchResult, error)) (batchResult, error) {
	started, standstills := w.c.Clock.Elapsed(), w.c.Clock.GapCount()
	for delay := minRetryDelay; ; delay = min(2*delay, maxRetryDelay) {
		if w.limiter != nil && w.limiter.Wait(ctx) != nil || ctx.Err() != nil {
			return batchResult{}, errStopped
		}
		r, err := send()
		if err != nil || !canRetry(r) {
			return r, err
		}
		delay = max(delay, r.RetryAfter)
		now := w.c.Clock.Elapsed()
		if n := w.c.Clock.GapCount(); n > standstills {
			started, standstills = now, n
		}
		if now-started+delay > maxRetryTime {
			return r, targetUnavailable{w.target(b), r.Answer}
		}
		w.c.Log.Warn("batch not accepted, retrying", "batch", b.number, "target", w.target(b), "reason", r.String(),
			"in", delay)
		wakeup.Sleep(ctx, delay)
	}
}

// canRetry reports whether a request was certainly not accepted and may be if sent again.
func canRetry(r batchResult) bool { return r.Class.Retryable() || r.Class == answer.Stopped }

// sendOnce sends a batch once, if the journal and the ledger can record that before.
func (w *worker) sendOnce(b *batch) (batchResult, error) {
	if err := w.recordSending(b); err != nil {
		return batchResult{}, err
	}
	w.c.Ledger.Send(b.Target, w.kinds)
	r := w.post(b, 0, b.hits)
	if !canRetry(r) && !b.tooLarge(r) {
		return r, nil
	}
	w.c.Ledger.Requeue(b.Target, &r.Answer, w.kinds)
	return r, w.c.Journal.requeued(b.span)
}

// recordSending records in ledger and journal that a batch may have been sent. It writes both at the same time, because
// each waits for the disk.
func (w *worker) recordSending(b *batch) error {
	stored := make(chan error, 1)
	go func() { stored <- w.c.StoreLedger() }()
	err := w.c.Journal.sending(b.span)
	if ledgerErr := <-stored; ledgerErr != nil {
		return errors.Join(fmt.Errorf("store the ledger: %w", ledgerErr), w.c.Journal.requeued(b.span))
	}
	return err
}

// post sends the hits of a batch from from up to upTo, and waits for the answer.
func (w *worker) post(b *batch, from, upTo int) batchResult {
	w.request.Begin(b.Target, true)
	i := 0
	for _, v := range b.visits {
		w.generateVisit(v.number)
		for h := range w.visit.Hits {
			if from <= i && i < upTo {
				w.request.Add(&w.visit, h, v.hitTime(&w.visit.Hits[h]))
			}
			i++
		}
	}
	started, standstills := time.Now(), w.c.Clock.GapCount()
	w.c.Router.Begin(b.Target, started)
	result := w.request.Send()
	r, hits := batchResult{Answer: result.Answer, Latency: time.Since(started)}, upTo-from
	// A request that was not sent or was too large does not count against the target, which may accept smaller ones.
	if result.LocalFault || r.Class == answer.Stopped || r.Class.Splittable() && hits > 1 {
		w.c.Router.Ignore(b.Target)
	} else {
		w.c.Router.End(b.Target, result, hits, started.Add(r.Latency), time.Time{})
	}
	if _ = w.c.Clock.Elapsed(); w.c.Clock.GapCount() > standstills {
		r.Latency = ledger.NoLatency
	}
	if r.TargetClass(hits).Outcome() == outcome.Accepted {
		w.mu.Lock()
		w.sizes[b.Target].Accepted(hits)
		w.mu.Unlock()
	}
	return r
}

// reduceBatchSize notes that a batch was too large.
func (w *worker) reduceBatchSize(b *batch) {
	w.mu.Lock()
	size := &w.sizes[b.Target]
	smaller, now := size.Refused(b.hits), size.Max
	w.mu.Unlock()
	if smaller {
		w.c.Log.Warn("request too large for the target, sending smaller ones", "target", w.target(b), "hits", b.hits,
			"now", now)
	}
}

// sendInParts sends the only visit of a batch, which is too large for one request, in several. Only the end is
// recorded: if the job is killed meanwhile, it is unknown how much of the visit was accepted.
func (w *worker) sendInParts(ctx context.Context, b *batch) {
	if err := w.recordSending(b); err != nil {
		w.giveUp(b, err)
		return
	}
	w.c.Ledger.Send(b.Target, w.kinds)
	total := batchResult{Answer: answer.Answer{Class: answer.TooLarge}, Latency: ledger.NoLatency}
	for from, size := 0, b.hits/2; from < b.hits; {
		upTo := min(b.hits, from+size)
		r, err := w.sendWithRetries(ctx, b, func() (batchResult, error) { return w.post(b, from, upTo), nil })
		switch {
		case err != nil && from == 0: // nothing was accepted
			w.c.Ledger.Requeue(b.Target, &total.Answer, w.kinds)
			w.giveUp(b, errors.Join(err, w.c.Journal.requeued(b.span)))
			return
		case err != nil:
			total.Answer = answer.Answer{Class: answer.Broken, Excerpt: "partly sent: " + err.Error()}
			from = b.hits
		case r.Class.Splittable() && upTo-from > 1:
			size = (upTo - from) / 2
		default:
			total.add(r, from, upTo)
			from = upTo
		}
	}
	w.end(b, total)
}

// add adds the result of the hits of a batch from from up to upTo. The total is unknown if one hit is, else accepted if
// one is, with a receipt that lists the others.
func (r *batchResult) add(part batchResult, from, upTo int) {
	for i := from; i < upTo; i++ {
		switch class := part.HitClass(i-from, upTo-from); {
		case class == answer.TooLarge: // certainly not accepted, unlike perhaps the others
			r.TooLarge = append(r.TooLarge, i)
			r.addInvalid(i)
			if r.Class.Outcome() != outcome.Unknown {
				r.Status = part.Status
			}
		case r.Class.Outcome() == outcome.Unknown:
		case class.Outcome() == outcome.Unknown:
			r.Class, r.Status, r.Excerpt = class, part.Status, part.Excerpt
		case class.Outcome() == outcome.Accepted:
			r.Class = answer.Accepted
			r.Receipt.Tracked++
		default:
			if r.Class != answer.Accepted {
				r.Class, r.Excerpt = class, part.Excerpt
			}
			r.Status = part.Status
			r.addInvalid(i)
		}
	}
}

func (r *batchResult) addInvalid(i int) {
	r.Receipt.Invalid++
	r.Receipt.Indices = append(r.Receipt.Indices, i)
}

// end records the result of a batch.
func (w *worker) end(b *batch, r batchResult) {
	w.checkTarget(b, r, w.account(b, r, true))
	if err := w.c.Journal.ended(b.span, r); err != nil {
		w.fail(endreason.JournalFailed, err.Error())
	}
}

// giveUp postpones a batch, and ends the job unless it was stopped.
func (w *worker) giveUp(b *batch, err error) {
	unavailable := targetUnavailable{answer: answer.Answer{Class: answer.Stopped}}
	reason := endreason.JournalFailed
	if errors.As(err, &unavailable) {
		reason = endreason.NoTarget
	}
	w.postpone(b, &unavailable.answer)
	if !errors.Is(err, errStopped) {
		w.fail(reason, err.Error())
	}
}
