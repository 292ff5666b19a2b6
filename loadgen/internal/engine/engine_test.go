package engine_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/engine"
	"github.com/puttrix/trafficinator/loadgen/internal/ledger"
	"github.com/puttrix/trafficinator/loadgen/internal/routing"
	"github.com/puttrix/trafficinator/loadgen/internal/standstill"
	"github.com/puttrix/trafficinator/loadgen/internal/tracking"
	"github.com/puttrix/trafficinator/loadgen/internal/visit"
	"github.com/puttrix/trafficinator/loadgen/internal/visitor"
	"github.com/puttrix/trafficinator/loadgen/internal/wakeup"
	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/endreason"
	"github.com/puttrix/trafficinator/shared/hit"
	"github.com/puttrix/trafficinator/shared/metric"
	"github.com/puttrix/trafficinator/shared/outcome"
	"github.com/puttrix/trafficinator/shared/profile"
	"github.com/puttrix/trafficinator/shared/target"
)

// visits are of two pages, a second apart, and a ping.
type visits struct{}

func (visits) Fill(v *visit.Visit, _ int) {
	v.Visitor = visitor.Visitor{Place: &visitor.Places()[0], Device: &visitor.Devices()[0],
		Source: visitor.Source{Type: visitor.Direct}}
}

func (visits) Outline(n uint64, v *visit.Visit) {
	v.Number = n
	v.Hits = append(v.Hits[:0],
		visit.Hit{Kind: hit.Pageview, RecordedAs: hit.Pageview},
		visit.Hit{Kind: hit.Pageview, RecordedAs: hit.Pageview, SendOffset: time.Second, Offset: 100 * time.Second},
		visit.Hit{Kind: hit.Ping, RecordedAs: hit.Ping, SendOffset: 2 * time.Second, Offset: 200 * time.Second},
	)
}

// classified returns a result of a class.
func classified(c answer.Class) tracking.Result {
	return tracking.Result{Answer: answer.Answer{Class: c}}
}

func sum(all []int) int {
	n := 0
	for _, one := range all {
		n += one
	}
	return n
}

func accept(context.Context, sent) tracking.Result {
	return tracking.Result{}
}

type rig struct {
	config engine.Config
	matomo *matomo
	ledger *ledger.Ledger
}

func newRig(answer func(context.Context, sent) tracking.Result, change func(*engine.Config)) *rig {
	m := &matomo{answer: answer, inFlight: map[uint64]bool{}, busy: make([]int, 10)}
	m.broken, m.cut = context.WithCancel(context.Background())
	r := &rig{matomo: m, ledger: ledger.New(10)}
	r.config = engine.Config{
		Visits: visits{}, Sender: m, Ledger: r.ledger, Log: slog.New(slog.DiscardHandler), Timer: wakeup.NewTimer(),
		Clock: standstill.New(time.Now()), Load: profile.NewConstant(86400), Concurrency: 4, Batch: 1, Zone: time.UTC,
		Router:  routing.New([]target.Target{{Name: "one", Weight: 1}}, target.RoundRobin, 1),
		Reserve: func(uint64) error { return nil },
	}
	if change != nil {
		change(&r.config)
	}
	return r
}

func (r *rig) run(drain, abort context.Context, t *testing.T) endreason.Reason {
	t.Helper()
	reason := engine.New(r.config).Run(drain, abort)
	c := r.ledger.Counts()
	for k := range hit.Kind(hit.Kinds) {
		if row := c.Kind(k); row.Open() != 0 || row.InFlight != 0 {
			t.Errorf("%s does not add up: %+v", k, row)
		}
	}
	if c.OpenVisits() != 0 {
		t.Errorf("%d visits have no outcome", c.OpenVisits())
	}
	if r.matomo.parallel {
		t.Error("a visitor had two requests in flight")
	}
	r.matomo.cut()
	if r.matomo.most > r.config.Concurrency {
		t.Errorf("%d requests in flight, more than %d", r.matomo.most, r.config.Concurrency)
	}
	return reason
}

func (r *rig) ended(o outcome.Outcome) uint64 { return r.ledger.Counts().Total(-1).Outcomes[o] }

