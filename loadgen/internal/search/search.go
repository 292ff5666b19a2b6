// Package search runs a capacity search: for each step it sets the arrival rate, waits until the hit rate has settled,
// measures, and evaluates the thresholds. Package capacity chooses the rates.
package search

import (
	"context"
	"fmt"
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
	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/endreason"
	"github.com/puttrix/trafficinator/shared/phase"
	"github.com/puttrix/trafficinator/shared/runsummary"
	"github.com/puttrix/trafficinator/shared/threshold"
)

const (
	// confirmTime is how long a rate must hold to be confirmed.
	confirmTime = time.Minute
	// failFastAfter is for how many seconds a threshold must have failed to end a step early.
	failFastAfter = 5
)

// Search controls the arrival rate of a run and measures each step. Result may be called from any goroutine.
type Search struct {
	engine     *engine.Engine
	router     *routing.Router
	clock      *standstill.Clock
	targets    []string
	counts     func() ledger.Counts
	log        *slog.Logger
	thresholds []threshold.Threshold
	step       time.Duration // duration of a measurement
	timeout    time.Duration // of a request
	steps      *capacity.Search
	lag        capacity.Lag

	rate             float64  // current, in visits per second
	baselineInFlight []uint64 // twice the requests in flight at the lowest rate, by target

	mu     sync.Mutex
	result runsummary.Capacity
}

// New returns a search with the settings of a plan. The load of e, configured by c, is the lowest rate.
func New(p *plan.Plan, c engine.Config, e *engine.Engine) *Search {
	k := p.Search
	s := &Search{
		engine: e, router: c.Router, clock: c.Clock, targets: p.TargetNames(), counts: c.Ledger.Counts, log: c.Log,
		thresholds: p.Criteria.Thresholds, step: k.Step, timeout: p.Sending.Timeout,
		steps: capacity.New(k.From, k.To), lag: capacity.NewLag(p.Visits.Outline),
		result: runsummary.Capacity{From: k.From, To: k.To, Steps: []runsummary.CapacityStep{}},
	}
	for _, t := range s.thresholds {
		s.result.Thresholds = append(s.result.Thresholds, t.Expression)
	}
	return s
}

// Result returns the result so far.
func (c *Search) Result() *runsummary.Capacity {
	c.mu.Lock()
	defer c.mu.Unlock()
	return new(c.result)
}

// Run searches until the limit is found and returns how the search ended, or "" if ctx was done first.
func (c *Search) Run(ctx context.Context) endreason.Reason {
	for void := 0; ; {
		step, more := c.steps.Step()
		if !more {
			return c.steps.Outcome()
		}
		result, ok := c.runStep(ctx, step)
		if !ok {
			c.setProgress(step, "")
			return ""
		}
		c.record(result)
		if void++; result.Void == "" {
			void = 0
		}
		if void == maxVoid {
			c.abort(result)
			return endreason.CapacityVoid
		}
	}
}

// runStep sets the rate of a step and measures it. It returns false if ctx was done first.
func (c *Search) runStep(ctx context.Context, step capacity.Step) (s runsummary.CapacityStep, ok bool) {
	if n := len(c.result.Steps); n > 0 && !c.result.Steps[n-1].Held {
		c.setProgress(step, "recover")
		if !c.drainBacklog(ctx) || !c.waitForTargets(ctx) {
			return s, false
		}
	}
	_, standstills := c.clock.Elapsed(), c.clock.GapCount()
	settle := c.lag.SettleTime(c.rate, step.Rate)
	c.engine.SetRate(step.Rate / c.result.From)
	c.engine.Pause(false)
	c.rate = step.Rate
	s = runsummary.CapacityStep{Kind: step.Kind, Started: time.Now().UTC(), Settled: settle.Seconds(),
		OfferedVisitRate: step.Rate}
	c.setProgress(step, "settle")
	if !wakeup.Sleep(ctx, settle) {
		return s, false
	}
	c.setProgress(step, "measure")
	return s, c.measure(ctx, &s, standstills)
}

// drainBacklog pauses visits until about as few requests are in flight as at the lowest rate, so that the backlog of a
// failed step does not count against the next. It gives up once all visits must have ended.
func (c *Search) drainBacklog(ctx context.Context) bool {
	c.engine.Pause(true)
	c.rate = 0
	busy := func() bool {
		now := c.counts()
		for t := range now.Rows {
			limit := uint64(1)
			if t < len(c.baselineInFlight) {
				limit = max(limit, c.baselineInFlight[t])
			}
			if now.Total(t).InFlight > limit {
				return true
			}
		}
		return false
	}
	for end := time.Now().Add(c.lag.LongestVisit() + c.timeout + engine.LateAnswerTimeout); ; {
		if !wakeup.Sleep(ctx, 100*time.Millisecond) {
			return false
		}
		if !busy() || time.Now().After(end) {
			return true
		}
	}
}

