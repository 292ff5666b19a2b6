package run_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/run"
)

func TestSecondStopSpeedsUpOneThatWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.stuck = make(chan struct{})
		m := control(t, w)
		starting := async(func() (run.Result, error) { return m.Start(t.Context(), run.Request{}) })
		time.Sleep(time.Second)
		first := async(func() (run.Result, error) { return m.Stop(t.Context(), run.StopOptions{}) })
		time.Sleep(2 * time.Second)
		second := async(func() (run.Result, error) { return m.Stop(t.Context(), run.StopOptions{Now: true}) })
		for _, got := range []outcome{<-first, <-second} {
			var deferred *run.DeferredError
			if !errors.As(got.err, &deferred) {
				t.Errorf("want a deferred stop while the start hangs, got %+v", got)
			}
		}
		if w.control.FinishSeconds != 1 {
			t.Errorf("want the faster stop, got %+v", w.control)
		}
		close(w.stuck)
		<-starting
		end := watched(t, m)
		time.Sleep(5 * time.Second)
		end()
		if m.Status().Active() {
			t.Errorf("want it stopped, got %+v", m.Status())
		}
	})
}

func TestStopOfAnOperationWithoutARun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.status.Healable, w.startHold = true, make(chan struct{})
		m := control(t, w)
		healing := async(func() (run.Result, error) { return m.Heal(t.Context()) })
		time.Sleep(time.Second)
		r, err := m.Stop(t.Context(), run.StopOptions{})
		if err != nil || !r.Unchanged || r.Message != "no run was in progress" {
			t.Errorf("%+v, %v", r, err)
		}
		<-healing
	})
}
