package engine

import "slices"

// retry sends a batch that surely was not taken once more, after a pause that is no shorter than the server wants.
func (l *loop) retry(b *batch, tries uint8) {
	due := b.answered + max(retryDelays[tries], b.result.RetryAfter)
	l.informRouter(b, due)
	l.c.Ledger.Requeue(b.target, &b.result.Answer, b.kinds)
	for _, o := range b.visits {
		o.attempts, o.due = tries+1, due
		o.class, o.status = b.result.Class, uint16(b.result.Status)
		l.scheduled.push(o)
	}
}

// splitBatch sends a batch that was too large for its target once more, in smaller ones. It says nothing of a target that
// takes smaller ones.
func (l *loop) splitBatch(b *batch) {
	n := &l.queues[b.target]
	if n.size.Refused(len(b.hits)) {
		l.c.Log.Warn("the target takes no requests so large; smaller ones are sent", "target",
			l.c.Router.Name(b.target), "hits", len(b.hits), "now", n.size.Max)
	}
	l.c.Router.Ignore(b.target)
	l.c.Ledger.Requeue(b.target, &b.result.Answer, b.kinds)
	for _, o := range slices.Backward(b.visits) {
		o.due = b.answered
		n.split[o.number] = len(b.hits) / 2
		n.addFirst(o)
	}
}
