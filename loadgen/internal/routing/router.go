// Package routing owns which target a visit goes to and whether a target takes hits at all: strategies, health and
// circuit breaker. It sends nothing and waits for nothing.
package routing

import (
	"math/rand/v2"
	"sync"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/tracking"
	"github.com/puttrix/trafficinator/shared/outcome"
	"github.com/puttrix/trafficinator/shared/target"
)

// targetState is what the router knows of a target.
type targetState struct {
	breaker
	window
	lastError string
	// lastSuccess and refused are when the last answer came that accepted a hit, and that did not.
	lastSuccess, lastFailure time.Time
	// clockLag is how far the target's clock is behind ours, 0 where it is not.
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

// New makes a router over enabled targets, at least one.
func New(targets []target.Target, strategy target.Strategy, seed uint64) *Router {
	r := &Router{targets: targets, states: make([]targetState, len(targets)), strategy: strategy, seed: seed}
	for _, t := range targets {
		r.weights += t.Weight
	}
	return r
}

// Targets is the number of targets.
func (r *Router) Targets() int { return len(r.targets) }

// Pick is the target of visit n: that of the strategy, or the next one that takes hits. Where none does it is that
// of the strategy, and its breaker will refuse the hits.
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

// Name of target t.
func (r *Router) Name(t int) string { return r.targets[t].Name }

// Share is the share of the visits that target t gets while all take hits, 0..1.
func (r *Router) Share(t int) float64 {
	if r.strategy == target.Weighted {
		return float64(r.targets[t].Weight) / float64(r.weights)
	}
	return 1 / float64(len(r.targets))
}

// Assign is the target that the strategy gives visit n, whether it takes hits or not. It depends on the seed and the
// visit's number alone, so that a run can be repeated.
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

// Admission says whether a hit may go to target t.
func (r *Router) Admission(t int, now time.Time) Admission {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.states[t].admission(now)
}

// Begin books that a hit goes to target t now, and tells whether the target has proven itself.
func (r *Router) Begin(t int, now time.Time) (proven bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.states[t].begin(now)
	return r.states[t].confirmed
}

// End books the answer of target t to a request of n hits. Where the request will be sent again, at the moment again,
// it is no verdict on the target yet; zero is never.
func (r *Router) End(t int, res tracking.Result, n int, now, again time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s, class := &r.states[t], res.TargetClass(n)
	accepted := class.Outcome() == outcome.Accepted
	if again.IsZero() {
		s.end(class, res.RetryAfter, now)
	} else {
		s.inFlight--
		s.retryAt = again
	}
	s.add(now, accepted)
	if accepted {
		s.lastSuccess = now
	} else {
		s.lastFailure, s.lastError = now, res.String()
	}
	s.observeClock(res.ServerTime, now)
}

// Ignore books that a hit of target t has ended without an answer that says anything of the target.
func (r *Router) Ignore(t int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.states[t].inFlight--
}

// ObserveClock books the target's clock.
func (r *Router) ObserveClock(t int, clock, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.states[t].observeClock(clock, now)
}

func (s *targetState) observeClock(clock, now time.Time) {
	if !clock.IsZero() {
		// A Date header is cut to the second, so that up to a second of this is rounding: on the safe side.
		s.clockLag = max(0, now.Sub(clock))
	}
}

// ClockLag is how far the clock of target t is behind ours.
func (r *Router) ClockLag(t int) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.states[t].clockLag
}

// Status is what is shown of a target.
type Status struct {
	Health      Health
	SuccessRate float64
	LastError   string
	// LastSuccess and LastFailure are when a hit was accepted and was not, zero for never.
	LastSuccess, LastFailure time.Time
	// Failed says that the breaker is open.
	Failed bool
}

// Status of target t.
func (r *Router) Status(t int, now time.Time) Status {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := &r.states[t]
	rate, _ := s.rate(now)
	st := Status{Health: s.health(now), SuccessRate: rate, LastError: s.lastError, LastSuccess: s.lastSuccess,
		LastFailure: s.lastFailure, Failed: s.open}
	if s.open {
		st.Health = Failed
	}
	return st
}

// AllFailed says that every target failed without ever accepting a hit, and why the first did.
func (r *Router) AllFailed() (reason string, all bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.states {
		if s := &r.states[i]; s.everWorked || !s.open {
			return "", false
		}
	}
	return r.targets[0].Name + ": " + r.states[0].lastError, true
}
