package engine_test

import (
	"context"
	"math"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/engine"
	"github.com/puttrix/trafficinator/loadgen/internal/ledger"
	"github.com/puttrix/trafficinator/loadgen/internal/tracking"
	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/endreason"
	"github.com/puttrix/trafficinator/shared/outcome"
	"github.com/puttrix/trafficinator/shared/profile"
)

// late is an answer that arrives so long after the timeout of its request, never if negative.
type late struct {
	after time.Duration
	class answer.Class
}

func (l late) Wait(ctx context.Context, limit time.Duration) (answer.Answer, bool) {
	if l.after < 0 {
		l.after = math.MaxInt64
	}
	select {
	case <-ctx.Done():
	case <-time.After(min(l.after, limit)):
	}
	return answer.Answer{Class: l.class}, l.after <= limit && ctx.Err() == nil
}

// timedOut is the result of a request whose answer comes late.
func timedOut(after time.Duration) tracking.Result {
	r := classified(answer.Timeout)
	r.Pending = late{after: after}
	return r
}

func TestAVisitWaitsWhileMatomoMayWorkOnItsLastRequest(t *testing.T) {
	for name, c := range map[string]struct {
		after    time.Duration
		next     time.Duration // when the second page is sent
		repeated uint64
	}{
		"the answer comes late": {after: 7 * time.Second, next: 9 * time.Second},
		"no answer comes":       {after: -1, next: 32 * time.Second, repeated: 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var r *rig
				meanwhile := uint64(0) // repeated visits with a hit left to send
				r = newRig(func(_ context.Context, s sent) tracking.Result {
					if s.visit == 1 && s.hit == 0 {
						time.Sleep(2 * time.Second) // the timeout
						return timedOut(c.after)
					}
					if s.visit == 1 && s.hit == 2 { // a kill now must leave the bound as wide
						meanwhile = r.ledger.Counts().Repeated
					}
					return tracking.Result{}
				}, func(c *engine.Config) { c.StopAfter = 2 })
				started := time.Now()
				_ = r.run(t.Context(), t.Context(), t)
				for _, s := range r.matomo.log {
					if s.visit == 1 && s.hit == 1 {
						if at := s.when.Sub(started) - time.Second; (at - c.next).Abs() > time.Millisecond {
							t.Errorf("the next hit is sent after %v, want %v", at, c.next)
						}
					}
				}
				a := r.ledger.Counts().VisitTotals
				if meanwhile != c.repeated || a.Repeated != c.repeated || a.Visits[ledger.Complete] != 1 ||
					a.Visits[ledger.Partial] != 1 {
					t.Errorf("%+v", a)
				}
			})
		})
	}
}

func TestATimedOutRequestKeepsItsSlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(func(_ context.Context, s sent) tracking.Result {
			if s.visit > 0 && s.hit == 0 {
				time.Sleep(2 * time.Second)
				return timedOut(20 * time.Second)
			}
			return tracking.Result{}
		}, func(c *engine.Config) { c.StopAfter = 15 })
		_ = r.run(t.Context(), t.Context(), t)
		first := 0
		for _, s := range r.matomo.log {
			if s.visit > 0 && s.hit == 0 {
				first++
			}
		}
		if first != 4 { // as many as there are slots
			t.Errorf("%d visits start while Matomo is working on four", first)
		}
		if c := r.ledger.Counts(); c.Visits[ledger.Unsent] != 10 || c.Repeated != 0 {
			t.Errorf("%+v", c.VisitTotals)
		}
	})
}

func TestTheBreakerDoesNotWaitForLateAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(func(_ context.Context, s sent) tracking.Result {
			if s.visit == 0 {
				return tracking.Result{}
			}
			time.Sleep(2 * time.Second)
			return timedOut(-1)
		}, func(c *engine.Config) { c.StopAfter, c.Concurrency = 60, 50 })
		e := engine.New(r.config)
		// The visits start a second apart: the twentieth times out after 22 seconds.
		time.AfterFunc(24*time.Second, func() {
			if !r.config.Router.Status(0, time.Now()).Failed {
				t.Error("the target does not count as failed")
			}
		})
		_ = e.Run(t.Context(), t.Context())
	})
}

func TestARunWithoutATargetDoesNotWaitForLateAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(func(context.Context, sent) tracking.Result {
			time.Sleep(2 * time.Second)
			return timedOut(-1)
		}, func(c *engine.Config) { c.StopAfter, c.Concurrency = 60, 50 })
		// Five hits time out, one after the other, in ten seconds.
		if reason := r.run(
			t.Context(),
			t.Context(),
			t,
		); reason != endreason.NoTarget ||
			r.ledger.Counts().Planned > 15 {
			t.Errorf("ended by %s after %d visits", reason, r.ledger.Counts().Planned)
		}
	})
}

