package engine_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/engine"
	"github.com/puttrix/trafficinator/loadgen/internal/ledger"
	"github.com/puttrix/trafficinator/loadgen/internal/routing"
	"github.com/puttrix/trafficinator/loadgen/internal/tracking"
	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/outcome"
	"github.com/puttrix/trafficinator/shared/profile"
	"github.com/puttrix/trafficinator/shared/target"
)

// over distributes visits round robin over n targets.
func over(n int) func(*engine.Config) {
	targets := make([]target.Target, n)
	for i := range targets {
		targets[i] = target.Target{Name: string(rune('a' + i)), Weight: 1}
	}
	return func(c *engine.Config) { c.Router = routing.New(targets, target.RoundRobin, 1) }
}

func TestATargetThatHangsDoesNotSlowTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(func(_ context.Context, s sent) tracking.Result {
			if s.target == 3 && s.when.Sub(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)) > 10*time.Second {
				time.Sleep(30 * time.Second)
				return classified(answer.Timeout)
			}
			time.Sleep(20 * time.Millisecond)
			return tracking.Result{}
		}, func(c *engine.Config) {
			over(10)(c)
			c.Concurrency, c.Load, c.AutoStop = 40, profile.NewConstant(100*86400), time.Minute
		})
		_ = r.run(t.Context(), t.Context(), t)
		c := r.ledger.Counts()
		for i := range 10 {
			all := c.Total(i)
			if i != 3 && all.Outcomes[outcome.Accepted] != all.Planned {
				t.Errorf("target %d took %d of %d hits", i, all.Outcomes[outcome.Accepted], all.Planned)
			}
			if p99 := time.Duration(c.Latency[i].ValueAtQuantile(99)) * time.Microsecond; i != 3 &&
				p99 > 25*time.Millisecond {
				t.Errorf("target %d: p99 is %v", i, p99)
			}
		}
		if c.Total(3).Outcomes[outcome.Shed] == 0 {
			t.Errorf("the target that hangs: %+v", c.Total(3))
		}
	})
}

func TestAVisitQueuedForAFailingTargetMovesToAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		started := time.Now()
		r := newRig(func(_ context.Context, s sent) tracking.Result {
			if s.target == 0 && time.Since(started) > 3*time.Second { // it hangs with visits waiting, then fails
				time.Sleep(1500 * time.Millisecond)
				return classified(answer.Timeout)
			}
			return tracking.Result{}
		}, func(c *engine.Config) {
			over(2)(c)
			c.Concurrency, c.Load, c.AutoStop = 40, profile.NewConstant(40*86400), 20*time.Second
		})
		_ = r.run(t.Context(), t.Context(), t)
		c := r.ledger.Counts()
		if c.Visits[ledger.Unsent] > 0 {
			t.Errorf("%d visits did not happen though a target took hits: %v", c.Visits[ledger.Unsent], c.Visits)
		}
		if zero := c.Total(0); zero.Outcomes[outcome.Unknown] < 20 {
			t.Errorf("the failing target: %+v", zero)
		}
	})
}

func TestInAnOverloadStartedVisitsAreFinished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(func(context.Context, sent) tracking.Result {
			time.Sleep(100 * time.Millisecond)
			return tracking.Result{}
		}, func(c *engine.Config) { c.Load, c.AutoStop = profile.NewConstant(50*86400), time.Minute }) // 150 hits a second, 40 can be sent
		_ = r.run(t.Context(), t.Context(), t)
		c := r.ledger.Counts()
		if c.Visits[ledger.Partial] > 0 || c.Visits[ledger.Complete] < 600 || c.Visits[ledger.Unsent] < 1500 {
			t.Errorf("visits %v", c.Visits)
		}
	})
}

func TestManyOpenVisitsAreAbandonedAtAStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(accept, func(c *engine.Config) { c.Load = profile.NewConstant(20_000 * 86400) })
		drain, stop := context.WithCancel(t.Context())
		time.AfterFunc(2500*time.Millisecond, stop)
		started := time.Now()
		_ = r.run(drain, t.Context(), t)
		if took := time.Since(started); took > 2600*time.Millisecond {
			t.Errorf("the run ended after %v", took)
		}
		if r.ended(outcome.Abandoned) < 10_000 {
			t.Errorf("%+v", r.ledger.Counts().Total(-1))
		}
	})
}

func TestAVisitQueuedForAHangingTargetMovesToAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(func(_ context.Context, s sent) tracking.Result {
			if s.target == 0 {
				time.Sleep(10 * time.Second)
				return classified(answer.Timeout)
			}
			return tracking.Result{}
		}, func(c *engine.Config) {
			over(2)(c)
			c.Load, c.AutoStop = profile.NewConstant(40*86400), 20*time.Second
		})
		_ = r.run(t.Context(), t.Context(), t)
		c := r.ledger.Counts()
		// The hits sent to the hanging one, one at a time, are all that it costs.
		if c.Visits[ledger.Unsent] > 0 || c.Visits[ledger.Complete] < 795 {
			t.Errorf("visits %v", c.Visits)
		}
	})
}
