package run_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
	"github.com/puttrix/trafficinator/controller/internal/run"
)

func start(t *testing.T, m *run.Manager) run.Result {
	t.Helper()
	r, err := m.Start(t.Context(), run.Request{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestStartReturnsWhenTheLoadgenReportsThePlan(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.saved["WHAT"] = "good"
	m := control(t, w)
	r, err := m.Start(t.Context(), run.Request{Overrides: map[string]any{"WHAT": "better"}})
	if err != nil {
		t.Fatal(err)
	}
	if got := w.book["r1"]; !r.Restarted || got.PlanHash != "hash of better" || got.Seed != 1 || !got.Open() {
		t.Errorf("want the run recorded with its plan, got %+v", got)
	}
	if again := start(t, m); !again.Unchanged || w.starts != 1 {
		t.Errorf("want a second start to change nothing: %+v, %d starts", again, w.starts)
	}
	if _, err := m.Start(t.Context(), run.Request{RestartIfRunning: true}); err != nil {
		t.Fatal(err)
	}
	if first, second := w.book["r1"], w.book["r2"]; first.Reason != "stopped" || first.Open() ||
		second.PlanHash != "hash of good" {
		t.Errorf("want the first run ended: %+v, %+v", first, second)
	}
}

func TestStopRecordsTheLedgerAndLeavesTheLoadgenIdle(t *testing.T) {
	t.Parallel()
	w := newWorld()
	m := control(t, w)
	start(t, m)
	if _, err := m.Stop(t.Context(), run.StopOptions{}); err != nil {
		t.Fatal(err)
	}
	if got := w.book["r1"]; got.Reason != "stopped" || *got.ExitCode != 0 ||
		got.Summary == nil || got.Summary.PlanHash == "" {
		t.Errorf("want the ledger's word and the ledger: %+v", got)
	}
	if w.files["AUTO_START"] != "false" {
		t.Error("a loadgen started by hand would send")
	}
	if r, err := m.Stop(t.Context(), run.StopOptions{}); err != nil || !r.Unchanged {
		t.Errorf("want an unchanged second stop: %+v, %v", r, err)
	}
}

func TestStartErrorHasTheErrorsOfTheLoadgen(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.saved["WHAT"] = "bad"
	m := control(t, w)
	_, err := m.Start(t.Context(), run.Request{})
	var failed *run.StartError
	if !errors.As(err, &failed) || failed.ExitCode != 2 || len(failed.Messages) != 1 ||
		!strings.HasPrefix(failed.Messages[0], "CONCURRENCY") {
		t.Fatalf("want the problem and the exit code, got %v", err)
	}
	if got := w.book["r1"]; got.Reason != "failed" || w.files["AUTO_START"] != "false" {
		t.Errorf("want it recorded and not repeated: %+v, %v", got, w.files)
	}
}

func TestVeryShortRunIsNoFailure(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.saved["WHAT"] = "short"
		m := control(t, w)
		stop := watched(t, m)
		start(t, m)
		time.Sleep(3 * time.Second)
		stop()
		if got := w.book["r1"]; got.PlanHash != "short" || got.Reason != "stop_after_visits" {
			t.Errorf("want its plan and its reason: %+v", got)
		}
	})
}

func TestApplyWithoutARunOnlyPublishes(t *testing.T) {
	t.Parallel()
	w := newWorld()
	m := control(t, w)
	w.saved["WHAT"] = "new"
	if r, err := m.Apply(t.Context(), 0, nil); err != nil || r.Restarted || w.starts != 0 || w.files["WHAT"] != "new" {
		t.Errorf("want the files and no start: %+v, %v, %v", r, err, w.files)
	}
}

func TestApplyStartsTheNewPlanOrRestoresTheOldOne(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		code int
		text string
	}{
		"bad":    {2, "CONCURRENCY"},
		"silent": {-1, "did not report"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				w.saved["WHAT"] = "old"
				m := control(t, w)
				start(t, m)
				w.saved["WHAT"] = "new"
				if r, err := m.Apply(t.Context(), 0, nil); err != nil || !r.Restarted ||
					r.Status.Run.PlanHash != "hash of new" {
					t.Fatalf("want the new plan: %+v, %v", r, err)
				}
				w.saved["WHAT"] = what
				began := time.Now()
				_, err := m.Apply(t.Context(), 0, nil)
				var failed *run.StartError
				if !errors.As(err, &failed) || !failed.RolledBack || failed.ExitCode != c.code ||
					!strings.Contains(err.Error(), c.text) {
					t.Fatalf("want a failure that was rolled back, got %v", err)
				}
				if took := time.Since(began); took > 31*time.Second {
					t.Errorf("30 s are promised, it took %s", took)
				}
				st := m.Status()
				if st.Run.ID != "r2" || !st.Active() || st.Run.PlanHash != "hash of new" || st.Phase != "running" ||
					w.files["WHAT"] != "new" {
					t.Errorf("want the previous run to continue: %+v, %v", st, w.files)
				}
				if got := w.book["r3"]; got.Reason != "failed" {
					t.Errorf("want the failed run recorded, got %+v", got)
				}
			})
		})
	}
}

