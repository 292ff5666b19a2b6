package run_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
	"github.com/puttrix/trafficinator/controller/internal/run"
	"github.com/puttrix/trafficinator/shared/exchange"
)

func TestApplyAndRestartFinishOpenVisits(t *testing.T) {
	t.Parallel()
	for name, again := range map[string]func(*run.Manager, *testing.T) (run.Result, error){
		"apply":   func(m *run.Manager, t *testing.T) (run.Result, error) { return m.Apply(t.Context(), 0, nil) },
		"restart": func(m *run.Manager, t *testing.T) (run.Result, error) { return m.Restart(t.Context(), 0) },
		"start": func(m *run.Manager, t *testing.T) (run.Result, error) {
			return m.Start(t.Context(), run.Request{RestartIfRunning: true})
		},
		"rerun": func(m *run.Manager, t *testing.T) (run.Result, error) {
			return m.Rerun(t.Context(), "r1", run.Request{RestartIfRunning: true})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				m := control(t, w)
				start(t, m)
				w.open, w.take = 62, 20*time.Second
				got := <-async(func() (run.Result, error) { return again(m, t) })
				if got.err != nil || !got.Restarted || got.took < 20*time.Second || got.took > 22*time.Second {
					t.Errorf("%+v", got)
				}
				r := w.book["r1"]
				if r.Reason != "stopped" || r.Summary == nil || r.Summary.CutVisits != 0 {
					t.Errorf("visits were cut off: %+v", r)
				}
			})
		})
	}
}

func TestRestoredRunIsSteeredAsBefore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		m := control(t, w)
		start(t, m)
		double := 2.0
		if _, err := m.Steer(t.Context(), nil, &double); err != nil {
			t.Fatal(err)
		}
		w.saved["WHAT"] = "bad"
		if _, err := m.Apply(t.Context(), 0, nil); err == nil {
			t.Fatal("the plan is bad")
		}
		time.Sleep(time.Minute)
		if want := (exchange.Control{RunID: "r1", Scale: 2}); w.control != want || w.status.State != launcher.Running {
			t.Errorf("want the restored run not to finish: %+v, %s", w.control, w.status.State)
		}
	})
}

func TestEarlierStopDoesNotFinishARunWithTheSameID(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		m := control(t, w)
		w.fixed = "nightly"
		start(t, m)
		if _, err := m.Stop(t.Context(), run.StopOptions{}); err != nil {
			t.Fatal(err)
		}
		start(t, m)
		if want := exchange.NoOverride("nightly"); w.control != want {
			t.Errorf("control.json is %+v", w.control)
		}
	})
}

func TestStartDuringAPausedContainerReturnsTheFix(t *testing.T) {
	t.Parallel()
	w := newWorld()
	m := control(t, w)
	start(t, m)
	w.status.State, w.status.Reason = launcher.Paused, "somebody paused it; heal it"
	if _, err := m.Start(t.Context(), run.Request{}); !errors.Is(err, launcher.ErrInvalidState) ||
		!strings.Contains(err.Error(), "heal it") || w.starts != 1 {
		t.Errorf("%v after %d starts", err, w.starts)
	}
	if st := m.Status(); !st.Active() || !slices.Equal(slices.Collect(maps.Keys(w.book)), []string{"r1"}) {
		t.Errorf("want an unchanged run, got %+v", st)
	}
}