func TestVisitsArriveByTheScheduleAndHitsInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(12 * time.Hour) // synctest starts at midnight
		r := newRig(accept, func(c *engine.Config) { c.StopAfter = 5 })
		started := time.Now()
		if reason := r.run(t.Context(), t.Context(), t); reason != endreason.StoppedAfterVisits {
			t.Errorf("ended by %s", reason)
		}
		if len(r.matomo.log) != 15 {
			t.Fatalf("%d hits, want 15", len(r.matomo.log))
		}
		for _, s := range r.matomo.log {
			if want := started.Add(time.Duration(s.visit)*time.Second +
				time.Duration(s.hit)*time.Second); !s.when.Equal(want) {
				t.Errorf("hit %d of visit %d is sent at %v, want %v", s.hit, s.visit, s.when, want)
			}
			if want := s.when.Add(-time.Duration(s.hit)*time.Second - 200*time.Second +
				time.Duration(s.hit)*100*time.Second); !s.at.Equal(want.Truncate(time.Second)) {
				t.Errorf("hit %d of visit %d is recorded at %v, want %v", s.hit, s.visit, s.at, want)
			}
		}
		if c := r.ledger.Counts(); c.Visits[ledger.Complete] != 5 {
			t.Errorf("visits %v", c.Visits)
		}
	})
}

func TestAutoStopFinishesOpenVisits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(accept, func(c *engine.Config) { c.AutoStop = 10 * time.Second })
		if reason := r.run(t.Context(), t.Context(), t); reason != endreason.AutoStopped {
			t.Errorf("ended by %s", reason)
		}
		if c := r.ledger.Counts(); c.Planned != 10 || c.Visits[ledger.Complete] != 10 {
			t.Errorf("%d visits, visits %v", c.Planned, c.Visits)
		}
	})
}

func TestAutoStopDoesNotWaitForTheNextVisit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(accept, func(c *engine.Config) { c.Load, c.AutoStop = profile.NewConstant(1), 10*time.Minute })
		started := time.Now()
		if reason := r.run(t.Context(), t.Context(), t); reason != endreason.AutoStopped {
			t.Errorf("ended by %s", reason)
		}
		if took := time.Since(started); took > 10*time.Minute+time.Second {
			t.Errorf("ended after %v", took)
		}
	})
}

func TestAStopLetsRequestsInFlightEndAndAbandonsTheRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := func(ctx context.Context, _ sent) tracking.Result {
			time.Sleep(3 * time.Second)
			return tracking.Result{}
		}
		r := newRig(slow, nil)
		drain, stop := context.WithCancel(t.Context())
		time.AfterFunc(5500*time.Millisecond, stop)
		started := time.Now()
		if reason := r.run(drain, t.Context(), t); reason != endreason.Interrupted {
			t.Errorf("ended by %s", reason)
		}
		if took := time.Since(started); took > 8500*time.Millisecond+time.Millisecond {
			t.Errorf("the run ended after %v", took)
		}
		if r.ended(outcome.Abandoned) == 0 || r.ended(outcome.Unknown) != 0 {
			t.Errorf("%+v", r.ledger.Counts().Total(-1))
		}
	})
}

func TestADrainAbortsRequestsThatDoNotEnd(t *testing.T) {
	hang := func(ctx context.Context, s sent) tracking.Result {
		if s.visit == 0 && s.hit == 0 {
			return tracking.Result{}
		}
		<-ctx.Done()
		return classified(answer.Timeout)
	}
	synctest.Test(t, func(t *testing.T) {
		r := newRig(hang, nil)
		drain, stop := context.WithCancel(t.Context())
		time.AfterFunc(3*time.Second, stop)
		started := time.Now()
		_ = r.run(drain, t.Context(), t)
		if took := time.Since(started); took != 10*time.Second {
			t.Errorf("the run ended after %v, want 3 s and 7 s of drain", took)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		r := newRig(hang, nil)
		drain, stop := context.WithCancel(t.Context())
		abort, now := context.WithCancel(t.Context())
		time.AfterFunc(3*time.Second, stop)
		time.AfterFunc(4*time.Second, now)
		started := time.Now()
		_ = r.run(drain, abort, t)
		if took := time.Since(started); took != 4*time.Second {
			t.Errorf("a second signal ends the run after %v, want 4 s", took)
		}
	})
}

func TestAHitThatWasNotAcceptedIsRetriedTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refuse := func(_ context.Context, s sent) tracking.Result {
			if s.hit == 1 {
				return classified(answer.NotNow)
			}
			return tracking.Result{}
		}
		r := newRig(refuse, func(c *engine.Config) { c.StopAfter = 1 })
		_ = r.run(t.Context(), t.Context(), t)
		var when []time.Duration
		for _, s := range r.matomo.log {
			if s.hit == 1 {
				when = append(when, s.when.Sub(r.matomo.log[0].when))
			}
		}
		if len(when) != 3 || when[1]-when[0] != 500*time.Millisecond || when[2]-when[1] != time.Second {
			t.Errorf("sent after %v", when)
		}
		if r.ended(outcome.Failed) != 1 || r.ended(outcome.Accepted) != 2 {
			t.Errorf("%+v", r.ledger.Counts().Total(-1))
		}
		if c := r.ledger.Counts(); c.Visits[ledger.Partial] != 1 {
			t.Errorf("visits %v", c.Visits)
		}
	})
}

