package backfill

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/visit"
	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

// batch is one request: complete visits of one day and target, so that a visitor's hits are in order and in no other
// request.
type batch struct {
	span
	number   uint64 // in the log and the summary; it changes when the job is resumed
	day      int
	visits   []plannedVisit
	hits     int
	opensDay bool         // the others of the day wait for it
	known    *batchResult // from an earlier run of the job, nil if it is still to be sent
}

// span identifies a batch in the journal: consecutive visits in the order of a target.
type span struct {
	Target int    `json:"target,omitempty"`
	From   uint64 `json:"from"`
	Visits int    `json:"visits"`
}

// batchResult is the outcome of a batch.
type batchResult struct {
	answer.Answer
	// Latency is 0 if no answer came before the job was killed, and ledger.NoLatency after a standstill.
	Latency time.Duration `json:"latency,omitempty"`
	// TooLarge are the hits, from 0, that were too large even in a request of their own; the receipt calls them
	// invalid.
	TooLarge []int `json:"too_large,omitempty"`
}

// HitClass returns the class of hit i of n.
func (r *batchResult) HitClass(i, n int) answer.Class {
	if slices.Contains(r.TooLarge, i) {
		return answer.TooLarge
	}
	return r.Answer.HitClass(i, n)
}

// plannedVisit is a visit with the Unix time of its first hit.
type plannedVisit struct {
	number uint64
	at     int64
	hits   int
	device int
}

func (v plannedVisit) hitTime(h *visit.Hit) time.Time {
	return time.Unix(v.at+int64(h.Offset/time.Second), 0)
}

// take removes the first n visits of a batch and returns them as a batch of their own.
func (b *batch) take(n int) *batch {
	first := *b
	first.visits, first.Visits, first.hits = b.visits[:n:n], n, 0
	for _, v := range first.visits {
		first.hits += v.hits
	}
	b.visits, b.From = b.visits[n:], b.From+uint64(n)
	return &first
}

// halves splits a batch of two or more visits into two with about as many hits each.
func (b *batch) halves() [2]*batch {
	n, hits := 1, b.visits[0].hits
	for n < len(b.visits)-1 && hits+b.visits[n].hits <= b.hits/2 {
		hits += b.visits[n].hits
		n++
	}
	rest := *b
	return [2]*batch{rest.take(n), rest.take(len(b.visits) - n)}
}

// summarize returns a batch as the run summary lists it.
func (j *Job) summarize(b *batch, why string) runsummary.Batch {
	first := slices.MinFunc(b.visits, func(a, b plannedVisit) int { return cmp.Compare(a.number, b.number) })
	return runsummary.Batch{Number: b.number, Date: j.date(b), Target: j.target(b), FirstVisit: first.number,
		Visits: len(b.visits), Hits: b.hits, Why: why}
}

func (j *Job) date(b *batch) string   { return j.c.Days[b.day].Date.String() }
func (j *Job) target(b *batch) string { return j.c.Router.Name(b.Target) }

// dayGates delay the batches of each day and target until its first batch has ended, and let first batches through one
// at a time.
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
