package job

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
	"github.com/puttrix/trafficinator/controller/internal/record"
	"github.com/puttrix/trafficinator/controller/internal/run"
	"github.com/puttrix/trafficinator/shared/endreason"
	"github.com/puttrix/trafficinator/shared/exitcode"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

// Watch polls the jobs every second, and at once after a change, until ctx is done.
func (q *Queue) Watch(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for ctx.Err() == nil {
		if err := q.poll(ctx); err != nil && ctx.Err() == nil {
			q.c.Log.Error("cannot poll the backfill jobs", "err", err)
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		case <-q.trigger:
		}
	}
}

// poll checks the running job, and starts the next one if none is running. A Cancel interrupts it.
func (q *Queue) poll(ctx context.Context) error {
	q.changing.Lock()
	defer q.changing.Unlock()
	ctx, end, ok := q.interruptible(ctx)
	if !ok {
		return nil
	}
	defer end()
	rows, err := q.c.Store.Jobs(ctx)
	if err != nil {
		return err
	}
	if !q.recovered {
		if err := q.closeMissed(ctx, rows); err != nil {
			return err
		}
	}
	busy := false
	for i := range rows {
		if (rows[i].State == Running || rows[i].State == Queued) && q.cancelled[rows[i].RunID] {
			rows[i].State = Cancelling
		}
		l := q.refresh(ctx, rows[i])
		if ctx.Err() != nil { // the observation may be wrong
			return nil
		}
		if s := rows[i].State; s == Running || s == Cancelling {
			busy = q.checkRunning(ctx, &rows[i], l) || busy
		}
	}
	q.recovered = true
	for i := range rows {
		if !busy && rows[i].State == Queued {
			busy = q.start(ctx, &rows[i])
		}
	}
	return nil
}

// closeMissed records the end of runs whose jobs have ended or are gone, for example a job whose start was interrupted
// by the end of a controller and which was canceled since.
func (q *Queue) closeMissed(ctx context.Context, rows []record.Job) error {
	open, err := q.c.Repository.Runs(ctx, record.Query{Kind: runsummary.BackfillJob, Open: true})
	if err != nil {
		return err
	}
	for _, r := range open {
		gone := launcher.Status{State: launcher.Missing}
		var reason string
		if i := slices.IndexFunc(rows, func(j record.Job) bool { return j.RunID == r.ID }); i >= 0 {
			if rows[i].State != Exited {
				continue
			}
			reason = rows[i].Reason
			if rows[i].Ended != nil {
				gone.Ended = *rows[i].Ended
			}
		}
		if err := q.c.Close(ctx, &r, gone, reason, nil); err != nil {
			return err
		}
	}
	return nil
}

// interruptible returns a context that Cancel cancels; false if one waits already.
func (q *Queue) interruptible(ctx context.Context) (_ context.Context, end func(), ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.waiting > 0 {
		return ctx, nil, false
	}
	ctx, q.interrupt = context.WithCancel(ctx)
	return ctx, func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.interrupt()
		q.interrupt = nil
	}, true
}

// refresh observes the loadgen and the ledger of a job. An ended job is observed once.
func (q *Queue) refresh(ctx context.Context, j record.Job) launcher.Status {
	q.mu.Lock()
	s, known := q.observed[j.RunID]
	q.mu.Unlock()
	if known && j.State == Exited {
		return s.container
	}
	hash := ""
	if s.summary != nil {
		hash = s.summary.PlanHash
	}
	s.container = q.c.Runtime.Job(j.RunID).Status(ctx)
	summary, err := q.c.Ledger(j.RunID)
	switch {
	case err == nil:
		s.summary = summary
	case !errors.Is(err, fs.ErrNotExist):
		q.c.Log.Warn("cannot read the ledger of a job", "run_id", j.RunID, "err", err)
	}
	q.mu.Lock()
	q.observed[j.RunID] = s
	q.mu.Unlock()
	if err == nil && summary.PlanHash != hash && (j.State == Running || j.State == Cancelling) {
		_ = q.c.Record(ctx, q.runOf(j)) // is retried
	}
	return s.container
}

