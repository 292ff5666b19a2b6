package run_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/run"
)

func TestASecondStopReachesOneThatWaitsForAnOperationThatHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.stuck = make(chan struct{})
		k := control(t, w)
		starting := asked(func() (run.Result, error) { return k.Start(t.Context(), run.Request{}) })
		time.Sleep(time.Second)
		first := asked(func() (run.Result, error) { return k.Stop(t.Context(), run.Ending{}) })
		time.Sleep(2 * time.Second)
		second := asked(func() (run.Result, error) { return k.Stop(t.Context(), run.Ending{Now: true}) })
		for _, got := range []outcome{<-first, <-second} {
			var deferred *run.Deferred
			if !errors.As(got.err, &deferred) {
				t.Errorf("the start hangs: %+v", got)
			}
		}
		if w.control.FinishSeconds != 1 {
			t.Errorf("the quicker stop should be the one that is carried out: %+v", w.control)
		}
		close(w.stuck)
		<-starting
		end := watched(t, k)
		time.Sleep(5 * time.Second)
		end()
		if k.Status().Active() {
			t.Errorf("it should be stopped by now: %+v", k.Status())
		}
	})
}

func TestAStopOfAnOperationWithoutARunSaysThatNothingWasRunning(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.status.Healable, w.startHold = true, make(chan struct{})
		k := control(t, w)
		healing := asked(func() (run.Result, error) { return k.Heal(t.Context()) })
		time.Sleep(time.Second)
		r, err := k.Stop(t.Context(), run.Ending{})
		if err != nil || !r.Already || r.Message != "nothing was running" {
			t.Errorf("%+v, %v", r, err)
		}
		<-healing
	})
}
