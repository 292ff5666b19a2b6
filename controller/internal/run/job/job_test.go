package job_test

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/controller/internal/fault"
	"github.com/puttrix/trafficinator/controller/internal/launcher"
	"github.com/puttrix/trafficinator/controller/internal/run"
	"github.com/puttrix/trafficinator/controller/internal/run/job"
	"github.com/puttrix/trafficinator/shared/endreason"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

func TestJobsRunOneAfterAnotherAndAreRecordedAsRuns(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	q, _ := w.controller(t)
	first, second := submit(t, q), submit(t, q)
	until(t, q, first, "the first runs", runs)
	w.setLedger(first, "", runsummary.Backfill{Visits: 200, Batches: 4, BatchesDone: 1})
	until(t, q, first, "its progress is shown", func(j job.Job) bool {
		return j.Progress != nil && j.Progress.BatchesDone == 1
	})
	if j, err := q.Job(t.Context(), second); err != nil || j.State != job.Queued || w.started(second) != 0 {
		t.Errorf("want the second queued: %+v, %v", j, err)
	}
	w.setLedger(first, "backfill_finished", runsummary.Backfill{Visits: 200, Batches: 4, BatchesDone: 4})
	w.ends(first, 0)
	j := until(t, q, first, "the first has ended", is(job.Exited))
	if j.Reason != "backfill_finished" || *j.ExitCode != 0 || j.Error != nil || j.Resumable() {
		t.Errorf("want a good end: %+v", j)
	}
	until(t, q, second, "the second runs", runs)
	r, err := w.Run(t.Context(), first)
	must(t, err)
	cet, err := time.LoadLocation("CET") // TIMEZONE where nothing is set
	must(t, err)
	day := time.Now().In(cet).AddDate(0, 0, -3).Format(time.DateOnly)
	if r.Kind != runsummary.BackfillJob || r.Seed != 7 || r.PlanHash != "hash" ||
		r.Reason != "backfill_finished" || r.Note != "two days" ||
		r.Config["BACKFILL_START_DATE"] != day || r.Config["BACKFILL_DAYS_BACK"] != "" ||
		strings.Contains(fmt.Sprint(r.Config), token) {
		t.Errorf("want the run with its exact days and no token: %+v", r)
	}
}

func TestCrashedJobIsRestartedThreeTimes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	q, _ := w.controller(t)
	id := submit(t, q)
	w.setLedger(id, "", runsummary.Backfill{Visits: 200}) // a killed loadgen does not close it
	for restarts := range run.MaxRestarts + 1 {
		until(t, q, id, "it runs", func(j job.Job) bool {
			return runs(j) && j.Restarts == restarts && w.started(id) == restarts+1
		})
		w.ends(id, 137)
	}
	j := until(t, q, id, "it has ended", is(job.Exited))
	if j.Reason != "crashed" || *j.ExitCode != 137 || !strings.Contains(*j.Error, "never took anything") ||
		!j.Resumable() || w.started(id) != run.MaxRestarts+1 {
		t.Errorf("want the crash with its errors: %+v after %d starts", j, w.started(id))
	}
	r, err := w.Run(t.Context(), id)
	must(t, err)
	if s := r.Summary; s == nil || s.Ended.IsZero() || s.Reason != "crashed" {
		t.Errorf("want its ledger closed with the reason of the run: %+v", r.Summary)
	}
	if _, err := q.Resume(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if j := until(t, q, id, "it runs again", runs); j.Restarts != 0 || j.Error != nil {
		t.Errorf("want the counts of restarts reset: %+v", j)
	}
}

func TestNewControllerAdoptsJobs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	q, end := w.controller(t)
	id, next := submit(t, q), submit(t, q)
	until(t, q, id, "it runs", runs)
	end()

	q, end = w.controller(t)
	until(t, q, id, "it is adopted", runs)
	if w.started(id) != 1 {
		t.Errorf("want a running container unchanged, got %d starts", w.started(id))
	}
	end()
	w.forget() // processes end with their controller
	w.setLedger(id, "interrupted", runsummary.Backfill{Visits: 200})
	q, _ = w.controller(t)
	if j := until(t, q, id, "it is resumed", runs); j.Restarts != 0 || w.started(id) != 2 || w.started(next) != 0 {
		t.Errorf("want it started once more, and no other: %+v, %v", j, w.starts)
	}
	w.forget() // somebody removed the container
	if j := until(t, q, id, "its end is recorded", is(job.Exited)); j.Reason != "interrupted" {
		t.Errorf("want the ledger's reason: %+v", j)
	}
}