func TestUnpublishableSettingsDoNotChangeTheRun(t *testing.T) {
	t.Parallel()
	w := newWorld()
	m := control(t, w)
	start(t, m)
	w.saved["WHAT"] = "unpublishable"
	if _, err := m.Apply(t.Context(), 0, nil); err == nil || !strings.Contains(err.Error(), "CONCURRENCY") {
		t.Errorf("want the reason, got %v", err)
	}
	if st := m.Status(); !st.Active() || w.starts != 1 {
		t.Errorf("want the run to continue: %+v", st)
	}
}

func TestCrashedLoadgenIsRestartedThreeTimes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		m := control(t, w)
		stop := watched(t, m)
		start(t, m)
		w.mu.Lock()
		// a killed loadgen does not close it
		w.ledgers["r1"] = `{"run_id":"r1","hits":{"planned":10,"accepted":4},"in_flight":1}`
		w.mu.Unlock()
		for crash := range 4 {
			w.mu.Lock()
			w.end(137, "")
			w.mu.Unlock()
			time.Sleep(3 * time.Second)
			if st, want := m.Status(), min(crash+1, run.MaxRestarts); st.Restarts != want || w.starts != 1+want {
				t.Errorf("after crash %d: %d restarts, %d starts; want %d and %d", crash+1, st.Restarts, w.starts,
					want, 1+want)
			}
		}
		stop()
		got := w.book["r1"]
		if got.Reason != "crashed" || *got.ExitCode != 137 {
			t.Errorf("want it recorded as crashed, got %+v", got)
		}
		if s := got.Summary; s == nil || s.Ended.IsZero() || s.Hits.Unknown != 6 || s.Hits.Abandoned != 0 {
			t.Errorf("want a ledger that adds up, got %+v", s)
		}
	})
}

func TestLoadgenIsNotRestartedAfterItsOwnExitCodes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		m := control(t, w)
		stop := watched(t, m)
		start(t, m)
		w.mu.Lock()
		w.log = []launcher.Line{errorLine("no hit was accepted")}
		w.end(3, "no_target")
		w.mu.Unlock()
		time.Sleep(3 * time.Second)
		stop()
		if got := w.book["r1"]; w.starts != 1 || got.Reason != "no_target" || w.files["AUTO_START"] != "false" {
			t.Errorf("%d starts, booked %+v", w.starts, got)
		}
		if got := m.Status().Messages; len(got) != 1 || got[0] != "no hit was accepted" {
			t.Errorf("want the reason in the status, got %q", got)
		}
	})
}

func TestUnavailableEngineDoesNotEndARun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		m := control(t, w)
		stop := watched(t, m)
		start(t, m)
		w.mu.Lock()
		there := w.status
		w.status = launcher.Status{State: launcher.Unavailable}
		w.mu.Unlock()
		time.Sleep(time.Minute)
		if st := m.Status(); st.Loadgen.State != launcher.Unavailable || !st.Active() {
			t.Errorf("want a run in progress while its state is unknown, got %+v", st)
		}
		w.mu.Lock()
		w.status = there
		w.mu.Unlock()
		time.Sleep(2 * time.Second)
		stop()
		if st := m.Status(); st.Phase != "running" || !st.Active() || w.starts != 1 {
			t.Errorf("want it to continue: %+v", st)
		}
	})
}

