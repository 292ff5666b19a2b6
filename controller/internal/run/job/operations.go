package job

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
	"github.com/puttrix/trafficinator/controller/internal/record"
	"github.com/puttrix/trafficinator/controller/internal/run"
	"github.com/puttrix/trafficinator/shared/endreason"
	"github.com/puttrix/trafficinator/shared/problem"
)

// engineTimeout is how long the engine may take to answer, besides the drain of a job.
const engineTimeout = 5 * time.Second

// Cancel stops a job, named by its run ID or its container: a running one drains and can be resumed later, a queued one
// leaves the queue. It interrupts the start of another job, which is retried. If the state cannot be saved, that is a
// warning, because the job is stopped anyway. Errors: fault.NotFound, *StateError and those of the runtime; if the
// engine does not answer, Watch retries.
func (q *Queue) Cancel(ctx context.Context, name string) (Job, problem.List, error) {
	q.lockInterrupting()
	defer q.changing.Unlock()
	defer q.triggerPoll()
	j, err := q.find(ctx, name)
	if err != nil {
		return Job{}, nil, err
	}
	switch {
	case j.State == Exited:
		return Job{}, nil, &StateError{"the job has already ended; POST /api/backfill/cleanup removes it"}
	case j.State == Queued && !q.attempted[j.RunID]:
		j.State, j.Ended, j.Reason = Exited, new(q.c.Now()), Cancelled
		out, err := q.saveJob(ctx, j)
		return out, nil, err
	}
	var warnings problem.List
	j.State = Cancelling // so that the next controller does not restart it
	q.cancelled[j.RunID] = true
	if err := q.c.Store.SaveJob(ctx, j); err != nil {
		q.c.Log.ErrorContext(ctx, "cannot save that a job was canceled", "run_id", j.RunID, "err", err)
		warnings.Warn("job "+j.RunID, "", fmt.Sprintf("its end cannot be saved: %v", err),
			"free disk space; it is retried until it succeeds")
	}
	if l := q.refresh(ctx, j); l.State == launcher.Unavailable {
		return Job{}, nil, fmt.Errorf("the job is cancelled when the engine answers: %w: %s",
			launcher.ErrUnavailable, l.Reason)
	}
	stopping, cancel := context.WithTimeout(ctx, run.DrainTimeout+engineTimeout)
	defer cancel()
	if err := q.stop(stopping, j); err != nil {
		if stopping.Err() != nil && ctx.Err() == nil {
			err = fmt.Errorf("the job is cancelled when the engine answers: %w: %w", launcher.ErrUnavailable, err)
		}
		return Job{}, nil, err
	}
	q.close(ctx, &j, q.refresh(ctx, j), Cancelled)
	return q.toJob(j), warnings, nil
}

func (q *Queue) stop(ctx context.Context, j record.Job) error {
	return q.c.Runtime.Job(j.RunID).Stop(ctx, run.DrainTimeout)
}

// lockInterrupting locks changing before the next poll of Watch, and interrupts the current one.
func (q *Queue) lockInterrupting() {
	q.mu.Lock()
	q.waiting++
	if q.interrupt != nil {
		q.interrupt()
	}
	q.mu.Unlock()
	q.changing.Lock()
	q.mu.Lock()
	q.waiting--
	q.mu.Unlock()
}

// Resume queues an ended job again; it continues where it was, with the tokens that are saved now. Errors are those of
// Cancel.
func (q *Queue) Resume(ctx context.Context, name string) (Job, error) {
	defer q.triggerPoll()
	return q.changeEnded(ctx, name, func(j *record.Job) error {
		if !q.toJob(*j).Resumable() {
			return &StateError{"the job is complete"}
		}
		if err := q.c.Setup.RenewJob(ctx, j.RunID); err != nil {
			return fmt.Errorf("renew the job's tokens: %w", err)
		}
		*j = record.Job{RunID: j.RunID, Name: j.Name, Payload: j.Payload, State: Queued, Queued: q.c.Now(),
			Started: j.Started}
		return nil
	})
}

// Settle records that a person counts a job's unknown batches as sent. Errors are those of Cancel.
func (q *Queue) Settle(ctx context.Context, name string) (Job, error) {
	return q.changeEnded(ctx, name, func(j *record.Job) error {
		if p := q.toJob(*j).Progress; p == nil || len(p.Unknown) == 0 {
			return &StateError{"the job has no unknown batch"}
		}
		j.Settled = true
		return nil
	})
}

// changeEnded changes and saves a job that has ended.
func (q *Queue) changeEnded(ctx context.Context, name string, change func(*record.Job) error) (Job, error) {
	q.changing.Lock()
	defer q.changing.Unlock()
	j, err := q.find(ctx, name)
	if err != nil {
		return Job{}, err
	}
	if j.State != Exited {
		return Job{}, &StateError{"the job is running or queued"}
	}
	if err := change(&j); err != nil {
		return Job{}, err
	}
	return q.saveJob(ctx, j)
}

// interrupted is the reason of a job that ended with its controller.
const interrupted = string(endreason.Interrupted)

// End stops the jobs of a runtime that would continue without their controller, and those in the queue, so that nothing
// is sent while no controller runs, nor unexpectedly when one runs again. All of them can be resumed. Watch must have
// ended.
func (q *Queue) End(ctx context.Context) error {
	if !q.c.Runtime.JobsDetached() {
		return nil
	}
	q.changing.Lock()
	defer q.changing.Unlock()
	rows, err := q.c.Store.Jobs(ctx)
	errs := []error{err}
	for _, j := range rows {
		switch {
		case j.State == Running, j.State == Cancelling, j.State == Queued && q.attempted[j.RunID]:
			if err := q.stop(ctx, j); err != nil {
				errs = append(errs, fmt.Errorf("end job %s: %w", j.RunID, err))
				continue
			}
			q.close(ctx, &j, q.refresh(ctx, j), interrupted)
		case j.State == Queued:
			j.State, j.Ended, j.Reason = Exited, new(q.c.Now()), interrupted
			errs = append(errs, q.c.Store.SaveJob(ctx, j))
		}
	}
	return errors.Join(errs...)
}

// CleanUp removes the ended jobs with their containers and files, which include tokens. It returns the names of the
// removed containers, and an error for each that could not be removed.
func (q *Queue) CleanUp(ctx context.Context) (removed []string, failed []error, err error) {
	q.changing.Lock()
	defer q.changing.Unlock()
	rows, err := q.c.Store.Jobs(ctx)
	for _, j := range rows {
		if j.State != Exited {
			continue
		}
		name := q.c.Runtime.JobName(j.RunID)
		if err := q.remove(ctx, j.RunID); err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", name, err))
			continue
		}
		removed = append(removed, name)
	}
	return removed, failed, err
}

func (q *Queue) remove(ctx context.Context, id string) error {
	// The files are removed even if the container is not, because they contain tokens.
	if err := errors.Join(q.c.Setup.RemoveJob(id), q.c.Runtime.RemoveJob(ctx, id)); err != nil {
		return err
	}
	q.mu.Lock()
	delete(q.observed, id)
	q.mu.Unlock()
	return q.c.Store.RemoveJob(ctx, id)
}

func (q *Queue) saveJob(ctx context.Context, j record.Job) (Job, error) {
	if err := q.c.Store.SaveJob(ctx, j); err != nil {
		return Job{}, err
	}
	return q.toJob(j), nil
}
