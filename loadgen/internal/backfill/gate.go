package backfill

import (
	"context"
	"sync"
)

// dayGates lets batches that go ahead be sent one at a time, and keeps the others of their days back until they have
// ended.
type dayGates struct {
	ahead chan struct{} // full while one goes ahead
	gates []gate        // by day and target
	each  int           // targets of a day
}

type gate struct {
	open   sync.Once
	opened chan struct{}
}

func newDayGates(days, targets int) *dayGates {
	t := &dayGates{ahead: make(chan struct{}, 1), gates: make([]gate, days*targets), each: targets}
	for i := range t.gates {
		t.gates[i].opened = make(chan struct{})
	}
	return t
}

func (t *dayGates) of(b *batch) *gate { return &t.gates[b.day*t.each+b.span.Target] }

// enter waits until a batch may be sent; false where ctx is done before. Afterwards there must be an end.
func (t *dayGates) enter(ctx context.Context, b *batch) bool {
	if b.opensDay {
		select {
		case t.ahead <- struct{}{}:
			return true
		case <-ctx.Done():
			return false
		}
	}
	select {
	case <-t.of(b).opened:
		return true
	case <-ctx.Done():
		return false
	}
}

// leave must be called for each batch that begin let go, once it has ended.
func (t *dayGates) leave(b *batch) {
	if b.opensDay {
		<-t.ahead
		t.open(b)
	}
}

// open must be called for each batch that need not be sent.
func (t *dayGates) open(b *batch) {
	if b.opensDay {
		of := t.of(b)
		of.open.Do(func() { close(of.opened) })
	}
}