func TestARetryHonoursRetryAfter(t *testing.T) {
	for name, c := range map[string]struct {
		wants time.Duration
		tries int
	}{
		"soon":            {4 * time.Second, 3},
		"in half an hour": {30 * time.Minute, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(func(_ context.Context, s sent) tracking.Result {
					if s.hit == 1 {
						return tracking.Result{Answer: answer.Answer{Class: answer.NotNow, Status: 503,
							RetryAfter: c.wants}}
					}
					return tracking.Result{}
				}, func(c *engine.Config) { c.StopAfter = 1 })
				_ = r.run(t.Context(), t.Context(), t)
				var when []time.Time
				for _, s := range r.matomo.log {
					if s.hit == 1 {
						when = append(when, s.when)
					}
				}
				if len(when) != c.tries || r.ended(outcome.Failed) != 1 {
					t.Fatalf("%d tries, %d failed", len(when), r.ended(outcome.Failed))
				}
				for i := 1; i < len(when); i++ {
					if pause := when[i].Sub(when[i-1]); pause < c.wants {
						t.Errorf("sent again after %s", pause)
					}
				}
			})
		})
	}
}

func TestATargetThatRejectsEveryHitEndsTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(func(context.Context, sent) tracking.Result {
			return classified(answer.Rejected)
		}, nil)
		if reason := r.run(t.Context(), t.Context(), t); reason != endreason.NoTarget {
			t.Errorf("ended by %s", reason)
		}
		if n := len(r.matomo.log); n != 5 {
			t.Errorf("%d hits were tried, want 5", n)
		}
	})
}

func TestHitsThatCannotBeSentInTimeAreShed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := func(context.Context, sent) tracking.Result {
			time.Sleep(2 * time.Second)
			return tracking.Result{}
		}
		r := newRig(slow, func(c *engine.Config) { c.Load, c.AutoStop = profile.NewConstant(10*86400), time.Minute })
		_ = r.run(t.Context(), t.Context(), t)
		c := r.ledger.Counts()
		if c.Planned != 600 {
			t.Errorf("%d visits arrived, want 600: arrivals do not wait", c.Planned)
		}
		// Four requests of 2 s each carry 2 hits a second, while visits arrive and while the last ones end.
		if taken := r.ended(outcome.Accepted); taken < 110 || taken > 160 {
			t.Errorf("%d hits were accepted, want about 2 a second", taken)
		}
		if r.ended(outcome.Shed) == 0 || c.Visits[ledger.Unsent] == 0 {
			t.Errorf("%+v, visits %v", c.Total(-1), c.Visits)
		}
	})
}

func TestArrivalsPauseWhileTheStateCannotBeStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		started := time.Now()
		full := func(uint64) error {
			if time.Since(started) < time.Minute {
				return errors.New("no space left on device")
			}
			return nil
		}
		r := newRig(accept, func(c *engine.Config) { c.Reserve, c.StopAfter = full, 10 })
		e := engine.New(r.config)
		for at, want := range map[time.Duration]string{30 * time.Second: metric.PauseState, 70 * time.Second: ""} {
			time.AfterFunc(at+time.Millisecond, func() {
				if why := e.PauseReason(); why != want {
					t.Errorf("after %v the pause reason is %q, want %q", at, why, want)
				}
			})
		}
		_ = e.Run(t.Context(), t.Context())
		if first := r.matomo.log[0].when.Sub(started); first < time.Minute {
			t.Errorf("a visit started after %v", first)
		}
		if n := r.ledger.Counts().Planned; n != 10 {
			t.Errorf("%d visits, want 10", n)
		}
	})
}
