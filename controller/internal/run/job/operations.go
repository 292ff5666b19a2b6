package job

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
	"github.com/puttrix/trafficinator/controller/internal/record"
	"github.com/puttrix/trafficinator/shared/endreason"
	"github.com/puttrix/trafficinator/shared/problem"
)

// answerTime is how long the engine may take beyond the drain of a job.
const engineTimeout = 5 * time.Second

// Cancel ends a job, named by its run id or its container: one that goes on drains and can be resumed later, one that
// waits leaves the queue. It interrupts the start of another job, which is tried again. That the end cannot be kept is
// a warning, because the job is stopped all the same. The errors are fault.NotFound, *StateError and those of the port;
// where the engine does not answer, Watch goes through with it.
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
		return Job{}, nil, &StateError{"the job has ended already; POST /api/backfill/cleanup removes it"}
	case j.State == Queued && !q.attempted[j.RunID]:
		j.State, j.Ended, j.Reason = Exited, new(q.c.Now()), Cancelled
		out, err := q.saveJob(ctx, j)
		return out, nil, err
	}
	var warnings problem.List
	j.State = Cancelling // so that a controller that ends now does not start it again
	q.cancelled[j.RunID] = true
	if err := q.c.Store.SaveJob(ctx, j); err != nil {
		q.c.Log.ErrorContext(ctx, "it cannot be kept that a job was cancelled", "run_id", j.RunID, "err", err)
		warnings.Warn("job "+j.RunID, "", fmt.Sprintf("its end cannot be kept: %v", err),
			"make room; it is tried again until it succeeds")
	}
	if l := q.refresh(ctx, j); l.State == launcher.Unavailable {
		return Job{}, nil, fmt.Errorf("the job is cancelled when the engine answers: %w: %s",
			launcher.ErrUnavailable, l.Reason)
	}
	stopping, cancel := context.WithTimeout(ctx, drainTimeout+engineTimeout)
	defer cancel()
	if err := q.c.Runtime.StopJob(stopping, j.RunID, drainTimeout); err != nil {
		if stopping.Err() != nil && ctx.Err() == nil {
			err = fmt.Errorf("the job is cancelled when the engine answers: %w: %w", launcher.ErrUnavailable, err)
		}
		return Job{}, nil, err
	}
	q.close(ctx, &j, q.refresh(ctx, j), Cancelled)
	return q.toJob(j), warnings, nil
}

// takeTurn locks changing before Watch does: it interrupts what Watch is at, and lets it begin nothing else meanwhile.
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

// Resume queues a job that has ended again; it goes on where it was, with the tokens that are saved now. Errors are
// those of Cancel.
func (q *Queue) Resume(ctx context.Context, name string) (Job, error) {
	q.changing.Lock()
	defer q.changing.Unlock()
	j, err := q.find(ctx, name)
	if err != nil {
		return Job{}, err
	}
	switch {
	case j.State != Exited:
		return Job{}, &StateError{"the job goes on, or waits for its turn"}
	case !q.toJob(j).Resumable():
		return Job{}, &StateError{"the job has sent everything"}
	}
	if err := q.c.Setup.RenewJob(ctx, j.RunID); err != nil {
		return Job{}, fmt.Errorf("renew the job's tokens: %w", err)
	}
	defer q.triggerPoll()
	return q.saveJob(ctx, record.Job{RunID: j.RunID, Name: j.Name, Payload: j.Payload, State: Queued, Queued: q.c.Now(),
		Started: j.Started})
}

// Settle notes that a person counts a job's unknown batches as sent. Errors are those of Cancel.
func (q *Queue) Settle(ctx context.Context, name string) (Job, error) {
	q.changing.Lock()
	defer q.changing.Unlock()
	j, err := q.find(ctx, name)
	if err != nil {
		return Job{}, err
	}
	switch p := q.toJob(j).Progress; {
	case j.State != Exited:
		return Job{}, &StateError{"the job goes on, or waits for its turn"}
	case p == nil || len(p.Unknown) == 0:
		return Job{}, &StateError{"the job has no unknown batch"}
	}
	j.Settled = true
	return q.saveJob(ctx, j)
}

// End ends the jobs of a runtime that would go on without their controller, and those that wait for their turn, so that
// nothing is sent while nobody can see it, nor unasked when a controller runs again. All of them can be resumed. Watch
// must have ended.
func (q *Queue) End(ctx context.Context) error {
	if !q.c.Runtime.JobsDetached() {
		return nil
	}
	q.changing.Lock()
	defer q.changing.Unlock()
	rows, err := q.c.Store.Jobs(ctx)
	faults := []error{err}
	for _, j := range rows {
		switch {
		case j.State == Running, j.State == Cancelling, j.State == Queued && q.attempted[j.RunID]:
			if err := q.c.Runtime.StopJob(ctx, j.RunID, drainTimeout); err != nil {
				faults = append(faults, fmt.Errorf("end job %s: %w", j.RunID, err))
				continue
			}
			q.close(ctx, &j, q.refresh(ctx, j), interrupted)
		case j.State == Queued:
			j.State, j.Ended, j.Reason = Exited, new(q.c.Now()), interrupted
			faults = append(faults, q.c.Store.SaveJob(ctx, j))
		}
	}
	return errors.Join(faults...)
}

// interrupted is the loadgen's reason for an end that nobody asked of the job itself.
const interrupted = string(endreason.Interrupted)

// CleanUp removes the jobs that have ended, with their containers and files, tokens included. It returns the names of
// the containers, and what could not be removed.
func (q *Queue) CleanUp(ctx context.Context) (removed []string, failed []error, err error) {
	q.changing.Lock()
	defer q.changing.Unlock()
	rows, err := q.c.Store.Jobs(ctx)
	if err != nil {
		return nil, nil, err
	}
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
	return removed, failed, nil
}

func (q *Queue) remove(ctx context.Context, id string) error {
	// The files whatever becomes of the container: they hold tokens.
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
