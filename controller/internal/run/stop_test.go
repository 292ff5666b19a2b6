package run_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
	"github.com/puttrix/trafficinator/controller/internal/run"
	"github.com/puttrix/trafficinator/shared/exchange"
)

// outcome is what a call came to.
type outcome struct {
	run.Result
	err  error
	took time.Duration
}

// async makes a call in the background.
func async(call func() (run.Result, error)) <-chan outcome {
	out, began := make(chan outcome, 1), time.Now()
	go func() {
		r, err := call()
		out <- outcome{r, err, time.Since(began)}
	}()
	return out
}

func (w *world) locked(do func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	do()
}

func TestStopFinishesOpenVisits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		m := control(t, w)
		start(t, m)
		w.open, w.take = 138, 9*time.Second
		began := time.Now()
		stopping := async(func() (run.Result, error) { return m.Stop(t.Context(), run.StopOptions{}) })
		time.Sleep(4 * time.Second)
		if f := m.Status().Finish; f == nil || f.OpenVisits != 138 || !f.By.Equal(began.Add(time.Minute)) {
			t.Errorf("want a countdown, got %+v", f)
		}
		got := <-stopping
		if got.err != nil || got.VisitsCutOff != 0 || got.took < 9*time.Second || got.took > 10*time.Second ||
			len(got.Warnings) > 0 {
			t.Errorf("want it ended with the visits: %+v", got)
		}
		if r := w.book["r1"]; r.Reason != "stopped" || *r.ExitCode != 0 || m.Status().Finish != nil ||
			w.files["AUTO_START"] != "false" {
			t.Errorf("booked %+v, status %+v, files %v", r, m.Status(), w.files)
		}
		if w.book["r1"].Steered {
			t.Error("a stop steers no run")
		}
	})
}

func TestLateRefreshDoesNotReviveAStoppedRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		m := control(t, w)
		start(t, m)
		dying := make(chan struct{})
		w.dying = dying
		stop := watched(t, m)
		time.Sleep(time.Second) // the watch looks, and gets no answer
		synctest.Wait()
		if got := <-async(func() (run.Result, error) {
			return m.Stop(t.Context(), run.StopOptions{Now: true})
		}); got.err != nil {
			t.Fatal(got.err)
		}
		close(dying)
		synctest.Wait()
		if st := m.Status(); st.Loadgen.State != launcher.Exited || st.Phase != "" {
			t.Errorf("want it ended: %+v", st)
		}
		stop()
	})
}

func TestStopNowReturnsTheNumberOfCutVisits(t *testing.T) {
	t.Parallel()
	for name, ledgers := range map[string]bool{"by its ledger": true, "where it was killed": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			m := control(t, w)
			start(t, m)
			w.open, w.plan.Run.OpenVisits = 138, 138
			if !ledgers {
				w.plan.Run.RunID = "other"
			}
			r, err := m.Stop(t.Context(), run.StopOptions{Now: true})
			if err != nil || r.VisitsCutOff != 138 || !strings.Contains(r.Message, "138 open visits were cut off") {
				t.Errorf("%+v, %v", r, err)
			}
			if w.control.FinishSeconds != 0 {
				t.Errorf("want nothing to finish, got %+v", w.control)
			}
		})
	}
}

func TestSecondStopSpeedsUpTheFirst(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		second run.StopOptions
		reason string
		took   time.Duration
		cut    uint64
	}{
		"now":               {run.StopOptions{Now: true}, "interrupted", 2 * time.Second, 5},
		"with less time":    {run.StopOptions{Timeout: 3 * time.Second}, "stopped", 5 * time.Second, 5},
		"with as much time": {run.StopOptions{}, "stopped", 30 * time.Second, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				m := control(t, w)
				start(t, m)
				w.open, w.take = 5, 30*time.Second
				first := async(func() (run.Result, error) { return m.Stop(t.Context(), run.StopOptions{}) })
				time.Sleep(2 * time.Second)
				second := <-async(func() (run.Result, error) { return m.Stop(t.Context(), c.second) })
				got := <-first
				if got.err != nil || second.err != nil || got.VisitsCutOff != c.cut || second.VisitsCutOff != c.cut ||
					got.took > c.took+time.Second || got.took < c.took {
					t.Errorf("%+v and %+v: want both after %s with %d visits cut", got, second, c.took, c.cut)
				}
				if r := w.book["r1"]; r.Reason != c.reason {
					t.Errorf("booked %+v", r)
				}
			})
		})
	}
}

func TestSecondStopShortensTheDrain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.busy = true
		m := control(t, w)
		start(t, m)
		first := async(func() (run.Result, error) { return m.Stop(t.Context(), run.StopOptions{Now: true}) })
		time.Sleep(2 * time.Second)
		if second := <-async(func() (run.Result, error) {
			return m.Stop(t.Context(), run.StopOptions{Now: true, Timeout: time.Second})
		}); second.err != nil {
			t.Error(second.err)
		}
		if got := <-first; got.err != nil || got.took != 3*time.Second || m.Status().Active() {
			t.Errorf("want the end a second after the second stop, got %+v", got)
		}
	})
}

