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

// errStopped means that the job was stopped before a batch was taken.
var errStopped = errors.New("the job was stopped")

// targetUnavailable means that a target took nothing for too long.
type targetUnavailable struct {
	target string
	answer answer.Answer
}

// Error implements error.
func (e targetUnavailable) Error() string {
	return fmt.Sprintf("target %s took nothing for %s: %s; resume the job later with the same RUN_ID", e.target,
		maxRetryTime, e.answer.String())
}

// send sends a batch until it is taken or refused, in smaller ones where it is too large.
func (s *worker) send(ctx context.Context, b *batch) {
	a, err := s.sendWithRetries(ctx, b, func() (batchResult, error) { return s.sendOnce(b) })
	switch {
	case err != nil:
		s.giveUp(b, err)
	case !b.tooLarge(a):
		s.end(b, a)
	case len(b.visits) > 1:
		s.reduceBatchSize(b)
		first, second := b.halves()
		for _, half := range []*batch{first, second} {
			s.generate(half)
			s.send(ctx, half)
		}
	default:
		s.reduceBatchSize(b)
		s.sendInParts(ctx, b)
	}
}

// tooLarge says that a batch may be taken in smaller requests.
func (b *batch) tooLarge(a batchResult) bool { return a.Class.Splittable() && b.hits > 1 }

// sendWithRetries tries until the answer is another than "later", patience ends, or the job is stopped. Patience starts again
// after a standstill of this process, in which nobody asked the target.
func (s *worker) sendWithRetries(ctx context.Context, b *batch, try func() (batchResult, error)) (batchResult, error) {
	first, standstills := s.c.Clock.Elapsed(), s.c.Clock.GapCount()
	for pause := minRetryDelay; ; pause = min(2*pause, maxRetryDelay) {
		if s.limiter != nil && s.limiter.Wait(ctx) != nil || ctx.Err() != nil {
			return batchResult{}, errStopped
		}
		a, err := try()
		if err != nil || !canRetry(a) {
			return a, err
		}
		pause = max(pause, a.RetryAfter)
		now := s.c.Clock.Elapsed()
		if n := s.c.Clock.GapCount(); n > standstills {
			first, standstills = now, n
		}
		if now-first+pause > maxRetryTime {
			return a, targetUnavailable{s.c.Targets[b.span.Target], a.Answer}
		}
		s.c.Log.Warn("a batch was not taken and goes again", "batch", b.number, "target", s.c.Targets[b.span.Target],
			"reason", a.String(), "in", pause)
		wakeup.Sleep(ctx, pause)
	}
}

// canRetry says that a request was not taken and may be taken as it is.
func canRetry(a batchResult) bool { return a.Class.Retryable() || a.Class == answer.Stopped }

// sendOnce sends a batch once. Where it cannot be noted before, it is not sent.
func (s *worker) sendOnce(b *batch) (batchResult, error) {
	if err := s.recordSending(b); err != nil {
		return batchResult{}, err
	}
	s.c.Ledger.Send(b.span.Target, s.kinds)
	a := s.request(b, 0, b.hits)
	if !canRetry(a) && !b.tooLarge(a) {
		return a, nil
	}
	s.c.Ledger.Requeue(b.span.Target, &a.Answer, s.kinds)
	return a, s.c.Journal.requeued(b.span)
}

// recordSending lets ledger and journal say, whatever happens next, that a batch may have been sent. Both wait for the disk,
// and do so at once.
func (s *worker) recordSending(b *batch) error {
	kept := make(chan error, 1)
	go func() { kept <- s.c.StoreLedger() }()
	noted := s.c.Journal.sending(b.span)
	if err := <-kept; err != nil {
		return errors.Join(fmt.Errorf("store the ledger: %w", err), s.c.Journal.requeued(b.span))
	}
	return noted
}

// request sends the hits from one on of a batch, up to another, and waits for the answer.
func (s *worker) request(b *batch, from, upTo int) batchResult {
	s.to.Begin(b.span.Target, true)
	i := 0
	for _, at := range b.visits {
		s.generateVisit(at.number)
		for h := range s.visit.Hits {
			if from <= i && i < upTo {
				s.to.Add(&s.visit, h, at.hitTime(&s.visit.Hits[h]))
			}
			i++
		}
	}
	began, standstills := time.Now(), s.c.Clock.GapCount()
	s.c.Router.Begin(b.span.Target, began)
	result := s.to.Send()
	a, hits := batchResult{Answer: result.Answer, Latency: time.Since(began)}, upTo-from
	// A request that was not sent, or that is too large, says nothing of the target, which may take smaller ones.
	if result.LocalFault || a.Class == answer.Stopped || a.Class.Splittable() && hits > 1 {
		s.c.Router.Ignore(b.span.Target)
	} else {
		s.c.Router.End(b.span.Target, result, hits, began.Add(a.Latency), time.Time{})
	}
	if _ = s.c.Clock.Elapsed(); s.c.Clock.GapCount() > standstills {
		a.Latency = ledger.NoLatency
	}
	if a.TargetClass(hits).Outcome() == outcome.Accepted {
		s.mu.Lock()
		s.sizes[b.span.Target].Accepted(hits)
		s.mu.Unlock()
	}
	return a
}

