package run_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
	"github.com/puttrix/trafficinator/controller/internal/run"
)

func TestStopWithAnUnavailableEnginePausesAndRetries(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		how run.StopOptions
		// ended: the loadgen has ended when the engine answers.
		ended bool
	}{"finish": {run.StopOptions{}, true}, "now": {run.StopOptions{Now: true}, true}, "one that is deaf": {run.StopOptions{}, false}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				m := control(t, w)
				end := watched(t, m)
				start(t, m)
				var there launcher.Status
				w.locked(func() {
					there = w.status
					w.status, w.deaf = launcher.Status{State: launcher.Unavailable}, true
				})
				got := <-async(func() (run.Result, error) { return m.Stop(t.Context(), c.how) })
				var deferred *run.DeferredError
				if !errors.As(got.err, &deferred) ||
					got.err.Error() != "paused; the run is stopped when the engine answers" ||
					got.took > 6*time.Second {
					t.Fatalf("%+v", got)
				}
				w.locked(func() {
					if c := w.control; c.RunID != "r1" || !c.Paused || c.FinishSeconds == 0 {
						t.Errorf("want the run paused and finished by file, got %+v", c)
					}
				})
				time.Sleep(time.Minute)
				if st := m.Status(); !st.Active() {
					t.Errorf("want no end yet, got %+v", st)
				}
				w.locked(func() {
					w.status = there
					if c.ended {
						w.end(0, "stopped")
					}
				})
				time.Sleep(40 * time.Second)
				end()
				if r := w.book["r1"]; r.Open() || w.status.State == launcher.Running || w.starts != 1 ||
					w.files["AUTO_START"] != "false" {
					t.Errorf("want it stopped: %+v, %v", r, w.files)
				}
			})
		})
	}
}

func TestStartCancelsADeferredStop(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		m := control(t, w)
		start(t, m)
		var there launcher.Status
		w.locked(func() {
			there = w.status
			w.status, w.deaf = launcher.Status{State: launcher.Unavailable}, true
		})
		if _, err := m.Stop(t.Context(), run.StopOptions{}); err == nil {
			t.Fatal("the engine does not answer")
		}
		w.locked(func() { w.status, w.deaf = there, false })
		if _, err := m.Start(t.Context(), run.Request{RestartIfRunning: true}); err != nil {
			t.Fatal(err)
		}
		end := watched(t, m)
		time.Sleep(time.Minute)
		end()
		if st := m.Status(); !st.Active() || st.Run.ID != "r2" || st.Phase != "running" {
			t.Errorf("want the later run to continue: %+v", st)
		}
	})
}
