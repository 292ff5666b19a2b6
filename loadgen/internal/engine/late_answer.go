package engine

import (
	"context"
	"time"
)

// awaitLateAnswer waits for the late answer of a batch, which keeps its slot and its visits meanwhile and then comes
// back as an answer.
func (l *loop) awaitLateAnswer(b *batch) {
	ctx, p := l.waitCtx, b.result.Pending
	stood := l.stoodStill(b.sent, b.answered)
	if stood { // the answer may have arrived in time and decides the outcomes
		ctx = context.Background()
	} else { // until the wait is over the target would count as working
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
		if stood && came { // this process was late, not the target
			b.result.Answer = late
		}
		l.answers <- b
	})
}

func (l *loop) lateAnswerDone(b *batch) {
	b.pending = false
	l.queues[b.target].pending--
	if b.isFinal() {
		l.awaitingOnly -= len(b.visits)
	}
}

// cancelWaits ends the waits for late answers once nothing depends on them: the run is stopped, or all open visits have
// sent their last hit.
func (l *loop) cancelWaits() {
	if l.draining || l.end != "" && l.awaitingOnly == l.open {
		l.stopWaiting()
	}
}
