package run_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
	"github.com/puttrix/trafficinator/controller/internal/record"
	"github.com/puttrix/trafficinator/controller/internal/run"
)

func TestFailedWriteOfAnEndIsRetried(t *testing.T) {
	t.Parallel()
	for _, when := range []string{"the end", "the start and the end"} {
		t.Run(when, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				m := control(t, w)
				stop := watched(t, m)
				full := func(err error) { w.mu.Lock(); defer w.mu.Unlock(); w.bookErr = err }
				if when != "the end" {
					full(errors.New("database or disk is full"))
				}
				start(t, m)
				full(errors.New("database or disk is full"))
				if _, err := m.Stop(t.Context(), run.StopOptions{Now: true}); err != nil {
					t.Fatal(err)
				}
				if st := m.Status(); st.Active() {
					t.Errorf("want it ended: %+v", st.Run)
				}
				time.Sleep(3 * time.Second)
				full(nil)
				time.Sleep(2 * time.Second)
				synctest.Wait()
				stop()
				if got := w.book["r1"]; got.Open() || got.Reason != "interrupted" {
					t.Errorf("want the end recorded, got %+v", got)
				}
			})
		})
	}
}

func TestNewControllerClosesAllOpenRunsButTheRunningOne(t *testing.T) {
	t.Parallel()
	w := newWorld()
	ended := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, id := range []string{"stuck", "ended", "running", "last"} {
		if err := w.BeginRun(t.Context(),
			record.Run{Head: record.Head{ID: id, Kind: "live", Started: ended.Add(-time.Hour)}}); err != nil {
			t.Fatal(err)
		}
	}
	w.ledgers["ended"] = ledger("hash", "stop_after_visits", ended)
	w.status, w.plan = launcher.Status{State: launcher.Running, Telemetry: "here"},
		snapshot("hash", "running", "running")
	m := control(t, w)
	if st := m.Status(); !st.Active() || st.Run.ID != "running" {
		t.Errorf("want the run of the loadgen as the current one, got %+v", st.Run)
	}
	for id, reason := range map[string]string{"stuck": "killed", "ended": "stop_after_visits", "running": "",
		"last": "killed"} {
		if r := w.book[id]; r.Reason != reason || r.Open() != (reason == "") {
			t.Errorf("%s: want %q, got %+v", id, reason, r)
		}
	}
	if r := w.book["ended"]; !r.Ended.Equal(ended) {
		t.Errorf("want the end of its ledger, got %v", r.Ended)
	}
}

// As after `docker compose down` and `up`: the container is a new one, its loadgen.env and its state are the same.
func TestRunOfAManuallyRestartedLoadgenIsInterrupted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		start(t, control(t, w))
		w.mu.Lock()
		w.end(0, "")
		w.mu.Unlock()
		if err := w.Start(t.Context()); err != nil { // compose
			t.Fatal(err)
		}
		m := control(t, w)
		stop := watched(t, m)
		time.Sleep(2 * time.Second)
		st := m.Status()
		if st.Active() || st.Phase != "idle" || len(st.Messages) != 1 ||
			!strings.Contains(st.Messages[0], "nothing is sent until you start a run") {
			t.Errorf("want its end with the reason, got %+v", st)
		}
		if got := w.book["r1"]; got.Reason != "interrupted" || *got.ExitCode != 130 ||
			w.files["AUTO_START"] != "false" {
			t.Errorf("want it recorded: %+v, AUTO_START=%s", got, w.files["AUTO_START"])
		}
		if r, err := m.Start(t.Context(), run.Request{}); err != nil || !r.Restarted {
			t.Errorf("want a requested start to run: %+v, %v", r, err)
		}
		stop()
	})
}