// A container would continue to send after `docker compose down`.
func TestEndStopsDetachedJobs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	q, end := w.controller(t)
	id, next := submit(t, q), submit(t, q)
	until(t, q, id, "it runs", runs)
	end()
	must(t, q.End(t.Context()))
	if s := (port{w}).Job(id).Status(t.Context()); s.State != launcher.Running {
		t.Errorf("want a process unchanged, because it ends with the controller: %+v", s)
	}
	w.outlive = true
	w.setLedger(id, "interrupted", runsummary.Backfill{Visits: 200, Batches: 4, BatchesDone: 1})
	must(t, q.End(t.Context()))
	q, _ = w.controller(t)
	for _, id := range []string{id, next} {
		if j, err := q.Job(t.Context(), id); err != nil || j.State != job.Exited || j.Reason != "interrupted" ||
			!j.Resumable() || j.Error != nil {
			t.Errorf("want it to wait for a resume: %+v, %v", j, err)
		}
	}
	_, err := q.Resume(t.Context(), next)
	must(t, err)
	until(t, q, next, "it runs after a resume", runs)
	if w.started(id) != 1 {
		t.Errorf("want no start of the other, got %d", w.started(id))
	}
}

func TestRemovedContainerOfAJobIsNotRecreated(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.outlive = true
	q, end := w.controller(t)
	id := submit(t, q)
	until(t, q, id, "it runs", runs)
	end()
	w.setLedger(id, "interrupted", runsummary.Backfill{Visits: 200, Batches: 4, BatchesDone: 1})
	w.forget()
	q, _ = w.controller(t)
	j := until(t, q, id, "its end is recorded", is(job.Exited))
	if j.Reason != "interrupted" || *j.ExitCode != 130 || !j.Resumable() || w.started(id) != 1 {
		t.Errorf("want it ended and resumable, after %d starts: %+v", w.started(id), j)
	}
}

func TestFailedWriteOfAnEndIsRetried(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	q, _ := w.controller(t)
	id := submit(t, q)
	until(t, q, id, "it runs", runs)
	w.set(func() { w.full = true })
	w.setLedger(id, string(endreason.BackfillFinished), runsummary.Backfill{Visits: 200})
	w.ends(id, 0)
	until(t, q, id, "its end cannot be recorded", func(job.Job) bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.refusals > 1
	})
	w.set(func() { w.full = false })
	until(t, q, id, "its end is recorded", is(job.Exited))
	if r, err := w.Run(t.Context(), id); err != nil || r.Reason != string(endreason.BackfillFinished) {
		t.Errorf("want the run ended too: %+v, %v", r, err)
	}
}

func TestFinishedJobThatMissedAThresholdIsNotResumable(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	q, _ := w.controller(t)
	id := submit(t, q)
	until(t, q, id, "it runs", runs)
	w.setLedger(id, string(endreason.BackfillFinished), runsummary.Backfill{Visits: 200, Batches: 4, BatchesDone: 4})
	w.ends(id, 4)
	if j := until(t, q, id, "it has ended", is(job.Exited)); j.Resumable() || j.Error != nil || *j.ExitCode != 4 {
		t.Errorf("want it finished: %+v", j)
	}
	var refused *job.StateError
	if _, err := q.Resume(t.Context(), id); !errors.As(err, &refused) {
		t.Errorf("there is nothing to resume: %v", err)
	}
	// The error brake has the same code, and leaves the rest to be sent.
	next := submit(t, q)
	until(t, q, next, "it runs", runs)
	w.setLedger(next, "error_brake", runsummary.Backfill{Visits: 200, Batches: 4, BatchesDone: 1})
	w.ends(next, 4)
	if j := until(t, q, next, "it has ended", is(job.Exited)); !j.Resumable() || j.Error == nil {
		t.Errorf("want the rest to be sent later: %+v", j)
	}
}

