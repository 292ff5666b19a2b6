// Package search drives a capacity search: it lets visits come at the rate of each step, waits until the server has
// settled, measures and judges. Which rate comes next it asks of package capacity; what a run makes of the result it
// does not know.
package search

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/capacity"
	"github.com/puttrix/trafficinator/loadgen/internal/engine"
	"github.com/puttrix/trafficinator/loadgen/internal/ledger"
	"github.com/puttrix/trafficinator/loadgen/internal/plan"
	"github.com/puttrix/trafficinator/loadgen/internal/routing"
	"github.com/puttrix/trafficinator/loadgen/internal/standstill"
	"github.com/puttrix/trafficinator/loadgen/internal/wakeup"
	"github.com/puttrix/trafficinator/shared/endreason"
	"github.com/puttrix/trafficinator/shared/phase"
	"github.com/puttrix/trafficinator/shared/runsummary"
	"github.com/puttrix/trafficinator/shared/threshold"
)

const (
	// confirmTime is how long the rate found is held.
	confirmTime = time.Minute
	// clearlyBroken is for how many looks on end, one a second, a threshold is missed until a step ends early.
	clearlyBroken = 5
)

// Search steers a run through the steps of a search and measures each. Its record may be read meanwhile.
type Search struct {
	engine     *engine.Engine
	router     *routing.Router
	clock      *standstill.Clock
	targets    []string
	counts     func() ledger.Counts
	log        *slog.Logger
	thresholds []threshold.Threshold
	step       time.Duration // how long one is measured
	timeout    time.Duration // of a request
	steps      *capacity.Search
	lag        capacity.Lag

	rate float64  // set last, in visits a second
	calm []uint64 // requests in flight while the lowest rate held, doubled, by target

	mu    sync.Mutex
	found runsummary.Capacity
}

// New searches as a plan says, with the engine of c, whose load is the lowest rate.
func New(p *plan.Plan, c engine.Config, e *engine.Engine) *Search {
	k := p.Search
	s := &Search{
		engine: e, router: c.Router, clock: c.Clock, targets: p.Names(), counts: c.Ledger.Counts, log: c.Log,
		thresholds: p.Verdict.Thresholds, step: k.Step, timeout: p.Sending.Timeout,
		steps: capacity.New(k.From, k.To), lag: capacity.NewLag(p.Visits.Outline),
		found: runsummary.Capacity{From: k.From, To: k.To, Steps: []runsummary.CapacityStep{}},
	}
	for _, t := range s.thresholds {
		s.found.Thresholds = append(s.found.Thresholds, t.Expression)
	}
	return s
}

// Record is what the search has found so far.
func (c *Search) Record() *runsummary.Capacity {
	c.mu.Lock()
	defer c.mu.Unlock()
	found := c.found
	return &found
}

// Run searches until the limit is found, then tells how it went; "" where ctx was done before.
func (c *Search) Run(ctx context.Context) endreason.Reason {
	for void := 0; ; {
		step, more := c.steps.Step()
		if !more {
			return c.steps.Outcome()
		}
		result, ok := c.try(ctx, step)
		if !ok {
			c.show(nil)
			return ""
		}
		c.book(result)
		if void++; result.Void == "" {
			void = 0
		}
		if void == mostVoid {
			c.giveUp(result)
			return endreason.CapacityVoid
		}
	}
}

// try lets visits come at the rate of a step and measures it; false where ctx was done before.
func (c *Search) try(ctx context.Context, step capacity.Step) (s runsummary.CapacityStep, ok bool) {
	if n := len(c.found.Steps); n > 0 && !c.found.Steps[n-1].Held {
		c.show(&runsummary.CapacityProgress{Kind: step.Kind, OfferedVisitRate: step.Rate, Phase: "recover"})
		if !c.recover(ctx) || !c.letProve(ctx) {
			return s, false
		}
	}
	_, stood := c.clock.Now(), c.clock.Count()
	settle := c.lag.Settle(c.rate, step.Rate)
	c.engine.SetRate(step.Rate / c.found.From)
	c.engine.Pause(false)
	c.rate = step.Rate
	s = runsummary.CapacityStep{Kind: step.Kind, Started: time.Now().UTC(), Settled: settle.Seconds(),
		OfferedVisitRate: step.Rate}
	c.show(&runsummary.CapacityProgress{Kind: step.Kind, OfferedVisitRate: step.Rate, Phase: "settle"})
	if !wakeup.Wait(ctx, settle) {
		return s, false
	}
	c.show(&runsummary.CapacityProgress{Kind: step.Kind, OfferedVisitRate: step.Rate, Phase: "measure"})
	return s, c.measure(ctx, &s, stood)
}

