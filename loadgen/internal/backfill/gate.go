package backfill

import (
	"context"
	"sync"
)

// dayGates hold back the batches of each day and target until its first batch has ended, and send first batches one at
// a time.
type dayGates struct {
	slot    chan struct{} // taken while a first batch is sent
	gates   []gate        // by day and target
	targets int
}

type gate struct {
	opened chan struct{}
	open   func() // may be called more than once
}

func newDayGates(days, targets int) *dayGates {
	g := &dayGates{slot: make(chan struct{}, 1), gates: make([]gate, days*targets), targets: targets}
	for i := range g.gates {
		opened := make(chan struct{})
		g.gates[i] = gate{opened, sync.OnceFunc(func() { close(opened) })}
	}
	return g
}

func (g *dayGates) of(b *batch) gate { return g.gates[b.day*g.targets+b.Target] }

// enter waits until a batch may be sent; leave must follow. It returns false if ctx is done before.
func (g *dayGates) enter(ctx context.Context, b *batch) bool {
	slot, opened := g.slot, g.of(b).opened
	if b.opensDay {
		opened = nil
	} else {
		slot = nil
	}
	select {
	case slot <- struct{}{}:
	case <-opened:
	case <-ctx.Done():
		return false
	}
	return true
}

func (g *dayGates) leave(b *batch) {
	if b.opensDay {
		<-g.slot
		g.open(b)
	}
}

// open must be called for each batch that is not sent because its result is known.
func (g *dayGates) open(b *batch) {
	if b.opensDay {
		g.of(b).open()
	}
}
