package engine_test

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/engine"
	"github.com/puttrix/trafficinator/loadgen/internal/tracking"
	"github.com/puttrix/trafficinator/loadgen/internal/visit"
	"github.com/puttrix/trafficinator/shared/answer"
)

// sent is a hit as the target saw it.
type sent struct {
	visit   uint64
	hit     int
	target  int
	at      time.Time // recorded
	when    time.Time
	request int
}

// matomo answers requests with the result of answer for their first hit, and checks that no visitor has two in flight.
// broken is done when requests are aborted.
type matomo struct {
	answer  func(broken context.Context, s sent) tracking.Result
	receipt func(hits []sent) answer.Receipt
	// limit is the maximum of hits per request, 0 for none. tooLarge reports that a hit is too large.
	limit    int
	tooLarge func(sent) bool
	broken   context.Context
	cut      context.CancelFunc

	mu       sync.Mutex
	log      []sent
	taken    []sent // of log, but for what was too large
	requests int
	inFlight map[uint64]bool
	busy     []int // requests in flight, by target
	most     int
	parallel bool
}

func (m *matomo) Request() engine.Request { return &request{matomo: m} }

func (m *matomo) Abort() { m.cut() }

// request is one goroutine's.
type request struct {
	*matomo
	target int
	hits   []sent
}

func (r *request) Begin(target int, _ bool) { r.target, r.hits = target, nil }

func (r *request) Add(v *visit.Visit, i int, at time.Time) {
	r.hits = append(r.hits, sent{visit: v.Number, hit: i, target: r.target, at: at, when: time.Now()})
}

func (r *request) Send() tracking.Result {
	m := r.matomo
	m.mu.Lock()
	m.requests++
	visitors := map[uint64]bool{}
	for i := range r.hits {
		r.hits[i].request = m.requests
		visitors[r.hits[i].visit] = true
	}
	for v := range visitors {
		m.parallel = m.parallel || m.inFlight[v]
		m.inFlight[v] = true
	}
	m.busy[r.target]++
	m.most = max(m.most, sum(m.busy))
	m.log = append(m.log, r.hits...)
	m.mu.Unlock()
	result := m.answer(m.broken, r.hits[0])
	m.mu.Lock()
	defer m.mu.Unlock()
	for v := range visitors {
		delete(m.inFlight, v)
	}
	m.busy[r.target]--
	if m.limit > 0 && len(r.hits) > m.limit || m.tooLarge != nil && slices.ContainsFunc(r.hits, m.tooLarge) {
		return classified(answer.TooLarge)
	}
	m.taken = append(m.taken, r.hits...)
	if m.receipt != nil {
		result.Receipt = m.receipt(r.hits)
	}
	return result
}
