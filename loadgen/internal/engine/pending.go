package engine

import (
	"context"
	"time"
)

// await waits for the late answer of a batch, which keeps its place and its visits meanwhile. The batch comes back
// among the answers.
func (l *loop) await(b *batch) {
	ctx, p := l.waits, b.result.Pending
	stood := l.stood(b.sent, b.answered)
	if stood { // its answer may have been there in time, and says what became of its hits
		ctx = context.Background()
	} else { // until the wait is over the target would pass for one that works
		l.c.Router.End(b.target, b.result, len(b.hits), l.began.Add(b.answered), time.Time{})
		b.reported = true
	}
	b.result.Pending, b.pending = nil, true
	l.lanes[b.target].pending++
	if b.over() {
		l.over += len(b.visits)
	}
	l.waiters.Go(func() {
		late, came := p.Wait(ctx, WorkTime)
		b.atWork = !came || late.AtWork()
		if stood && came { // it was we who were late
			b.result.Answer = late
		}
		l.answers <- b
	})
}

// awaited books that the wait for a late answer is over.
func (l *loop) awaited(b *batch) {
	b.pending = false
	l.lanes[b.target].pending--
	if b.over() {
		l.over -= len(b.visits)
	}
}

// endWaits ends the waits for late answers where nothing depends on them any more: the run is stopped, or all visits
// that are still open have sent their last hit, so that none of them goes on while the target may be at work on
// another.
func (l *loop) endWaits() {
	if l.draining || l.end != "" && l.over == l.open {
		l.stopWaiting()
	}
}
