package run_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
	"github.com/puttrix/trafficinator/controller/internal/run"
)

// The reason of the engine comes first, and a restart policy ends the wait.
func TestStartErrorHasTheReasonOfTheEngine(t *testing.T) {
	t.Parallel()
	for what, want := range map[string]string{
		"without memory": "exit code 137: it was killed because memory ran out",
		"restarting":     "exit code 2: PAGEVIEWS_MIN",
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				w.saved["WHAT"] = what
				m := control(t, w)
				got := <-async(func() (run.Result, error) { return m.Start(t.Context(), run.Request{}) })
				var failed *run.StartError
				if !errors.As(got.err, &failed) || !strings.Contains(got.err.Error(), want) || got.took > 0 {
					t.Errorf("after %s: %v", got.took, got.err)
				}
				if st := m.Status(); st.Active() || st.Loadgen.State != launcher.Exited {
					t.Errorf("want nothing running, got %+v", st)
				}
			})
		})
	}
}

// A rootless engine's containers have addresses that this machine cannot reach.
func TestRunWithUnreachableTelemetryIsReadFromItsLedger(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.saved["WHAT"] = "unreachable"
		m := control(t, w)
		start(t, m)
		if st := m.Status(); !st.Active() || st.Phase != "running" || st.Run.PlanHash != "hash by ledger" {
			t.Errorf("got the status %+v of %+v", st, st.Run)
		}
	})
}

func TestRunOfAReplacedContainerHasEnded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		m := control(t, w)
		start(t, m)
		end := watched(t, m)
		defer end()
		w.locked(func() {
			w.status = launcher.Status{State: launcher.Foreign, Reason: "a container of the name x is there"}
		})
		time.Sleep(2 * time.Second) // of the test's own clock: the next look
		synctest.Wait()
		if st := m.Status(); st.Active() || st.Run.Reason != "removed" {
			t.Errorf("want the run removed, got %+v", st.Run)
		}
	})
}