// measure samples a step once a second until its time is over or it has clearly failed. A standstill beyond those
// before the step ends it.
func (c *Search) measure(ctx context.Context, s *runsummary.CapacityStep, standstills int) bool {
	length := c.step
	if s.Kind == runsummary.CapacityConfirm {
		length = max(confirmTime, c.step)
	}
	start, before := time.Now(), c.counts()
	inFlight := make([]uint64, len(before.Rows)) // summed over the samples
	for samples, missed := uint64(1), 0; ; samples++ {
		if !wakeup.Sleep(ctx, min(time.Second, length-time.Since(start))) || c.engine.Phase() == phase.Draining {
			return false
		}
		elapsed, now := time.Since(start), c.counts()
		_, stood := c.clock.Elapsed(), c.clock.GapCount() > standstills
		ended := elapsed >= length || stood
		since := now.Since(before)
		v := values(since, elapsed)
		if missed++; threshold.AllPassed(threshold.Evaluate(c.thresholds, v, ended)) {
			missed = 0
		}
		for t := range inFlight {
			inFlight[t] += now.Total(t).InFlight
		}
		if !ended && missed < failFastAfter {
			continue
		}
		s.Measured, s.Latency, s.Verdicts = elapsed.Seconds(), v.Latency, threshold.Evaluate(c.thresholds, v, true)
		s.Held = threshold.AllPassed(s.Verdicts)
		if s.Void = c.voidReason(since.Reasons, v, s.Held, stood); s.Void != "" {
			s.Held = false
		}
		s.VisitRate = float64(v.Visits.Planned-min(v.Visits.Unsent, v.Visits.Planned)) / elapsed.Seconds()
		s.HitRate = float64(v.Hits.Accepted) / elapsed.Seconds()
		if bad := v.Hits.NotAccepted(); bad > 0 {
			s.ErrorShare = float64(bad) / float64(v.Hits.Tried())
		}
		if s.Held && c.baselineInFlight == nil { // the first step, far below the limit
			for t := range inFlight {
				inFlight[t] = 2 * inFlight[t] / samples
			}
			c.baselineInFlight = inFlight
		}
		return true
	}
}

func values(c ledger.Counts, elapsed time.Duration) threshold.Values {
	return threshold.Values{
		Hits: c.Total(-1).Summary(), Visits: runsummary.Visits{Planned: c.Planned, Unsent: c.Visits[ledger.Unsent]},
		Due: c.Due, Latency: runsummary.Percentiles(c.TotalLatency()), Elapsed: elapsed,
	}
}

func (c *Search) record(s runsummary.CapacityStep) {
	c.log.Info("capacity step", "kind", s.Kind, "visits_per_second", s.OfferedVisitRate,
		"hits_per_second", s.HitRate,
		"p95_seconds", s.Latency.P95, "error_share", s.ErrorShare, "held", s.Held, "void", s.Void)
	c.mu.Lock()
	defer c.mu.Unlock()
	f := &c.result
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

func (c *Search) setProgress(step capacity.Step, phase string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.result.Progress = nil
	if phase != "" {
		c.result.Progress = &runsummary.CapacityProgress{Kind: step.Kind, OfferedVisitRate: step.Rate, Phase: phase}
	}
}

const (
	// maxVoid consecutive void measurements abort the search.
	maxVoid = 3
	// maxRecovery is how long a failed target may take to recover: a little more than the longest wait between two
	// probes (package routing).
	maxRecovery = 70 * time.Second
)

// voidReason returns why the measurement of a step is void, or "". It is void if the loadgen was suspended, or if the
// step failed only because of hits refused by a server in front of Matomo, refused for their token, or not sent because
// the target was marked failed.
func (c *Search) voidReason(reasons []ledger.Reason, v threshold.Values, held, stoodStill bool) string {
	if stoodStill {
		return "the loadgen was suspended"
	}
	var refused, unsent uint64
	var worst ledger.Reason
	for _, r := range reasons {
		switch r.Answer.Class {
		case answer.InFront, answer.Token:
			refused += r.Hits
		case answer.Breaker:
			unsent += r.Hits
		default:
			continue
		}
		if worst.Hits == 0 || r.Answer.Class != answer.Breaker &&
			(r.Hits > worst.Hits || worst.Answer.Class == answer.Breaker) {
			worst = r
		}
	}
	if held || refused+unsent == 0 {
		return ""
	}
	v.Hits.Rejected -= min(refused, v.Hits.Rejected)
	v.Hits.Shed -= min(unsent, v.Hits.Shed)
	if c.missedWithout(v) {
		return ""
	}
	if refused == 0 {
		return fmt.Sprintf("%s was marked failed and %d hits were not sent (%s): %s",
			c.targets[worst.Target], unsent, answer.Breaker, c.router.Status(worst.Target, time.Now()).LastError)
	}
	a := worst.Answer
	said := runsummary.Reason{Class: a.Class.String(), Status: a.Status, Server: a.Server, Excerpt: a.Excerpt}
	return fmt.Sprintf("%d hits to %s were refused (%s): %s", refused, c.targets[worst.Target], a.Class, said)
}

// missedWithout reports whether a threshold fails by the values of a step without hits that were refused or not
// sent. Metrics that these hits lower are ignored.
func (c *Search) missedWithout(v threshold.Values) bool {
	return slices.ContainsFunc(threshold.Evaluate(c.thresholds, v, true), func(v runsummary.Verdict) bool {
		lowered := slices.Contains([]string{"achieved_rate", "hit_rate", "visits", "accepted"}, v.Metric)
		return threshold.IsMissed(v) && v.Value != nil && !lowered
	})
}

// waitForTargets sends visits at the lowest rate while a target is marked failed, so that it can recover before the
// next step. It returns false if ctx was done first.
func (c *Search) waitForTargets(ctx context.Context) bool {
	failed := func() bool {
		for t := range c.targets {
			if c.router.Status(t, time.Now()).Failed {
				return true
			}
		}
		return false
	}
	if !failed() {
		return true
	}
	c.engine.SetRate(1)
	c.engine.Pause(false)
	c.rate = c.result.From
	for end := time.Now().Add(maxRecovery); failed() && time.Now().Before(end); {
		if !wakeup.Sleep(ctx, time.Second) {
			return false
		}
	}
	return true
}

func (c *Search) abort(s runsummary.CapacityStep) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.result.Void = fmt.Sprintf("%d consecutive measurements at %.4g visits/s were void: %s", maxVoid,
		s.OfferedVisitRate, s.Void)
}