// reduceBatchSize books that a batch was too large.
func (s *worker) reduceBatchSize(b *batch) {
	s.mu.Lock()
	size := &s.sizes[b.span.Target]
	smaller := size.Refused(b.hits)
	now := size.Max
	s.mu.Unlock()
	if smaller {
		s.c.Log.Warn("request too large for the target, sending smaller ones", "target",
			s.c.Targets[b.span.Target], "hits", b.hits, "now", now)
	}
}

// sendInParts sends the only visit of a batch, too large for one request, in several. Only the end is noted: where the
// job is killed meanwhile, nobody knows how much of the visit was taken.
func (s *worker) sendInParts(ctx context.Context, b *batch) {
	if err := s.recordSending(b); err != nil {
		s.giveUp(b, err)
		return
	}
	s.c.Ledger.Send(b.span.Target, s.kinds)
	whole := batchResult{Answer: answer.Answer{Class: answer.TooLarge}, Latency: ledger.NoLatency}
	for from, most := 0, b.hits/2; from < b.hits; {
		upTo := min(b.hits, from+most)
		a, err := s.sendWithRetries(ctx, b, func() (batchResult, error) { return s.request(b, from, upTo), nil })
		switch {
		case err != nil && from == 0: // nothing of it was taken
			s.c.Ledger.Requeue(b.span.Target, &whole.Answer, s.kinds)
			s.giveUp(b, errors.Join(err, s.c.Journal.requeued(b.span)))
			return
		case err != nil:
			whole.Answer = answer.Answer{Class: answer.Broken, Excerpt: "sent in part: " + err.Error()}
			from = b.hits
		case a.Class.Splittable() && upTo-from > 1:
			most = (upTo - from) / 2
		default:
			whole.add(a, from, upTo)
			from = upTo
		}
	}
	s.end(b, whole)
}

// add takes in what became of the hits from one on of a batch, up to another. The whole is accepted where one of them
// was, with a receipt that names the others, and unknown where one of them is.
func (e *batchResult) add(a batchResult, from, upTo int) {
	for i := range upTo - from {
		switch class := a.Hit(i, upTo-from); {
		case class == answer.TooLarge: // surely not taken, whatever became of the others
			e.TooLarge = append(e.TooLarge, from+i)
			e.Receipt.Invalid++
			e.Receipt.Indices = append(e.Receipt.Indices, from+i)
			if e.Class.Outcome() != outcome.Unknown {
				e.Status = a.Status
			}
		case class.Outcome() == outcome.Unknown || e.Class.Outcome() == outcome.Unknown:
			if e.Class.Outcome() != outcome.Unknown {
				e.Class, e.Status, e.Excerpt = class, a.Status, a.Excerpt
			}
		case class.Outcome() == outcome.Accepted:
			e.Class = answer.Accepted
			e.Receipt.Tracked++
		default:
			if e.Class != answer.Accepted {
				e.Class, e.Excerpt = class, a.Excerpt
			}
			e.Status = a.Status
			e.Receipt.Invalid++
			e.Receipt.Indices = append(e.Receipt.Indices, from+i)
		}
	}
}

// end books what became of a batch.
func (s *worker) end(b *batch, a batchResult) {
	s.checkTarget(b, a, s.account(b, a, true))
	if err := s.c.Journal.ended(b.span, a); err != nil {
		s.fail(endreason.JournalFailed, err.Error())
	}
}

// giveUp leaves a batch for later, and ends the job unless it was stopped.
func (s *worker) giveUp(b *batch, err error) {
	var impatient targetUnavailable
	switch {
	case errors.Is(err, errStopped):
		s.postpone(b, &answer.Answer{Class: answer.Stopped})
	case errors.As(err, &impatient):
		s.postpone(b, &impatient.answer)
		s.fail(endreason.NoTarget, err.Error())
	default:
		s.postpone(b, &answer.Answer{Class: answer.Stopped})
		s.fail(endreason.JournalFailed, err.Error())
	}
}