// checkRunning checks a job that should be running, and reports whether it is.
func (q *Queue) checkRunning(ctx context.Context, j *record.Job, l launcher.Status) bool {
	alive := l.State == launcher.Running || l.State == launcher.Restarting || l.State == launcher.Paused
	if alive && j.State == Cancelling {
		if err := q.stop(ctx, *j); err != nil {
			q.c.Log.Warn("cannot stop a canceled job", "run_id", j.RunID, "err", err)
			return true
		}
		l, alive = q.refresh(ctx, *j), false
	}
	switch {
	case alive, l.State == launcher.Unavailable:
		return true
	case j.State == Cancelling:
		q.close(ctx, j, l, Cancelled)
		return false
	case l.State == launcher.Missing && !q.recovered && !q.c.Runtime.JobsDetached(), // ended with the last controller
		q.c.ShouldRestart(j.RunID, l, &j.Restarts):
		return q.start(ctx, j)
	default:
		q.close(ctx, j, l, "")
		return false
	}
}

// start starts or resumes a job, and reports whether it takes the turn.
func (q *Queue) start(ctx context.Context, j *record.Job) bool {
	was := *j
	j.State = Running
	if j.Started == nil {
		j.Started = new(q.c.Now())
	}
	files, err := q.c.Setup.JobFiles(j.RunID)
	if err == nil && len(files) == 0 {
		err = errors.New("its files are missing; start a new job")
	}
	if ctx.Err() != nil {
		*j = was // is retried
		return true
	}
	saving := context.WithoutCancel(ctx)
	if err == nil {
		err = q.c.Store.SaveJob(saving, *j)
	}
	if err != nil {
		q.c.Log.Error("cannot start a backfill", "run_id", j.RunID, "err", err)
		j.State, j.Ended, j.Reason, j.Error = Exited, new(q.c.Now()), string(endreason.Failed), new(err.Error())
		q.save(ctx, *j)
		return false
	}
	start := q.c.Runtime.Job(j.RunID).Start
	if was.State == Queued {
		err = q.c.Begin(ctx, q.runOf(*j), files, start)
	} else {
		err = start(ctx)
	}
	switch {
	case errors.Is(err, launcher.ErrUnavailable), errors.Is(err, launcher.ErrStillRunning),
		err != nil && ctx.Err() != nil:
		*j = was
		q.attempted[j.RunID] = true
		q.save(saving, *j)
		return true
	case err != nil:
		q.c.Log.Error("cannot start a backfill", "run_id", j.RunID, "err", err)
		j.Error = new(err.Error())
		q.close(ctx, j, launcher.Status{State: launcher.Missing, ExitCode: 1}, string(endreason.Failed))
		return false
	}
	delete(q.attempted, j.RunID)
	q.c.Log.Info("backfill started", "run_id", j.RunID)
	q.refresh(ctx, *j)
	return true
}

// runOf returns the run of a job, with the hash of its plan once that is known.
func (q *Queue) runOf(j record.Job) record.Run {
	r := record.Run{Head: record.Head{ID: j.RunID, Kind: runsummary.BackfillJob, Note: j.Name}}
	if j.Started != nil {
		r.Started = *j.Started
	}
	q.mu.Lock()
	if s := q.observed[j.RunID].summary; s != nil {
		r.PlanHash = s.PlanHash
	}
	q.mu.Unlock()
	files, err := q.c.Setup.JobFiles(j.RunID)
	if err != nil {
		q.c.Log.Error("cannot record the settings of the backfill", "run_id", j.RunID, "err", err)
	}
	r.Config, _ = run.Configuration(files)
	r.Seed, _ = strconv.ParseUint(r.Config["RUN_SEED"], 10, 64) // Run wrote it
	return r
}

// save saves a job. If that fails, the next poll finds the job in its previous state.
func (q *Queue) save(ctx context.Context, j record.Job) {
	if err := q.c.Store.SaveJob(ctx, j); err != nil {
		q.c.Log.Error("cannot save a job", "run_id", j.RunID, "err", err)
		return
	}
	if j.State == Exited {
		delete(q.cancelled, j.RunID)
		delete(q.attempted, j.RunID)
	}
}

// close records the end of a job. fallback is the reason if its ledger has none.
func (q *Queue) close(ctx context.Context, j *record.Job, l launcher.Status, fallback string) {
	ctx = context.WithoutCancel(ctx)
	logs := q.c.Runtime.Job(j.RunID)
	r := q.runOf(*j)
	if q.c.Close(ctx, &r, l, fallback, logs) != nil {
		return // is retried
	}
	j.State, j.Ended, j.Reason, j.ExitCode = Exited, r.Ended, r.Reason, r.ExitCode
	missed := *r.ExitCode == exitcode.Missed && r.Reason == string(endreason.BackfillFinished) // sent everything
	if j.Error == nil && !missed && *r.ExitCode != exitcode.OK && *r.ExitCode != exitcode.Interrupted {
		j.Error = new(strings.Join(run.ErrorLines(ctx, logs, l.Started), "; "))
	}
	q.save(ctx, *j)
}
