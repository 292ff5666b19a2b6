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
	"github.com/puttrix/trafficinator/shared/endreason"
	"github.com/puttrix/trafficinator/shared/outcome"
	"github.com/puttrix/trafficinator/shared/phase"
)

// finishing runs an engine with calls at given times of the run.
func finishing(t *testing.T, r *rig, at map[time.Duration]func(*engine.Engine)) (*engine.Engine, endreason.Reason,
	time.Duration) {
	t.Helper()
	e := engine.New(r.config)
	for when, do := range at {
		if when == 0 {
			do(e)
			continue
		}
		time.AfterFunc(when, func() { do(e) })
	}
	started := time.Now()
	reason := e.Run(t.Context(), t.Context())
	took := time.Since(started)
	r.matomo.cut()
	if c := r.ledger.Counts(); c.OpenVisits() != 0 || c.Total(-1).Open() != 0 {
		t.Errorf("%d visits and %d hits have no end", c.OpenVisits(), c.Total(-1).Open())
	}
	return e, reason, took
}

func finish(within time.Duration) func(*engine.Engine) {
	return func(e *engine.Engine) { e.Finish(within) }
}

func TestFinishCompletesOpenVisitsAndStartsNone(t *testing.T) {
	for name, paused := range map[string]bool{"while it runs": false, "while it is paused": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(accept, func(c *engine.Config) { c.AutoStop = time.Hour })
				at := map[time.Duration]func(*engine.Engine){
					10500 * time.Millisecond: finish(time.Minute),
					11 * time.Second: func(e *engine.Engine) {
						if by := e.FinishBy(); e.Phase() != phase.Draining ||
							time.Until(by) != 59500*time.Millisecond {
							t.Errorf("phase %s, open visits are cut off at %v", e.Phase(), by)
						}
					},
				}
				if paused {
					at[10400*time.Millisecond] = func(e *engine.Engine) { e.Pause(true) }
				}
				e, reason, took := finishing(t, r, at)
				if reason != endreason.Stopped || took != 12*time.Second {
					t.Errorf("ended by %s after %v, want as soon as the last visit has ended", reason, took)
				}
				if c := r.ledger.Counts(); c.Visits[ledger.Complete] != 11 || c.Planned != 11 || c.Due != 11 ||
					e.CutVisits() != 0 {
					t.Errorf("%d visits, %d due, %d cut, visits %v: want 11 complete ones", c.Planned, c.Due,
						e.CutVisits(), c.Visits)
				}
			})
		})
	}
}

func TestVisitsOpenAtTheFinishDeadlineAreAbandoned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(accept, nil)
		e, reason, took := finishing(t, r,
			map[time.Duration]func(*engine.Engine){10500 * time.Millisecond: finish(time.Second)})
		if reason != endreason.Stopped || took != 11500*time.Millisecond {
			t.Errorf("ended by %s after %v", reason, took)
		}
		// The last visit has its ping left.
		if c := r.ledger.Counts(); c.Visits[ledger.Complete] != 10 || c.Planned != 11 ||
			r.ended(outcome.Abandoned) != 1 || e.CutVisits() != 1 {
			t.Errorf("%d visits, %d cut, visits %v, %d hits abandoned", c.Planned, e.CutVisits(), c.Visits,
				r.ended(outcome.Abandoned))
		}
	})
}

func TestRequestsInFlightGetTheDrainTimeoutAfterTheFinishDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := func(broken context.Context, _ sent) tracking.Result {
			<-broken.Done()
			return classified(answer.Timeout)
		}
		r := newRig(slow, nil)
		_, reason, took := finishing(t, r,
			map[time.Duration]func(*engine.Engine){1500 * time.Millisecond: finish(time.Second)})
		if reason != endreason.Stopped || took != 9500*time.Millisecond {
			t.Errorf("ended by %s after %v, want 7 s after the 2.5 s", reason, took)
		}
	})
}

func TestALaterFinishReplacesTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(accept, nil)
		_, reason, took := finishing(t, r, map[time.Duration]func(*engine.Engine){
			10500 * time.Millisecond: finish(time.Hour), 10600 * time.Millisecond: finish(time.Millisecond),
		})
		if reason != endreason.Stopped || took != 10601*time.Millisecond {
			t.Errorf("ended by %s after %v", reason, took)
		}
	})
}

func TestFinishCutsOffARunThatHasReachedItsLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(accept, func(c *engine.Config) { c.StopAfter = 11 })
		_, reason, took := finishing(t, r,
			map[time.Duration]func(*engine.Engine){10500 * time.Millisecond: finish(time.Second)})
		if reason != endreason.StoppedAfterVisits || took != 11500*time.Millisecond {
			t.Errorf("ended by %s after %v: it had all its visits", reason, took)
		}
	})
}

func TestARunFinishedBeforeItStartsSendsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(accept, nil)
		_, reason, took := finishing(t, r, map[time.Duration]func(*engine.Engine){0: finish(time.Minute)})
		if reason != endreason.Stopped || took != 0 || len(r.matomo.log) != 0 {
			t.Errorf("ended by %s after %v and %d hits", reason, took, len(r.matomo.log))
		}
	})
}

func TestASignalCutsOffAFinishingRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(accept, nil)
		e := engine.New(r.config)
		time.AfterFunc(10500*time.Millisecond, func() { e.Finish(time.Minute) })
		drain, stop := context.WithTimeoutCause(t.Context(), 11*time.Second+time.Millisecond, endreason.Interrupted)
		defer stop()
		if reason := e.Run(drain, t.Context()); reason != endreason.Interrupted || e.CutVisits() != 1 {
			t.Errorf("ended by %s, %d visits cut", reason, e.CutVisits())
		}
		r.matomo.cut()
	})
}