// recover lets no visit begin until about as few requests are in flight as while the lowest rate held, so that the
// backlog of a step that broke is not held against the next. Once all visits must have ended there is nothing to wait
// for.
func (c *Search) recover(ctx context.Context) bool {
	c.engine.Pause(true)
	c.rate = 0
	busy := func() bool {
		now := c.counts()
		for t := range now.Rows {
			calm := uint64(1)
			if t < len(c.calm) {
				calm = max(calm, c.calm[t])
			}
			if now.Total(t).InFlight > calm {
				return true
			}
		}
		return false
	}
	for end := time.Now().Add(c.lag.Longest() + c.timeout + engine.LateAnswerTimeout); ; {
		if !wakeup.Wait(ctx, 100*time.Millisecond) {
			return false
		}
		if !busy() || time.Now().After(end) {
			return true
		}
	}
}

// measure looks at a step once a second until its time is over or it has clearly broken. standstills is how many there
// were before the step: another one ends it.
func (c *Search) measure(ctx context.Context, s *runsummary.CapacityStep, standstills int) bool {
	length := c.step
	if s.Kind == runsummary.CapacityConfirm {
		length = max(confirmTime, c.step)
	}
	began, before := time.Now(), c.counts()
	inFlight := make([]uint64, len(before.Rows)) // summed over the looks
	for looks, missed := uint64(1), 0; ; looks++ {
		if !wakeup.Wait(ctx, min(time.Second, length-time.Since(began))) || c.engine.Phase() == phase.Draining {
			return false
		}
		elapsed, now := time.Since(began), c.counts()
		_, stood := c.clock.Now(), c.clock.Count() > standstills
		ended := elapsed >= length || stood
		since := now.Since(before)
		v := values(since, elapsed)
		if missed++; threshold.AllPassed(threshold.Evaluate(c.thresholds, v, ended)) {
			missed = 0
		}
		for t := range inFlight {
			inFlight[t] += now.Total(t).InFlight
		}
		if !ended && missed < clearlyBroken {
			continue
		}
		s.Measured, s.Latency, s.Verdicts = elapsed.Seconds(), v.Latency, threshold.Evaluate(c.thresholds, v, true)
		s.Held = threshold.AllPassed(s.Verdicts)
		if s.Void = c.void(since.Reasons, v, s.Held, stood); s.Void != "" {
			s.Held = false
		}
		s.VisitRate = float64(v.Visits.Planned-min(v.Visits.Unsent, v.Visits.Planned)) / elapsed.Seconds()
		s.HitRate = float64(v.Hits.Accepted) / elapsed.Seconds()
		if bad := v.Hits.NotAccepted(); bad > 0 {
			s.ErrorShare = float64(bad) / float64(v.Hits.Tried())
		}
		if s.Held && c.calm == nil { // near the limit many are in flight
			for t := range inFlight {
				inFlight[t] = 2 * inFlight[t] / looks
			}
			c.calm = inFlight
		}
		return true
	}
}

// values are what thresholds are judged by, of counts that came together in a time.
func values(c ledger.Counts, elapsed time.Duration) threshold.Values {
	return threshold.Values{
		Hits: c.Total(-1).Summary(), Visits: runsummary.Visits{Planned: c.Planned, Unsent: c.Visits[ledger.Unsent]},
		Due:     c.Due,
		Latency: runsummary.Percentiles(c.TotalLatency()), Elapsed: elapsed,
	}
}

// book takes a step that has ended into the search and its record.
func (c *Search) book(s runsummary.CapacityStep) {
	c.log.Info("step of the capacity search", "kind", s.Kind, "visits_per_second", s.OfferedVisitRate,
		"hits_per_second", s.HitRate,
		"p95_seconds", s.Latency.P95, "error_share", s.ErrorShare, "held", s.Held, "void", s.Void)
	c.mu.Lock()
	defer c.mu.Unlock()
	f := &c.found
	f.Steps, f.Progress = append(f.Steps, s), nil
	if s.Void != "" {
		return
	}
	c.steps.End(capacity.Result{Held: s.Held, Throughput: s.HitRate / c.lag.HitsPerVisit()})
	if !s.Held && (f.BrokenRate == 0 || s.OfferedVisitRate < f.BrokenRate) {
		f.BrokenRate, f.Limit = s.OfferedVisitRate,
			slices.DeleteFunc(slices.Clone(s.Verdicts), func(v runsummary.Verdict) bool { return v.Held })
	}
	f.VisitRate, f.Confirmed = c.steps.Best()
	f.HitRate = 0
	for _, step := range f.Steps {
		if step.Held && step.OfferedVisitRate == f.VisitRate {
			f.HitRate = step.HitRate
		}
	}
}

func (c *Search) show(under *runsummary.CapacityProgress) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.found.Progress = under
}