func TestCanceledJobDrainsAndCanBeResumed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	q, end := w.controller(t)
	id := submit(t, q)
	until(t, q, id, "it runs", runs)
	unknown := []runsummary.Batch{{Number: 3, Visits: 5}}
	w.setLedger(id, "interrupted", runsummary.Backfill{Visits: 200, Unknown: unknown})
	j, _, err := q.Cancel(t.Context(), "job-"+id)
	if err != nil || j.State != job.Exited || *j.ExitCode != 130 || j.Error != nil || j.Progress == nil {
		t.Fatalf("want it ended by name, without a fault: %+v, %v", j, err)
	}
	if j, err = q.Settle(t.Context(), id); err != nil || !j.Settled {
		t.Errorf("want the unknown batch settled: %+v, %v", j, err)
	}
	const newer = "fedcba9876543210fedcba9876543210"
	_, err = w.setup.MergeConfig(t.Context(), map[string]any{"MATOMO_TOKEN_AUTH": newer, "PAGEVIEWS_MAX": 9}, 0)
	must(t, err)
	if _, err := q.Resume(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	files, err := w.setup.JobFiles(id)
	must(t, err)
	if text := string(files[exchange.EnvFile]); !strings.Contains(text, newer) ||
		strings.Contains(text, "PAGEVIEWS_MAX=9") || !strings.Contains(text, "RUN_ID="+id+"\n") ||
		!strings.Contains(text, "RUN_SEED=7\n") {
		t.Error("want it resumed with only the token changed")
	}
	if j := until(t, q, id, "it is resumed", runs); j.Settled {
		t.Errorf("want later unknown batches not to be settled: %+v", j)
	}
	end()

	// A controller that is killed while a job drains.
	row, err := w.Jobs(t.Context())
	must(t, err)
	row[0].State = job.Cancelling
	must(t, w.SaveJob(t.Context(), row[0]))
	q, _ = w.controller(t)
	until(t, q, id, "the next controller cancels it", is(job.Exited))
	if w.started(id) != 2 {
		t.Errorf("want no start after the cancel, got %d", w.started(id))
	}
}

func TestCleanUpRemovesTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	q, _ := w.controller(t)
	id, next := submit(t, q), submit(t, q)
	folder := filepath.Join(w.exchange, exchange.JobFolder(id))
	data, err := afero.ReadFile(w.fs, filepath.Join(folder, exchange.EnvFile))
	if err != nil || !strings.Contains(string(data), token) || !strings.Contains(string(data), "RUN_ID="+id) {
		t.Fatalf("a job needs its token: %v", err)
	}
	if info, err := w.fs.Stat(filepath.Join(folder, exchange.EnvFile)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("want files that only their owner can read: %v, %v", info, err)
	}
	until(t, q, id, "it runs", runs)
	if removed, failed, err := q.CleanUp(t.Context()); len(removed)+len(failed) > 0 || err != nil {
		t.Errorf("want nothing removed: %v, %v, %v", removed, failed, err)
	}
	w.ends(id, 0)
	until(t, q, id, "it has ended", is(job.Exited))
	if removed, failed, err := q.CleanUp(t.Context()); len(removed) != 1 || removed[0] != "job-"+id ||
		len(failed) > 0 || err != nil {
		t.Errorf("want the ended one removed: %v, %v, %v", removed, failed, err)
	}
	if _, err := w.fs.Stat(folder); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("want its files gone, got %v", err)
	}
	if _, err := q.Job(t.Context(), id); !errors.Is(err, fault.NotFound) {
		t.Errorf("want it removed, got %v", err)
	}
	if _, err := w.Run(t.Context(), id); err != nil {
		t.Errorf("want its run kept: %v", err)
	}
	until(t, q, next, "the other continues", runs)
}

func TestUnavailableEngineDoesNotEndAJob(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	q, _ := w.controller(t)
	id := submit(t, q)
	until(t, q, id, "it runs", runs)
	w.set(func() { w.away = true })
	until(t, q, id, "it is not seen", func(j job.Job) bool {
		return j.State == job.Running && j.Container.State == launcher.Unavailable
	})
	w.set(func() { w.away = false })
	until(t, q, id, "it is seen again", runs)
	if w.started(id) != 1 {
		t.Errorf("got %d starts", w.started(id))
	}
}

func TestNextJobStartsAfterOneThatCannot(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	q, _ := w.controller(t)
	w.set(func() { w.refused = fmt.Errorf("%w: no image", launcher.ErrMissing) })
	id := submit(t, q)
	if j := until(t, q, id, "it has ended", is(job.Exited)); !strings.Contains(*j.Error, "no image") || !j.Resumable() {
		t.Errorf("want the reason: %+v", j)
	}
	w.set(func() { w.refused = nil })
	next := submit(t, q)
	until(t, q, next, "the next one runs", runs)

	// An earlier life of it may still drain: then its turn lasts until it has ended.
	w.set(func() { w.refused = launcher.ErrStillRunning })
	_, err := q.Resume(t.Context(), id)
	must(t, err)
	w.ends(next, 0)
	until(t, q, next, "the turn is free", is(job.Exited))
	w.set(func() { w.refused = nil })
	if j := until(t, q, id, "it runs", runs); j.Error != nil {
		t.Errorf("want no error for waiting: %+v", j)
	}
}
