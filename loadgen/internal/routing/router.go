// Package routing owns the choice of a target per visit, and whether a target gets hits at all: distribution
// strategies, health and circuit breaker. It sends nothing and waits for nothing.
package routing

import (
	"math/rand/v2"
	"sync"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/tracking"
	"github.com/puttrix/trafficinator/shared/outcome"
	"github.com/puttrix/trafficinator/shared/target"
)

type targetState struct {
	breaker
	window
	status   Status // without its health
	clockLag time.Duration
}

// Router is safe for concurrent use.
type Router struct {
	mu       sync.Mutex
	targets  []target.Target
	states   []targetState
	strategy target.Strategy
	seed     uint64
	weights  int
}

// New returns a router for enabled targets, at least one.
func New(targets []target.Target, strategy target.Strategy, seed uint64) *Router {
	r := &Router{targets: targets, states: make([]targetState, len(targets)), strategy: strategy, seed: seed}
	for _, t := range targets {
		r.weights += t.Weight
	}
	return r
}

// Targets returns the number of targets.
func (r *Router) Targets() int { return len(r.targets) }

// Pick returns the target of visit n: the assigned one, or the next that accepts hits. If none does it is the assigned
// one, whose breaker will deny the hits.
func (r *Router) Pick(n uint64, now time.Time) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	first := r.Assign(n)
	for i := range r.targets {
		t := (first + i) % len(r.targets)
		if s := &r.states[t]; s.admission(now) != Deny && !s.suspect(now) {
			return t
		}
	}
	return first
}

// Name returns the name of target t.
func (r *Router) Name(t int) string { return r.targets[t].Name }

// Share returns the share of the visits that target t is assigned, 0 to 1.
func (r *Router) Share(t int) float64 {
	if r.strategy == target.Weighted {
		return float64(r.targets[t].Weight) / float64(r.weights)
	}
	return 1 / float64(len(r.targets))
}

// Assign returns the target that the strategy assigns visit n, whatever its state. It depends only on the seed and the
// number of the visit, so that a run can be repeated.
func (r *Router) Assign(n uint64) int {
	if r.strategy == target.RoundRobin {
		return int(n % uint64(len(r.targets)))
	}
	rng := rand.New(rand.NewPCG(r.seed, ^n))
	if r.strategy == target.Random {
		return rng.IntN(len(r.targets))
	}
	x := rng.IntN(r.weights)
	for i, t := range r.targets {
		if x -= t.Weight; x < 0 {
			return i
		}
	}
	return len(r.targets) - 1
}

// Admission returns whether a hit may be sent to target t.
func (r *Router) Admission(t int, now time.Time) Admission {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.states[t].admission(now)
}

// Begin records that a hit is sent to target t now. It reports whether the target accepted the hit before.
func (r *Router) Begin(t int, now time.Time) (confirmed bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.states[t].begin(now)
	return r.states[t].confirmed
}

// End records the answer of target t to a request of n hits. If the request will be retried, at retryAt, the breaker
// ignores the answer; zero means no retry.
func (r *Router) End(t int, res tracking.Result, n int, now, retryAt time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s, class := &r.states[t], res.TargetClass(n)
	accepted := class.Outcome() == outcome.Accepted
	if retryAt.IsZero() {
		s.end(class, res.RetryAfter, now)
	} else {
		s.inFlight--
		s.retryAt = retryAt
	}
	s.add(now, accepted)
	if accepted {
		s.status.LastSuccess = now
	} else {
		s.status.LastFailure, s.status.LastError = now, res.String()
	}
	s.observeClock(res.ServerTime, now)
}

// Ignore records that a hit of target t ended without an answer that reflects on the target.
func (r *Router) Ignore(t int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.states[t].inFlight--
}

// ObserveClock records the clock of target t.
func (r *Router) ObserveClock(t int, clock, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.states[t].observeClock(clock, now)
}

func (s *targetState) observeClock(clock, now time.Time) {
	if !clock.IsZero() {
		// A Date header is truncated to the second, so up to a second of this is rounding, on the safe side.
		s.clockLag = max(0, now.Sub(clock))
	}
}

// ClockLag returns how far the clock of target t is behind, 0 if it is not.
func (r *Router) ClockLag(t int) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.states[t].clockLag
}

// Status is the state of a target.
type Status struct {
	Health      Health
	SuccessRate float64
	LastError   string
	// LastSuccess and LastFailure are when a hit was last accepted and not accepted, zero for never.
	LastSuccess, LastFailure time.Time
	// Failed means that the breaker is open.
	Failed bool
}

// Status returns the state of target t.
func (r *Router) Status(t int, now time.Time) Status {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := &r.states[t]
	st := s.status
	st.Failed = s.open
	st.Health, st.SuccessRate = s.health(now)
	if s.open {
		st.Health = Failed
	}
	return st
}

// AllFailed reports whether every target failed without ever accepting a hit, and returns the error of the first.
func (r *Router) AllFailed() (reason string, all bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.states {
		if s := &r.states[i]; s.everWorked || !s.open {
			return "", false
		}
	}
	return r.targets[0].Name + ": " + r.states[0].status.LastError, true
}
