// Package job owns backfills: it checks what is asked for before anything is sent, keeps the queue, lets one job go on
// at a time, starts one that crashed again, and books how each ends. What a job has sent it reads from the job's
// ledger; what is sent, and in what order, only the loadgen knows.
package job

import (
	"context"
	"sync"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/fault"
	"github.com/puttrix/trafficinator/controller/internal/launcher"
	"github.com/puttrix/trafficinator/controller/internal/record"
	"github.com/puttrix/trafficinator/controller/internal/run"
	"github.com/puttrix/trafficinator/controller/internal/setup/plan"
	"github.com/puttrix/trafficinator/shared/endreason"
	"github.com/puttrix/trafficinator/shared/estimate"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/runsummary"
	"github.com/puttrix/trafficinator/shared/spec"
)

// The states of a job.
const (
	// Queued jobs wait for those before them.
	Queued = "queued"
	// Running: it is started, and started again where it crashes.
	Running = "running"
	// Cancelling: it drains, because a person wants it to end.
	Cancelling = "cancelling"
	// Exited: it has ended, or was cancelled before it began.
	Exited = "exited"
)

// Cancelled is the reason of a job that a person ended and that has none of its own.
const Cancelled = string(endreason.Cancelled)

// drain is how long a job may take to end: the loadgen's own 8 s and some.
const drainTimeout = run.DrainTimeout

// Job is a job as it stands, about a second ago at most.
type Job struct {
	record.Job
	// Container is how its container or process stands.
	Container launcher.Status
	// Progress is from its ledger of record, nil where there is none.
	Progress *runsummary.Backfill
}

// Resumable tells whether something is left to send.
func (j Job) Resumable() bool {
	return j.State == Exited && j.Reason != string(endreason.BackfillFinished)
}

// Refused is the error of what a job's state does not allow.
type StateError struct{ Reason string }

// Error implements error.
func (r *StateError) Error() string { return r.Reason }

// Unwrap is its kind.
func (r *StateError) Unwrap() error { return fault.Conflict }

// Setup makes the set-up of a job and keeps its files, see setup.Service.
type Setup interface {
	Backfill(ctx context.Context, values map[string]any) (plan.Input, spec.Spec, problem.List, error)
	WriteJob(in plan.Input, id run.Identity) error
	JobFiles(id string) (map[string][]byte, error)
	RenewJob(ctx context.Context, id string) error
	RemoveJob(id string) error
}

// Store keeps jobs, see store.Store.
type Store interface {
	SaveJob(ctx context.Context, j record.Job) error
	Jobs(ctx context.Context) ([]record.Job, error)
	LastJob(ctx context.Context) (record.Job, error)
	RemoveJob(ctx context.Context, runID string) error
}

// Config of a Queue.
type Config struct {
	Runtime launcher.JobRuntime
	Setup   Setup
	Store   Store
	*run.Supervisor
	// Estimate estimates a run, see preview.Preview.
	Estimate func(ctx context.Context, draft plan.Input) (estimate.Estimate, error)
	// Draw makes the id of a job, and its seed where the settings fix none.
	NewIdentity func() run.Identity
	Now         func() time.Time
}

// Queue is all jobs. It is safe for concurrent use.
type Queue struct {
	c Config
	// wake tells Watch that there is something to do.
	trigger chan struct{}

	changing sync.Mutex // held while jobs are started, ended or removed; it guards what follows
	// adopted says that what went on before this controller was looked at.
	recovered bool
	// cancelled are jobs that a person wants to end, also where that could not be kept.
	cancelled map[string]bool
	// tried are queued jobs whose start failed and is tried again: their runs are recorded as begun, and where the
	// start was interrupted it may have taken effect all the same.
	attempted map[string]bool

	mu       sync.Mutex // guards what follows
	observed map[string]observation
	// interrupt ends the looking after jobs that is under way, nil for none, and waiting counts those who wait for
	// that.
	interrupt context.CancelFunc
	waiting   int
}

// sight is what was last seen of a job.
type observation struct {
	container launcher.Status
	summary   *runsummary.Summary
}

// New makes a queue; Watch keeps it going.
func New(c Config) *Queue {
	return &Queue{
		c:         c,
		trigger:   make(chan struct{}, 1),
		observed:  map[string]observation{},
		cancelled: map[string]bool{},
		attempted: map[string]bool{},
	}
}

// Jobs are those that are not removed, the latest first.
func (q *Queue) Jobs(ctx context.Context) ([]Job, error) {
	rows, err := q.c.Store.Jobs(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]Job, len(rows))
	for i, r := range rows {
		out[len(rows)-1-i] = q.toJob(r)
	}
	return out, nil
}

// Job is one by its run id or by the name of its container, or fault.NotFound.
func (q *Queue) Job(ctx context.Context, name string) (Job, error) {
	j, err := q.find(ctx, name)
	if err != nil {
		return Job{}, err
	}
	return q.toJob(j), nil
}

// Last is the job that was asked for last; its State is empty where it was removed. The error is fault.NotFound
// where there was none.
func (q *Queue) Last(ctx context.Context) (Job, error) {
	j, err := q.c.Store.LastJob(ctx)
	if err != nil {
		return Job{}, err
	}
	if j.Removed {
		return Job{Job: record.Job{RunID: j.RunID, Name: j.Name, Payload: j.Payload, Queued: j.Queued}}, nil
	}
	return q.toJob(j), nil
}

// Logs reads the log of a job, see launcher.Runtime.
func (q *Queue) Logs(ctx context.Context, id string, query launcher.LogQuery, each func(launcher.Line) error) error {
	if _, err := q.find(ctx, id); err != nil {
		return err
	}
	return q.c.Runtime.JobLogs(ctx, id, query, each)
}

func (q *Queue) toJob(j record.Job) Job {
	q.mu.Lock()
	defer q.mu.Unlock()
	s, known := q.observed[j.RunID]
	if !known {
		s.container = launcher.Status{State: launcher.Missing, Name: q.c.Runtime.JobName(j.RunID)}
	}
	out := Job{Job: j, Container: s.container}
	if s.summary != nil {
		out.Progress = s.summary.Backfill
	}
	return out
}

// find is a job by its run id or by the name of its container.
func (q *Queue) find(ctx context.Context, name string) (record.Job, error) {
	rows, err := q.c.Store.Jobs(ctx)
	if err != nil {
		return record.Job{}, err
	}
	for _, j := range rows {
		if name == j.RunID || name == q.c.Runtime.JobName(j.RunID) {
			return j, nil
		}
	}
	return record.Job{}, fault.NotFound.New("not found")
}
