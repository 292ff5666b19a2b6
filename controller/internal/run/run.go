// Package run manages the life of a run: it gives it an ID, publishes its settings, starts and stops the loadgen, waits
// until the loadgen reports that the plan runs, and records the end. One operation runs at a time. It does not know
// HTTP, containers or the meaning of settings.
package run

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/fault"
	"github.com/puttrix/trafficinator/controller/internal/launcher"
	"github.com/puttrix/trafficinator/controller/internal/record"
	"github.com/puttrix/trafficinator/controller/internal/setup"
	"github.com/puttrix/trafficinator/controller/internal/setup/plan"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/phase"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/runid"
	"github.com/puttrix/trafficinator/shared/runsummary"
	"github.com/puttrix/trafficinator/shared/secret"
	"github.com/puttrix/trafficinator/shared/spec"
	"github.com/puttrix/trafficinator/shared/status"
)

// Status is a snapshot, at most about a second old, so reading it never waits for an engine.
type Status struct {
	// Runtime is "docker" or "process"; RuntimeReason is the reason for the choice, with the engine.
	Runtime, RuntimeReason string
	Loadgen                launcher.Status
	// Since is when the running loadgen was started, by the monotonic clock of this process; zero if none runs.
	Since     time.Time
	Phase     phase.Phase      // the loadgen's, "" while it does not answer
	Pause     string           // why no new visits start, one of package metric, or ""
	Operation *Operation       // the current operation, nil for none
	Run       *record.Run      // the current run or the last one; nil before the first
	Steering  exchange.Control // the content of control.json for the current run
	Finish    *Finish          // set while the run finishes its open visits
	Restarts  int              // of this run after crashes, up to MaxRestarts
	Messages  []string         // errors of a loadgen that ended unexpectedly
}

// Active reports whether a run is in progress.
func (s Status) Active() bool { return s.Run != nil && s.Run.Open() }

// Finish is the progress of a run that finishes its open visits.
type Finish struct {
	By         time.Time `json:"by" doc:"When visits that are still open are cut off."`
	OpenVisits uint64    `json:"open_visits"`
}

// Operation is an operation in progress.
type Operation struct {
	// Name is start, rerun, stop, restart, apply, heal, recover or adopt.
	Name  string    `json:"name"`
	Since time.Time `json:"since"`
}

// Request selects what to start.
type Request struct {
	// Overrides are settings for this run only, by name, as JSON values.
	Overrides map[string]any
	// Note and Labels describe the run.
	Note   string
	Labels []string
	// RestartIfRunning stops a run in progress; without it, Start does nothing then.
	RestartIfRunning bool
	// Timeout is how long open visits of the stopped run have to finish; 0 is FinishTimeout.
	Timeout time.Duration
}

func (q Request) finishTimeout() time.Duration { return StopOptions{Timeout: q.Timeout}.timeout() }

// Draft is a configuration that is applied before it is saved.
type Draft struct {
	// Config are all settings that differ from the defaults, by name. Missing secrets are kept.
	Config map[string]any
	// Revision is that of the saved configuration it is based on, 0 for any.
	Revision int64
}

// Result is the result of an operation.
type Result struct {
	Restarted    bool          // a loadgen was started
	Unchanged    bool          // there was nothing to do
	VisitsCutOff uint64        // open visits that a stop cut off
	Saved        *setup.Config // the saved draft, nil if none was saved
	Warnings     problem.List  // failures that did not fail the operation
	Status       Status        // after the operation
	Message      string        // for people
}

// MaxRestarts limits the restarts after crashes within one run.
const MaxRestarts = 3

// BusyError is the error of an operation that is requested during another.
type BusyError struct {
	Operation Operation
	// done is closed when an operation that the controller started by itself has ended; nil for others.
	done <-chan struct{}
}

// Error implements error.
func (e *BusyError) Error() string {
	return fmt.Sprintf("%s has been in progress since %s; wait for it", e.Operation.Name,
		e.Operation.Since.Format(time.TimeOnly))
}

// Unwrap returns its kind.
func (e *BusyError) Unwrap() error { return fault.Busy }

