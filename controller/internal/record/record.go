// Package record owns what is kept of runs and backfill jobs. It knows neither the database that keeps them nor how a
// run is started.
package record

import (
	"encoding/json"
	"maps"
	"time"

	"github.com/puttrix/trafficinator/shared/runsummary"
	"github.com/puttrix/trafficinator/shared/secret"
	"github.com/puttrix/trafficinator/shared/spec"
)

// Head identifies a run and says how it went.
type Head struct {
	ID string `json:"id"`
	// Kind is one of package runsummary.
	Kind     string    `json:"kind" enum:"live,capacity,backfill"`
	Seed     uint64    `json:"seed"`
	PlanHash string    `json:"plan_hash"`
	Started  time.Time `json:"started"`
	// Ended is nil while the run is running, Reason empty.
	Ended *time.Time `json:"ended" doc:"null while the run is in progress."`
	// Duration is set by the store: by the loadgen's own clock where its ledger has one.
	Duration *float64 `json:"duration_seconds" doc:"How long the run lasted, by a monotonic clock. null while unknown."`
	// Reason is the loadgen's own word from its ledger (stop_after_visits, stopped, interrupted, killed …), or stopped,
	// failed, crashed, removed where it left none.
	Reason   string `json:"reason"`
	ExitCode *int   `json:"exit_code" doc:"Exit code of the loadgen; 4 if a threshold failed or the error brake stopped the run. null until it has exited."`
	// Note and Labels are set by users.
	Note    string   `json:"note"`
	Labels  []string `json:"labels"`
	Steered bool     `json:"steered" doc:"Whether the run was paused or its rate changed while it was running."`
}

// Open reports whether no end of the run is recorded.
func (h Head) Open() bool { return h.Ended == nil }

// Run is a recorded run.
type Run struct {
	Head
	Config   map[string]string   `json:"config" doc:"The exact configuration, secrets masked. A missing setting had its default."`
	Problems []Problem           `json:"problems" doc:"Warnings and errors of the run's log."`
	Summary  *runsummary.Summary `json:"summary" doc:"The run summary, up to date while the run is in progress. null if there is none."`
}

// Problem is a warning or an error in a run's log.
type Problem struct {
	Time  time.Time `json:"time"`
	Level string    `json:"level" enum:"WARNING,ERROR"`
	Text  string    `json:"text"`
}

// Settings returns the settings of the run without secrets; false where they are unknown, as of a run started by
// something else, or no longer valid in this version.
func (r Run) Settings() (spec.Spec, bool) {
	values := maps.Clone(r.Config)
	maps.DeleteFunc(values, func(_, v string) bool { return v == secret.Mask })
	s, problems := spec.Parse(values, nil)
	return s, len(values) > 0 && problems.Err() == nil
}

// Span returns when the run began and ended, or now while it is running. The start is the one in its summary where it
// has one: the recorded times are those of its container.
func (r Run) Span(now time.Time) (from, to time.Time) {
	from, to = r.Started, now
	if r.Ended != nil {
		to = *r.Ended
	}
	if r.Summary != nil && !r.Summary.Started.IsZero() {
		from = r.Summary.Started
	}
	if to.Before(from) {
		to = from
	}
	return from, to
}

// Query selects runs. The zero value selects all that are not deleted.
type Query struct {
	// Kind, Label and Reason are exact; Text is searched in id, note, labels and reason, ignoring case. Empty matches
	// everything.
	Kind, Label, Reason, Text string
	// Open selects only runs without a recorded end.
	Open bool
	// NoJobs leaves out backfills, which run beside the run of the loadgen.
	NoJobs bool
	// Limit is the most runs returned after skipping Skip, the one recorded last first; 0 is no limit.
	Skip, Limit int
}

// Interval is what a run did in an interval of time.
type Interval struct {
	// At is the start of the interval.
	At time.Time
	// Body is JSON; the writer owns its format.
	Body json.RawMessage
}

// File is a file that a run was started with.
type File struct {
	Name string `json:"name"`
	// Hash is the SHA-256 of the kept content, in hex.
	Hash string `json:"hash"`
}

// Document is a kind of Matomo figures that are kept of a run.
type Document string

// The documents.
const (
	// Baseline is what the targets' sites showed before the run.
	Baseline Document = "before"
	// Reconciliation compares what they show of the run with its summary.
	Reconciliation Document = "reconciliation"
)

// Job is a backfill job: queued, running, or ended and not yet removed.
type Job struct {
	RunID string `json:"run_id"`
	Name  string `json:"name"`
	// Payload is the request, without secrets.
	Payload map[string]any `json:"payload" doc:"The request that created the job."`
	// State is a word of package job.
	State   string     `json:"state" enum:"queued,running,cancelling,exited"`
	Queued  time.Time  `json:"queued_at"`
	Started *time.Time `json:"started_at"`
	Ended   *time.Time `json:"finished_at"`
	// ExitCode and Error are nil until there is one.
	ExitCode *int    `json:"exit_code"`
	Reason   string  `json:"reason" doc:"Why the job ended, as the loadgen names it; empty until then."`
	Error    *string `json:"error" doc:"Error output of a failed job; null if it did not fail."`
	Restarts int     `json:"restarts" doc:"Number of restarts after crashes; each resumes where the job was."`
	Settled  bool    `json:"settled" doc:"Whether a user has counted its unknown batches as sent."`
	// Removed jobs are only kept while they are the latest.
	Removed bool `json:"-"`
}
