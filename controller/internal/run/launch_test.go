package run_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/run"
)

func TestStartWaitsForAStartingLoadgen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.saved["WHAT"] = "slow"
		m := control(t, w)
		start(t, m)
		if st := m.Status(); st.Run.PlanHash != "hash of slow" || !st.Active() {
			t.Errorf("got the run %+v", st)
		}
	})
}

func TestStartWithUnreadableFilesLeavesTheLoadgenIdle(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.publishedErr = errors.New("input/output error")
	m := control(t, w)
	if _, err := m.Start(t.Context(), run.Request{}); !errors.Is(err, w.publishedErr) {
		t.Errorf("%v", err)
	}
	if w.files["AUTO_START"] != "false" || w.starts != 0 {
		t.Errorf("want a manually started loadgen to idle, got %v", w.files)
	}
}

func TestFailedRestartNoLongerFinishesTheRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		m := control(t, w)
		start(t, m)
		w.locked(func() { w.deaf, w.stopErr = true, errors.New("the engine refuses") })
		if _, err := m.Restart(t.Context(), 0); !errors.Is(err, w.stopErr) {
			t.Errorf("%v", err)
		}
		if st := m.Status(); !st.Active() || st.Run.ID != "r1" || w.control.FinishSeconds != 0 {
			t.Errorf("want the run to continue with %+v: %+v", w.control, st)
		}
	})
}

func TestStartWaitsBrieflyForARecovery(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		recovery, took time.Duration
		busy           bool
	}{"a short one": {3 * time.Second, 3 * time.Second, false}, "a long one": {time.Minute, 5 * time.Second, true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				m := control(t, w)
				end := watched(t, m)
				defer end()
				start(t, m)
				hold := make(chan struct{})
				w.locked(func() {
					w.startHold = hold
					w.end(137, "")
				})
				for m.Status().Operation == nil {
					time.Sleep(100 * time.Millisecond)
				}
				time.AfterFunc(c.recovery, func() { close(hold) })
				got := <-async(func() (run.Result, error) { return m.Start(t.Context(), run.Request{}) })
				var busy *run.BusyError
				if errors.As(got.err, &busy) != c.busy || !c.busy && (got.err != nil || !got.Unchanged) ||
					got.took != c.took {
					t.Errorf("%+v", got)
				}
			})
		})
	}
}
