package backfill

import (
	"context"
	"sync"
)

// turns lets batches that go ahead be sent one at a time, and keeps the others of their days back until they have
// ended.
type turns struct {
	ahead chan struct{} // full while one goes ahead
	days  []turn        // by day and target
	each  int           // targets of a day
}

type turn struct {
	open sync.Once
	over chan struct{}
}

func newTurns(days, targets int) *turns {
	t := &turns{ahead: make(chan struct{}, 1), days: make([]turn, days*targets), each: targets}
	for i := range t.days {
		t.days[i].over = make(chan struct{})
	}
	return t
}

func (t *turns) of(b *batch) *turn { return &t.days[b.day*t.each+b.span.Target] }

// begin waits until a batch may be sent; false where ctx is done before. Afterwards there must be an end.
func (t *turns) begin(ctx context.Context, b *batch) bool {
	if b.opens {
		select {
		case t.ahead <- struct{}{}:
			return true
		case <-ctx.Done():
			return false
		}
	}
	select {
	case <-t.of(b).over:
		return true
	case <-ctx.Done():
		return false
	}
}

// end must be called for each batch that begin let go, once it has ended.
func (t *turns) end(b *batch) {
	if b.opens {
		<-t.ahead
		t.skip(b)
	}
}

// skip must be called for each batch that need not be sent.
func (t *turns) skip(b *batch) {
	if b.opens {
		of := t.of(b)
		of.open.Do(func() { close(of.over) })
	}
}
