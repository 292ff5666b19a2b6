package engine

import (
	"context"
	"time"
)

// awaitLateAnswer waits for the late answer of a batch, which keeps its place and its visits meanwhile. The batch comes back
// among the answers.
func (l *loop) awaitLateAnswer(b *batch) {
	ctx, p := l.waitCtx, b.result.Pending
	stood := l.stoodStill(b.sent, b.answered)
	if stood { // its answer may have been there in time, and says what became of its hits
		ctx = context.Background()
	} else { // until the wait is over the target would pass for one that works
		l.c.Router.End(b.target, b.result, len(b.hits), l.began.Add(b.answered), time.Time{})
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
		if stood && came { // it was we who were late
			b.result.Answer = late
		}
		l.answers <- b
	})
}

// lateAnswerDone books that the wait for a late answer is over.
func (l *loop) lateAnswerDone(b *batch) {
	b.pending = false
	l.queues[b.target].pending--
	if b.isFinal() {
		l.awaitingOnly -= len(b.visits)
	}
}

// cancelWaits ends the waits for late answers where nothing depends on them any more: the run is stopped, or all visits
// that are still open have sent their last hit, so that none of them goes on while the target may be at work on
// another.
func (l *loop) cancelWaits() {
	if l.draining || l.end != "" && l.awaitingOnly == l.open {
		l.stopWaiting()
	}
}
