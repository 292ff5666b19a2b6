package engine_test

import (
	"context"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/engine"
	"github.com/puttrix/trafficinator/loadgen/internal/tracking"
	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/endreason"
	"github.com/puttrix/trafficinator/shared/outcome"
	"github.com/puttrix/trafficinator/shared/profile"
)

// reasonsAddUp checks that every hit that was not accepted has a reason, whose class has its outcome.
func (r *rig) reasonsAddUp(t *testing.T) map[answer.Class]uint64 {
	t.Helper()
	c := r.ledger.Counts()
	var by [outcome.Count]uint64
	classes := map[answer.Class]uint64{}
	for _, one := range c.Reasons {
		by[one.Answer.Class.Outcome()] += one.Hits
		classes[one.Answer.Class] += one.Hits
	}
	for o := range outcome.Outcome(outcome.Count) {
		if ended := c.Total(-1).Outcomes[o]; o != outcome.Accepted && by[o] != ended {
			t.Errorf("%d hits are %s, %d of them with a reason", ended, o, by[o])
		}
	}
	return classes
}

func TestEveryHitThatWasNotAcceptedHasAReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		started := time.Now()
		drain, stop := context.WithCancelCause(t.Context())
		r := newRig(func(_ context.Context, s sent) tracking.Result {
			rng := rand.New(rand.NewPCG(uint64(s.visit), uint64(s.hit)))
			switch since := time.Since(started); {
			case since > 40*time.Second && since < 50*time.Second:
				time.Sleep(3 * time.Second) // too slow, so that hits are late
			case since > 100*time.Second:
				return classified(answer.Unreachable) // an outage, which opens the breaker
			case rng.IntN(3) == 0:
				return classified([]answer.Class{answer.NotNow, answer.InFront, answer.Unreadable, answer.RolledBack,
					answer.TooLarge}[rng.IntN(5)])
			}
			return tracking.Result{}
		}, func(c *engine.Config) { c.Load = profile.NewConstant(20 * 86400) })
		time.AfterFunc(102500*time.Millisecond, func() { stop(endreason.Interrupted) })
		_ = r.run(drain, t.Context(), t)
		classes := r.reasonsAddUp(t)
		for _, c := range []answer.Class{answer.NotNow, answer.InFront, answer.Unreadable, answer.TooLarge,
			answer.Unreachable, answer.Breaker, answer.Late, answer.Stopped} {
			if classes[c] == 0 {
				t.Errorf("no hit is %s: %v", c, classes)
			}
		}
	})
}

func TestAHitShedAfterARetryHasItsLastAnswerAsReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n atomic.Int32
		r := newRig(func(context.Context, sent) tracking.Result {
			if n.Add(1) == 1 {
				return tracking.Result{}
			}
			return tracking.Result{Answer: answer.Answer{Class: answer.NotNow, Status: 429, RetryAfter: 5 * time.Second,
				Excerpt: "slow down"}}
		}, func(c *engine.Config) {
			c.Load, c.AutoStop, c.Concurrency = profile.NewConstant(40*86400), 20*time.Second, 50
		})
		_ = r.run(t.Context(), t.Context(), t)
		r.reasonsAddUp(t)
		for _, one := range r.ledger.Counts().Reasons {
			if one.Answer.Class == answer.NotNow && (one.Answer.Status != 429 || one.Answer.Excerpt != "slow down") {
				t.Errorf("%+v", one)
			}
		}
		if r.ended(outcome.Failed) == 0 {
			t.Error("no hit has failed")
		}
	})
}
