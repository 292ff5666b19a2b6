package engine_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/engine"
	"github.com/puttrix/trafficinator/loadgen/internal/ledger"
	"github.com/puttrix/trafficinator/loadgen/internal/tracking"
	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/outcome"
)

// late is an answer that comes so long after the time of its request is over; below 0 it never does.
type late struct {
	after time.Duration
	class answer.Class
}

func (l late) Wait(limit time.Duration) (answer.Answer, bool) {
	if l.after < 0 || l.after > limit {
		time.Sleep(limit)
		return answer.Answer{}, false
	}
	time.Sleep(l.after)
	return answer.Answer{Class: l.class}, true
}

// timedOut is the result of a request whose answer comes late.
func timedOut(after time.Duration) tracking.Result {
	r := said(answer.Timeout)
	r.Pending = late{after: after}
	return r
}

func TestAVisitWaitsUntilMatomoIsNoLongerAtWorkOnItsLastRequest(t *testing.T) {
	for name, c := range map[string]struct {
		after    time.Duration
		next     time.Duration // when the second page is sent
		repeated uint64
	}{
		"the answer comes late":  {after: 7 * time.Second, next: 9 * time.Second},
		"no answer comes at all": {after: -1, next: 32 * time.Second, repeated: 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var r *rig
				meanwhile := uint64(0) // repeated visits as they stand with a hit left to send
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
				began := time.Now()
				_ = r.run(t.Context(), t.Context(), t)
				for _, s := range r.matomo.log {
					if s.visit == 1 && s.hit == 1 {
						if at := s.when.Sub(began) - time.Second; (at - c.next).Abs() > time.Millisecond {
							t.Errorf("the next hit is sent after %v, want %v", at, c.next)
						}
					}
				}
				a := r.ledger.Counts().Account
				if meanwhile != c.repeated || a.Repeated != c.repeated || a.Visits[ledger.Complete] != 1 || a.Visits[ledger.Partial] != 1 {
					t.Errorf("%+v", a)
				}
			})
		})
	}
}

func TestARequestThatMayBeInWorkKeepsItsPlace(t *testing.T) {
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
		if first != 4 { // as many as there are places
			t.Errorf("%d visits begin while Matomo is at work on four", first)
		}
		if c := r.ledger.Counts(); c.Visits[ledger.Unsent] != 10 || c.Repeated != 0 {
			t.Errorf("%+v", c.Account)
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
		// The visits begin a second apart: the twentieth that times out does so after 22 seconds.
		time.AfterFunc(24*time.Second, func() {
			if !r.config.Router.Status(0, time.Now()).Failed {
				t.Error("the target does not count as failed")
			}
		})
		_ = e.Run(t.Context(), t.Context())
	})
}

func TestTheEndForWantOfATargetDoesNotWaitForLateAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(func(context.Context, sent) tracking.Result {
			time.Sleep(2 * time.Second)
			return timedOut(-1)
		}, func(c *engine.Config) { c.StopAfter, c.Concurrency = 60, 50 })
		// Five hits time out, one after the other, in ten seconds.
		if reason := r.run(t.Context(), t.Context(), t); reason != engine.NoTarget || r.ledger.Counts().Planned > 15 {
			t.Errorf("ended by %s after %d visits", reason, r.ledger.Counts().Planned)
		}
	})
}

func TestAnAnswerThatWasOnlyReadLateBecauseOfAStandstillCounts(t *testing.T) {
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
		// What else was on its way at that moment has none either.
		if n := r.ledger.Counts().Latency[0].TotalCount(); n == 0 || n >= int64(r.ended(outcome.Accepted)) {
			t.Errorf("%d latencies of %d hits: the one in flight has none", n, r.ended(outcome.Accepted))
		}
	})
}