func TestLoadgenThatDoesNotFinishIsStoppedWithAWarning(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change  func(*world)
		warning string
		took    time.Duration
	}{
		"it does not look at its file": {func(w *world) {
			w.deaf = true
		}, "did not start to finish within 20s", 21 * time.Second},
		"its file cannot be written": {func(w *world) {
			w.steerErr = errors.New("no space left on device")
		}, "no space left on device", time.Second},
		"it is frozen": {func(w *world) { w.status.State = launcher.Paused }, "paused", time.Second},
		"it does not end when it should": {func(w *world) {
			w.take = -1
			w.follow(exchange.Control{RunID: "r1", FinishSeconds: 60})
			w.deaf = true
		}, "did not end in time", 71 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				m := control(t, w)
				start(t, m)
				w.locked(func() {
					w.open = 4
					c.change(w)
					w.life++ // and nothing else ends it
				})
				got := <-async(func() (run.Result, error) { return m.Stop(t.Context(), run.StopOptions{}) })
				if got.err != nil || len(got.Warnings) != 1 || !strings.Contains(got.Warnings[0].String(), c.warning) ||
					got.took > c.took {
					t.Errorf("want a warning of %q within %s: %+v", c.warning, c.took, got)
				}
				if m.Status().Active() || w.status.State == launcher.Running {
					t.Errorf("want it stopped, got %+v", m.Status())
				}
			})
		})
	}
}

func TestStopCancelsTheCurrentOperation(t *testing.T) {
	t.Parallel()
	hang := func(w *world) { w.locked(func() { w.startHold = make(chan struct{}) }) }
	for name, c := range map[string]struct {
		begin func(t *testing.T, w *world, m *run.Manager) (run.Result, error)
		run   string
	}{
		"a start that hangs": {func(t *testing.T, w *world, m *run.Manager) (run.Result, error) {
			hang(w)
			return m.Start(t.Context(), run.Request{})
		}, "r1"},
		"a start whose loadgen does not answer": {func(t *testing.T, w *world, m *run.Manager) (run.Result, error) {
			w.saved["WHAT"] = "silent"
			return m.Start(t.Context(), run.Request{})
		}, "r1"},
		"a restart that finishes visits": {func(t *testing.T, w *world, m *run.Manager) (run.Result, error) {
			start(t, m)
			w.locked(func() { w.open, w.take = 3, 50*time.Second })
			return m.Restart(t.Context(), 0)
		}, "r1"},
		"an apply that starts": {func(t *testing.T, w *world, m *run.Manager) (run.Result, error) {
			start(t, m)
			hang(w)
			return m.Apply(t.Context(), 0, nil)
		}, "r2"},
		"a healing": {func(t *testing.T, w *world, m *run.Manager) (run.Result, error) {
			start(t, m)
			w.locked(func() { w.status.Healable = true })
			hang(w)
			return m.Heal(t.Context())
		}, "r1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				m := control(t, w)
				under := async(func() (run.Result, error) { return c.begin(t, w, m) })
				time.Sleep(5 * time.Second)
				got := <-async(func() (run.Result, error) {
					return m.Stop(t.Context(), run.StopOptions{Timeout: time.Second})
				})
				if got.err != nil || got.took > 13*time.Second {
					t.Errorf("want it stopped: %+v", got)
				}
				if other := <-under; !errors.Is(other.err, run.ErrStopped) {
					t.Errorf("what was under way should say that it was given up: %v", other.err)
				}
				if st := m.Status(); st.Active() || st.Operation != nil || w.status.State == launcher.Running ||
					w.files["AUTO_START"] != "false" {
					t.Errorf("want nothing in progress: %+v, %v", st, w.files)
				}
				if r := w.book[c.run]; r.Open() || r.Reason == "failed" {
					t.Errorf("booked %+v", r)
				}
			})
		})
	}
}

func TestStopEndsTheRestartsAfterCrashes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		m := control(t, w)
		end := watched(t, m)
		start(t, m)
		w.locked(func() {
			w.startHold = make(chan struct{})
			w.end(137, "")
		})
		time.Sleep(2 * time.Second) // its start hangs
		if o := m.Status().Operation; o == nil || o.Name != "recover" {
			t.Errorf("want a restart, got %+v", o)
		}
		if r, err := m.Stop(t.Context(), run.StopOptions{}); err != nil || r.Status.Active() {
			t.Errorf("%+v, %v", r, err)
		}
		w.locked(func() { w.startHold = nil })
		time.Sleep(5 * time.Second)
		end()
		if r := w.book["r1"]; w.starts != 1 || r.Open() || r.Reason != "stopped" {
			t.Errorf("%d starts, booked %+v", w.starts, r)
		}
	})
}

func TestFailedPublishingOfAStopIsAWarningAndRetried(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		m := control(t, w)
		end := watched(t, m)
		start(t, m)
		w.locked(func() {
			w.idleErr, w.steerErr = errors.New("read-only file system"), errors.New("read-only file system")
		})
		r, err := m.Stop(t.Context(), run.StopOptions{})
		if err != nil || len(r.Warnings) != 2 || !strings.Contains(r.Warnings.Warnings()[1].String(), "loadgen.env") {
			t.Errorf("%+v, %v", r, err)
		}
		w.locked(func() {
			if r.Status.Active() || w.files["AUTO_START"] != "true" {
				t.Errorf("want it stopped and unpublished: %v", w.files)
			}
		})
		time.Sleep(time.Minute)
		w.locked(func() { w.idleErr, w.steerErr = nil, nil })
		time.Sleep(7 * time.Second)
		w.locked(func() {
			if w.files["AUTO_START"] != "false" {
				t.Error("it should have been published once that was possible")
			}
		})
		start(t, m)
		time.Sleep(time.Minute)
		end()
		if w.files["AUTO_START"] != "true" {
			t.Error("what an earlier stop owed must not idle a later run")
		}
	})
}
