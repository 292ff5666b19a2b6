// Package job manages backfill jobs: it checks a request before anything is sent, keeps the queue, runs one job at a
// time, restarts crashed ones and records how each ends. It reads progress from the ledgers; only the loadgen decides
// what it sends, and in which order.
package job

import (
	"context"
	"slices"
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
	Queued     = "queued"     // waits for earlier jobs
	Running    = "running"    // started, and restarted after a crash
	Cancelling = "cancelling" // drains because a person canceled it
	Exited     = "exited"     // ended, or canceled before it started
)

// Cancelled is the reason of a canceled job whose ledger has none.
const Cancelled = string(endreason.Cancelled)

// Job is a job and its progress, about a second old at most.
type Job struct {
	record.Job
	// Container is the status of its container or process.
	Container launcher.Status
	// Progress is from its ledger, nil if there is none.
	Progress *runsummary.Backfill
}

// Resumable reports whether something is left to send.
func (j Job) Resumable() bool {
	return j.State == Exited && j.Reason != string(endreason.BackfillFinished)
}

// StateError is the error of an operation that a job's state does not allow.
type StateError struct{ Reason string }

// Error implements error.
func (r *StateError) Error() string { return r.Reason }

// Unwrap returns its kind.
func (r *StateError) Unwrap() error { return fault.Conflict }

// Setup plans jobs and stores their files, see setup.Service.
type Setup interface {
	Backfill(ctx context.Context, values map[string]any) (plan.Input, spec.Spec, problem.List, error)
	WriteJob(in plan.Input, id run.Identity) error
	JobFiles(id string) (map[string][]byte, error)
	RenewJob(ctx context.Context, id string) error
	RemoveJob(id string) error
}

// Store stores jobs, see store.Store.
type Store interface {
	SaveJob(ctx context.Context, j record.Job) error
	Jobs(ctx context.Context) ([]record.Job, error)
	LastJob(ctx context.Context) (record.Job, error)
	RemoveJob(ctx context.Context, runID string) error
}

// Config configures a Queue.
type Config struct {
	Runtime launcher.JobRuntime
	Setup   Setup
	Store   Store
	*run.Supervisor
	// Estimate estimates a run, see preview.Preview.
	Estimate func(ctx context.Context, draft plan.Input) (estimate.Estimate, error)
	// NewIdentity returns the ID of a job, and its seed if the settings have none.
	NewIdentity func() run.Identity
	Now         func() time.Time
}

// Queue runs jobs one after another. It is safe for concurrent use.
type Queue struct {
	c       Config
	trigger chan struct{} // makes Watch poll at once

	changing sync.Mutex // held while jobs are started, stopped or removed; guards what follows
	// recovered reports whether the jobs of an earlier controller were checked.
	recovered bool
	// cancelled are the jobs that a person canceled, even if that could not be saved.
	cancelled map[string]bool
	// attempted are the queued jobs whose start failed and is retried: their runs are recorded, and an interrupted
	// start may have taken effect.
	attempted map[string]bool

	mu       sync.Mutex // guards what follows
	observed map[string]observation
	// interrupt cancels the current poll, nil for none; waiting is the number of callers that wait for its end.
	interrupt context.CancelFunc
	waiting   int
}

// observation is the last observed state of a job.
type observation struct {
	container launcher.Status
	summary   *runsummary.Summary
}

// New returns a queue; Watch runs it.
func New(c Config) *Queue {
	return &Queue{c: c, trigger: make(chan struct{}, 1), observed: map[string]observation{},
		cancelled: map[string]bool{}, attempted: map[string]bool{}}
}

// Jobs returns the jobs that were not removed, the latest first.
func (q *Queue) Jobs(ctx context.Context) ([]Job, error) {
	rows, err := q.c.Store.Jobs(ctx)
	if err != nil {
		return nil, err
	}
	out := []Job{}
	for _, r := range slices.Backward(rows) {
		out = append(out, q.toJob(r))
	}
	return out, nil
}

// Job returns a job by its run ID or the name of its container, or fault.NotFound.
func (q *Queue) Job(ctx context.Context, name string) (Job, error) {
	j, err := q.find(ctx, name)
	if err != nil {
		return Job{}, err
	}
	return q.toJob(j), nil
}

// Last returns the job that was queued last; its State is empty if it was removed. The error is fault.NotFound if there
// was none.
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

// Logs reads the log of a job, see launcher.LogReader.
func (q *Queue) Logs(ctx context.Context, id string, query launcher.LogQuery, each func(launcher.Line) error) error {
	if _, err := q.find(ctx, id); err != nil {
		return err
	}
	return q.c.Runtime.Job(id).Logs(ctx, query, each)
}

func (q *Queue) toJob(j record.Job) Job {
	q.mu.Lock()
	defer q.mu.Unlock()
	s, found := q.observed[j.RunID]
	if !found {
		s.container = launcher.Status{State: launcher.Missing, Name: q.c.Runtime.JobName(j.RunID)}
	}
	out := Job{Job: j, Container: s.container}
	if s.summary != nil {
		out.Progress = s.summary.Backfill
	}
	return out
}

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
