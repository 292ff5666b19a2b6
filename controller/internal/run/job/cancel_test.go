package job_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
	"github.com/puttrix/trafficinator/controller/internal/record"
	"github.com/puttrix/trafficinator/controller/internal/run/job"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

func TestCancelInterruptsAHangingStart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	q, _ := w.controller(t)
	hang := make(chan struct{})
	w.set(func() { w.hang = hang })
	id, next := submit(t, q), submit(t, q)
	until(t, q, id, "its start hangs", func(j job.Job) bool { return j.State == job.Running })
	if j, _, err := q.Cancel(t.Context(), id); err != nil || j.State != job.Exited || j.Reason != job.Cancelled {
		t.Fatalf("want it cancelled before it began: %+v, %v", j, err)
	}
	w.set(func() { w.hang = nil })
	until(t, q, next, "the next one runs", runs)
	if w.started(id) != 0 {
		t.Error("want no start after the cancel")
	}
	if r, err := w.Run(t.Context(), id); err != nil || r.Open() || r.Reason != job.Cancelled {
		t.Errorf("want an ended run, got %+v, %v", r, err)
	}
}

func TestCancelStopsAJobWhoseInterruptedStartTookEffect(t *testing.T) {
	t.Parallel()
	for _, startErr := range []error{nil, context.Canceled} {
		w := newWorld(t)
		q, _ := w.controller(t)
		w.set(func() { w.late = func(ctx context.Context) error { <-ctx.Done(); return startErr } })
		id := submit(t, q)
		until(t, q, id, "its start hangs", func(j job.Job) bool { return j.State == job.Running })
		if j, _, err := q.Cancel(t.Context(), id); err != nil || j.State != job.Exited || *j.ExitCode != 130 {
			t.Fatalf("want it stopped: %+v, %v", j, err)
		}
		w.set(func() {
			if s := w.jobs[id]; s.State != launcher.Exited {
				t.Errorf("want the canceled job stopped, got %+v", s)
			}
		})
	}
}

func TestCancelWithAnUnavailableEngineIsRetried(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	q, _ := w.controller(t)
	id := submit(t, q)
	until(t, q, id, "it runs", runs)
	w.set(func() { w.away = true })
	if _, _, err := q.Cancel(t.Context(), id); !errors.Is(err, launcher.ErrUnavailable) ||
		!strings.Contains(err.Error(), "is cancelled when the engine answers") {
		t.Errorf("%v", err)
	}
	w.set(func() { w.away = false })
	if j := until(t, q, id, "it is stopped", is(job.Exited)); *j.ExitCode != 130 || w.started(id) != 1 {
		t.Errorf("want it drained: %+v", j)
	}
}

func TestCancelStopsAJobThatCannotBeSaved(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	q, _ := w.controller(t)
	id := submit(t, q)
	until(t, q, id, "it runs", runs)
	w.set(func() { w.unsaved = errors.New("database or disk is full") })
	j, warnings, err := q.Cancel(t.Context(), id)
	if err != nil || j.State != job.Exited || len(warnings) != 1 ||
		!strings.Contains(warnings[0].String(), "disk is full") {
		t.Fatalf("want it stopped with a warning: %+v, %v, %v", j, warnings, err)
	}
	w.set(func() {
		if s := w.jobs[id]; s.State != launcher.Exited {
			t.Errorf("want the job stopped, got %+v", s)
		}
		w.unsaved = nil
	})
	until(t, q, id, "its end is kept", is(job.Exited))
	if _, err := q.Resume(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	until(t, q, id, "it is resumed", runs)
	if w.started(id) != 2 {
		t.Errorf("%d starts", w.started(id))
	}
}

func TestNewControllerClosesRunsOfEndedJobs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	q, end := w.controller(t)
	hang := make(chan struct{})
	w.set(func() { w.hang = hang })
	id := submit(t, q)
	until(t, q, id, "its start hangs", func(j job.Job) bool { return j.State == job.Running })
	end()
	w.set(func() { w.hang = nil })
	// As a cancel does before the next controller has looked at the queue.
	must(t, w.SaveJob(t.Context(), record.Job{RunID: id, State: job.Exited, Reason: job.Cancelled, Queued: time.Now(),
		Ended: new(time.Now())}))
	must(t, w.BeginRun(t.Context(),
		record.Run{Head: record.Head{ID: "gone", Kind: runsummary.BackfillJob, Started: time.Now()}}))

	q, _ = w.controller(t)
	for run, reason := range map[string]string{id: job.Cancelled, "gone": "removed"} {
		until(t, q, id, "the end of run "+run, func(job.Job) bool {
			r, err := w.Run(t.Context(), run)
			must(t, err)
			return !r.Open() && r.Reason == reason
		})
	}
}