func TestNewControllerAdoptsRunsAndRecordsEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		start(t, control(t, w))
		second := control(t, w)
		stop := watched(t, second)
		time.Sleep(2 * time.Second)
		stop()
		if st := second.Status(); !st.Active() || st.Run.ID != "r1" {
			t.Errorf("want the run to continue: %+v", st)
		}
		w.end(0, "stop_after_visits")
		third := control(t, w)
		stop = watched(t, third)
		time.Sleep(2 * time.Second)
		stop()
		if got := w.book["r1"]; got.Reason != "stop_after_visits" {
			t.Errorf("want the end recorded, got %+v", got)
		}
	})
}

func TestManuallyStartedRunIsAdopted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		m := control(t, w)
		stop := watched(t, m)
		w.mu.Lock()
		w.status = launcher.Status{State: launcher.Running, Telemetry: "here"}
		w.plan = snapshot("h", "by-hand", "running")
		w.mu.Unlock()
		time.Sleep(2 * time.Second)
		stop()
		if st := m.Status(); !st.Active() || st.Run.ID != "by-hand" || w.book["by-hand"].PlanHash != "h" {
			t.Errorf("want it recorded: %+v", st)
		}
	})
}

func TestSecondOperationGetsABusyError(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		m := control(t, w)
		start(t, m)
		w.hold = make(chan struct{})
		done := make(chan error)
		go func() { _, err := m.Stop(context.WithoutCancel(t.Context()), run.StopOptions{Now: true}); done <- err }()
		synctest.Wait()
		var busy *run.BusyError
		if _, err := m.Restart(t.Context(), time.Second); !errors.As(err, &busy) || busy.Operation.Name != "stop" {
			t.Errorf("want the stop in the error, got %v", err)
		}
		if o := m.Status().Operation; o == nil || o.Name != "stop" {
			t.Errorf("want the stop in the status, got %+v", o)
		}
		close(w.hold)
		if err := <-done; err != nil {
			t.Error(err)
		}
		if st := m.Status(); st.Operation != nil || st.Active() {
			t.Errorf("want it ended: %+v", st)
		}
		if last := w.statuses[len(w.statuses)-1]; last.Operation != nil || last.Active() {
			t.Errorf("want the end as the last status, got %+v", last)
		}
	})
}

func TestUnavailableEngineDuringAStartLeavesTheLoadgenIdle(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.saved["WHAT"] = "old"
	m := control(t, w)
	w.startErr = launcher.ErrUnavailable
	if _, err := m.Start(t.Context(), run.Request{}); !errors.Is(err, launcher.ErrUnavailable) ||
		w.files["AUTO_START"] != "false" {
		t.Errorf("want nothing to start: %v, %v", err, w.files)
	}
	w.startErr = nil
	running := start(t, m).Status.Run.ID
	w.saved["WHAT"], w.stopErr = "new", launcher.ErrUnavailable
	if _, err := m.Restart(t.Context(), time.Second); !errors.Is(err, launcher.ErrUnavailable) {
		t.Errorf("want %v, got %v", launcher.ErrUnavailable, err)
	}
	if st := m.Status(); !st.Active() || w.files["RUN_ID"] != running || w.files["WHAT"] != "old" ||
		w.files["AUTO_START"] != "true" {
		t.Errorf("want the settings of run %s for a restart after a crash: %v", running, w.files)
	}
}

func TestHealIdlesUnlessARunIsInProgress(t *testing.T) {
	t.Parallel()
	w := newWorld()
	m := control(t, w)
	start(t, m)
	w.status = launcher.Status{State: launcher.Missing, Healable: true}
	r, err := m.Heal(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if r.Status.Phase != "idle" || r.Status.Active() || w.book["r1"].Reason != "removed" {
		t.Errorf("want an idle loadgen and the run booked as removed: %+v, %+v", r.Status, w.book["r1"])
	}
	if _, err := m.Heal(t.Context()); !errors.Is(err, launcher.ErrNothingToHeal) {
		t.Errorf("want %v, got %v", launcher.ErrNothingToHeal, err)
	}
}

// watched keeps a Manager informed for the length of a test.
func watched(t *testing.T, m *run.Manager) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); m.Watch(ctx) }()
	return func() { cancel(); <-done }
}