// StartError is the error of a loadgen that did not start the plan.
type StartError struct {
	// Messages are its errors, the most important first, with setting, problem and fix.
	Messages []string
	// ExitCode is -1 if it still runs but did not report the plan.
	ExitCode int
	// RolledBack reports whether the previous settings were restored, with their run if there was one.
	RolledBack bool
}

// Error implements error.
func (e *StartError) Error() string {
	text := fmt.Sprintf("the loadgen ended with exit code %d", e.ExitCode)
	if e.ExitCode < 0 {
		text = "the loadgen did not report the new plan in time"
	}
	if e.RolledBack {
		text += "; the previous settings were restored"
	}
	if len(e.Messages) > 0 {
		text += ": " + strings.Join(e.Messages, "; ")
	}
	return text
}

// Unwrap returns its kind.
func (e *StartError) Unwrap() error { return fault.Conflict }

// Details returns the error with its first message only, and all messages.
func (e *StartError) Details() (string, problem.List) {
	short := *e
	short.Messages = short.Messages[:min(1, len(short.Messages))]
	var all problem.List
	for _, message := range e.Messages {
		all.Refuse("loadgen", "", message, "")
	}
	return short.Error(), all
}

// Errors that callers handle.
var (
	// ErrNoFiles: the files of a run that is to be started again were not kept.
	ErrNoFiles = fault.Conflict.New("the files of that run are not available, so it cannot be rerun; start a new " +
		"run with its settings")
	// ErrJob: a backfill is started again as a job.
	ErrJob = fault.Conflict.New("that run was a backfill; start it again as a job")
	// ErrNothingRuns: there is no run to steer.
	ErrNothingRuns = fault.Conflict.New("no run is in progress; start one first")
	// ErrStopped: the operation was canceled by a stop.
	ErrStopped = fault.Conflict.New("cancelled because a stop was requested")
)

// Identity is the ID and seed of a run.
type Identity = plan.Identity

// NewIdentity returns a new ID and seed.
func NewIdentity() Identity { return Identity{ID: runid.New(time.Now()), Seed: runid.NewSeed()} }

// Configuration returns the settings in published files by name, with secrets masked, and the kind of their run. A
// secret that was edited by hand to come from a file is masked too; only the loadgen reads that file.
func Configuration(files map[string][]byte) (config map[string]string, kind string) {
	config, _ = exchange.ParseEnv(exchange.EnvFile, files[exchange.EnvFile]) // EncodeEnv wrote it
	for _, f := range spec.Fields() {
		if f.Secret && config[f.Key]+config[f.Key+spec.FileSuffix] != "" {
			config[f.Key] = secret.Mask
			delete(config, f.Key+spec.FileSuffix)
		}
	}
	return config, runsummary.KindOf(func(setting string) bool { return config[setting] == "true" })
}

// Publisher publishes files to the exchange folder, all or none. See setup.Service.
type Publisher interface {
	// Start publishes the saved settings with overrides for a start and returns the identity of the run, which settings
	// without one take from drawn.
	Start(ctx context.Context, overrides map[string]any, drawn Identity) (Identity, error)
	// PublishRerun publishes the kept files of an earlier run for a start as id. The error can be a
	// *plan.MissingSecrets.
	PublishRerun(ctx context.Context, kept map[string][]byte, id Identity) error
	// StartAgain publishes another start of the last run.
	StartAgain(ctx context.Context) error
	// Steer writes control.json; Steering reads it.
	Steer(c exchange.Control) error
	Steering(runID string) exchange.Control
	// Stop publishes that a started loadgen idles.
	Stop(ctx context.Context) error
	// Publish publishes the saved settings without a start; SaveConfig saves settings first.
	Publish(ctx context.Context) error
	SaveConfig(ctx context.Context, values map[string]any, revision int64) (setup.Config, error)
	// Published returns the files of the last start; Restore writes them back.
	Published(ctx context.Context) (map[string][]byte, error)
	Restore(ctx context.Context, files map[string][]byte) error
}

// Probe reads the status of the loadgen at a telemetry URL. The error wraps launcher.ErrVersionMismatch if the loadgen
// has none.
type Probe func(ctx context.Context, telemetry string) (*status.Snapshot, error)