func TestAnAnswerReadLateBecauseOfAStandstillCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(nil, func(c *engine.Config) { c.StopAfter = 2 })
		s := r.standStill(time.Hour, 0)
		r.matomo.answer = func(_ context.Context, hit sent) tracking.Result {
			if hit.visit == 1 && hit.hit == 0 {
				time.Sleep(time.Second)
				s.skipped.Add(int64(90 * time.Second))
				return timedOut(0)
			}
			return tracking.Result{}
		}
		_ = r.run(t.Context(), t.Context(), t)
		if n := r.ended(outcome.Unknown); n != 0 {
			t.Errorf("%d hits are unknown, though their answers were there", n)
		}
		// What else was on its way at that time has none either.
		if n := r.ledger.Counts().Latency[0].TotalCount(); n == 0 || n >= int64(r.ended(outcome.Accepted)) {
			t.Errorf("%d latencies of %d hits: the one in flight has none", n, r.ended(outcome.Accepted))
		}
	})
}

func TestAStopDoesNotWaitForLateAnswers(t *testing.T) {
	hang := func(_ context.Context, s sent) tracking.Result {
		if s.visit == 0 {
			return tracking.Result{}
		}
		time.Sleep(2 * time.Second)
		return timedOut(-1)
	}
	t.Run("at a signal", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(hang, nil)
			// Those of the seconds 1, 2 and 3 wait for late answers, that of 4 has timed out at 6.
			drain, stop := context.WithTimeoutCause(t.Context(), 5500*time.Millisecond, endreason.Interrupted)
			defer stop()
			started := time.Now()
			if reason := r.run(drain, t.Context(), t); reason != endreason.Interrupted ||
				time.Since(started) != 6*time.Second {
				t.Errorf("ended by %s after %v, want 6 s: the last request in its time ends then", reason,
					time.Since(started))
			}
		})
	})
	t.Run("when the time to finish is over", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(hang, nil)
			_, reason, took := finishing(t, r,
				map[time.Duration]func(*engine.Engine){4500 * time.Millisecond: finish(3 * time.Second)})
			if reason != endreason.Stopped || took != 7500*time.Millisecond {
				t.Errorf("ended by %s after %v, want 7.5 s", reason, took)
			}
		})
	})
}

func TestARunDoesNotWaitForLateAnswersToLastHits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(func(_ context.Context, s sent) tracking.Result {
			if s.hit == 2 {
				time.Sleep(2 * time.Second)
				return timedOut(-1)
			}
			return tracking.Result{}
		}, func(c *engine.Config) { c.StopAfter = 2 })
		started := time.Now()
		reason := r.run(t.Context(), t.Context(), t)
		// The last hit is due at the third second.
		if took := time.Since(started); reason != endreason.StoppedAfterVisits || took != 5*time.Second {
			t.Errorf("ended by %s after %v, want 5 s", reason, took)
		}
		if c := r.ledger.Counts(); c.Visits[ledger.Partial] != 2 || r.ended(outcome.Unknown) != 2 || c.Repeated != 0 {
			t.Errorf("%+v", c.VisitTotals)
		}
	})
}

// Unanswered requests occupy all slots when Matomo recovers.
func TestARecoveredTargetTakesHitsDespiteUnansweredOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var down atomic.Bool
		r := newRig(func(_ context.Context, s sent) tracking.Result {
			if down.Load() {
				time.Sleep(2 * time.Second)
				return timedOut(-1)
			}
			time.Sleep(10 * time.Millisecond)
			return tracking.Result{}
		}, func(c *engine.Config) {
			c.Concurrency, c.Load, c.AutoStop = 20, profile.NewConstant(10*86400), 30*time.Second
		})
		started := time.Now()
		time.AfterFunc(5*time.Second, func() { down.Store(true) })
		time.AfterFunc(10*time.Second, func() { down.Store(false) })
		var accepted atomic.Int64
		time.AfterFunc(18*time.Second, func() { accepted.Add(-int64(r.ended(outcome.Accepted))) })
		time.AfterFunc(20*time.Second, func() { accepted.Add(int64(r.ended(outcome.Accepted))) })
		_ = r.run(t.Context(), t.Context(), t)
		tried := slices.ContainsFunc(r.matomo.log, func(s sent) bool {
			at := s.when.Sub(started)
			return at > 10*time.Second && at < 16*time.Second
		})
		if !tried {
			t.Error("it is not tried for six seconds")
		}
		if n := accepted.Load(); n < 50 { // of 60 that are due
			t.Errorf("%d hits are accepted in two seconds", n)
		}
	})
}
