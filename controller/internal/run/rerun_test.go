package run_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/record"
	"github.com/puttrix/trafficinator/controller/internal/run"
	"github.com/puttrix/trafficinator/controller/internal/setup/plan"
	"github.com/puttrix/trafficinator/controller/internal/store"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

func TestRerunHasTheFilesAndSeedOfTheRunAndANewID(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.saved["WHAT"] = "old"
	m := control(t, w)
	if _, err := m.Start(t.Context(), run.Request{Note: "baseline", Labels: []string{"nightly"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Stop(t.Context(), run.StopOptions{}); err != nil {
		t.Fatal(err)
	}
	w.saved["WHAT"] = "new"
	if r, err := m.Rerun(t.Context(), "r1", run.Request{}); err != nil || !r.Restarted {
		t.Fatalf("%+v, %v", r, err)
	}
	got := w.book["r2"]
	if got.PlanHash != "hash of old" || got.Seed != 1 || w.files["SEED"] != "1" || w.files["RUN_ID"] != "r2" {
		t.Errorf("want the old files and seed under a new id: %+v, %v", got, w.files)
	}
	if got.Note != "rerun of r1" || len(got.Labels) != 1 || got.Labels[0] != "nightly" {
		t.Errorf("want the note and the labels, got %+v", got)
	}
	if r, err := m.Rerun(t.Context(), "r1", run.Request{}); err != nil || !r.Unchanged || w.starts != 2 {
		t.Errorf("want no second run: %+v, %v", r, err)
	}
}

func TestRerunThatWouldDifferIsRejected(t *testing.T) {
	t.Parallel()
	w := newWorld()
	m := control(t, w)
	start(t, m)
	w.book["job"] = record.Run{Head: record.Head{ID: "job", Kind: runsummary.BackfillJob}}
	w.book["before"] = record.Run{Head: record.Head{ID: "before"}}
	w.book["lost"] = record.Run{Head: record.Head{ID: "lost"}}
	w.kept["lost"] = map[string][]byte{"LOST": nil}
	var lost *plan.MissingSecrets
	for id, fits := range map[string]func(error) bool{
		"none":   func(err error) bool { return errors.Is(err, store.ErrNotFound) },
		"job":    func(err error) bool { return errors.Is(err, run.ErrJob) },
		"before": func(err error) bool { return errors.Is(err, run.ErrNoFiles) },
		"lost":   func(err error) bool { return errors.As(err, &lost) },
	} {
		if _, err := m.Rerun(t.Context(), id, run.Request{RestartIfRunning: true}); !fits(err) {
			t.Errorf("%s: %v", id, err)
		}
	}
	if st := m.Status(); !st.Active() || st.Run.ID != "r1" || w.starts != 1 {
		t.Errorf("want the run to continue: %+v", st)
	}
}

func TestRunThatMissesAThresholdIsNotRestarted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.saved["WHAT"] = "missed"
		m := control(t, w)
		stop := watched(t, m)
		if r := start(t, m); !r.Restarted {
			t.Errorf("want it to have run, got %+v", r)
		}
		time.Sleep(3 * time.Second)
		stop()
		got := w.book["r1"]
		if w.starts != 1 || got.Reason != "stop_after_visits" || *got.ExitCode != 4 {
			t.Errorf("%d starts, booked %+v", w.starts, got)
		}
		if p := got.Problems; len(p) != 1 || p[0].Level != "ERROR" || !strings.HasPrefix(p[0].Text, "msg=") ||
			!strings.Contains(p[0].Text, "threshold failed: p95") {
			t.Errorf("want only the error kept, got %+v", p)
		}
	})
}

func TestSteeringEndsWithTheRun(t *testing.T) {
	t.Parallel()
	w := newWorld()
	m := control(t, w)
	paused, twice := true, 2.0
	if _, err := m.Steer(t.Context(), &paused, nil); !errors.Is(err, run.ErrNothingRuns) {
		t.Errorf("there is nothing to steer: %v", err)
	}
	start(t, m)
	if _, err := m.Steer(t.Context(), nil, &twice); err != nil {
		t.Fatal(err)
	}
	if c, err := m.Steer(t.Context(), &paused, nil); err != nil || !c.Paused || c.Scale != 2 || c.RunID != "r1" {
		t.Errorf("want the rate unchanged by a pause: %+v, %v", c, err)
	}
	if st := m.Status(); st.Steering != w.control || control(t, w).Status().Steering != w.control {
		t.Errorf("want the steering after a restart, got %+v", st.Steering)
	}
	if _, err := m.Start(t.Context(), run.Request{RestartIfRunning: true}); err != nil {
		t.Fatal(err)
	}
	if first, second := w.book["r1"], w.book["r2"]; !first.Steered || second.Steered {
		t.Errorf("want only the steered run recorded as such: %+v, %+v", first, second)
	}
	if st := m.Status(); st.Steering.Paused || st.Steering.Scale != 1 || st.Steering.RunID != "r2" {
		t.Errorf("want the next run unsteered, got %+v", st.Steering)
	}
}
