// Package run owns the life of a run: it draws its id, has its settings published, has the loadgen started and
// stopped, knows by the loadgen's own word that the plan runs, and books the end. One operation goes on at a time. It
// knows neither HTTP nor containers nor what a setting means.
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
	"github.com/puttrix/trafficinator/shared/status"
)

// Status is what a person wants to know at a pollInterval. It is a snapshot, at most about a second old, so that asking
// for it never waits for an engine.
type Status struct {
	// Runtime is "docker" or "process", and RuntimeReason says why, and which engine it is.
	Runtime, RuntimeReason string
	Loadgen                launcher.Status
	// Since is when the loadgen that runs was started, by the clock of this process, which nobody sets; zero where none
	// runs.
	Since time.Time
	// Phase is the loadgen's own: idle, running, paused, draining or ended; empty while it does not answer.
	Phase phase.Phase
	// Pause is why new visits pause, one of package metric; empty where they do not.
	Pause string
	// Operation is what is being done, nil for nothing.
	Operation *Operation
	// Run is the run that goes on, or the last one; nil before the first.
	Run *record.Run
	// Steering is what the run is wanted to do while it goes on.
	Steering exchange.Control
	// Finish tells of the open visits of a run that was asked to finish them; nil else.
	Finish *Finish
	// Restarts counts the starts after crashes of this run, at most MaxRestarts.
	Restarts int
	// Messages are the problems the loadgen told when it ended in a way nobody asked for.
	Messages []string
}

// Active tells whether traffic is sent or about to be.
func (s Status) Active() bool { return s.Run != nil && s.Run.Open() }

// Finish is how far a run is that finishes its open visits.
type Finish struct {
	By         time.Time `json:"by" doc:"When visits that are still open are cut off."`
	OpenVisits uint64    `json:"open_visits"`
}

// Operation is something being done that takes a while.
type Operation struct {
	// Name is start, rerun, stop, restart, apply or heal.
	Name  string    `json:"name"`
	Since time.Time `json:"since"`
}

// Request says what to start.
type Request struct {
	// Overrides are settings by their env names for this run alone, as JSON has them; they are not saved.
	Overrides map[string]any
	// Note and Labels describe the run.
	Note   string
	Labels []string
	// RestartIfRunning ends a run that goes on; without it a Start leaves it alone.
	RestartIfRunning bool
	// Timeout is how long open visits of a run that has to end may take to end; 0 is FinishTimeout.
	Timeout time.Duration
}

// Draft is a configuration that is applied before it is saved.
type Draft struct {
	// Config are all settings that differ from their default, by env name; secrets that are left out stay.
	Config map[string]any
	// Revision is that of the saved configuration that it was made of, 0 for any.
	Revision int64
}

func (q Request) finishTimeout() time.Duration { return StopOptions{Timeout: q.Timeout}.timeout() }

// Result is what an operation came to.
type Result struct {
	// Restarted says that a loadgen was started for it.
	Restarted bool
	// Already says that there was nothing to do: it ran, or did not.
	Unchanged bool
	// Cut is how many open visits a stop has cut off.
	VisitsCutOff uint64
	// Saved is the draft as it was saved, nil where none was.
	Saved *setup.Config
	// Warnings are what failed beside.
	Warnings problem.List
	Status   Status
	// Message is a sentence for a person.
	Message string
}

// MaxRestarts is how often a crash is answered by a start within one run.
const MaxRestarts = 3

// Busy is the error of an operation that is asked for while another goes on.
type BusyError struct {
	Operation Operation
	// brief is closed at the end of an operation that the controller began by itself; nil for others.
	ownOperation <-chan struct{}
}

// Error implements error.
func (b *BusyError) Error() string {
	return fmt.Sprintf("%s is going on since %s; wait for it", b.Operation.Name,
		b.Operation.Since.Format(time.TimeOnly))
}

// Unwrap is its kind.
func (b *BusyError) Unwrap() error { return fault.Busy }

// Failed is the error of a loadgen that did not come up with the plan.
type StartError struct {
	// Messages are what it told, most telling first; they name the setting, the fault and the cure.
	Messages []string
	// ExitCode is its last one; -1 while it still runs without having said that it runs the plan.
	ExitCode int
	// RolledBack says that the previous settings were published and, where a run went on, started again.
	RolledBack bool
}

// Error implements error.
func (f *StartError) Error() string {
	text := fmt.Sprintf("the loadgen ended with exit code %d", f.ExitCode)
	if f.ExitCode < 0 {
		text = "the loadgen did not report the new plan in time"
	}
	if f.RolledBack {
		text += "; the previous settings are in force again"
	}
	if len(f.Messages) > 0 {
		text += ": " + strings.Join(f.Messages, "; ")
	}
	return text
}

// Unwrap is its kind.
func (f *StartError) Unwrap() error { return fault.Conflict }

// Details are what went wrong with the first message, and each of them.
func (f *StartError) Details() (string, problem.List) {
	short := *f
	short.Messages = short.Messages[:min(1, len(short.Messages))]
	var each problem.List
	for _, message := range f.Messages {
		each.Refuse("loadgen", "", message, "")
	}
	return short.Error(), each
}

// The errors on which a caller may branch.
var (
	// ErrNoFiles: nothing is kept of a run that was to be started again.
	ErrNoFiles = fault.Conflict.New("no files are kept of that run, so that it cannot be started again as it was; " +
		"start a new one with its settings")
	// ErrJob: a backfill is no run of the loadgen that is kept here.
	ErrJob = fault.Conflict.New("that was a backfill; start it again as a job")
	// ErrNothingRuns: there is no run that could be steered.
	ErrNothingRuns = fault.Conflict.New("no run goes on; start one first")
)

// Identity fixes a run.
type Identity = plan.Identity

// Publisher is what a Manager needs of publishing. Every call writes files whole or not at all.
type Publisher interface {
	// Start publishes the saved settings with overrides for a start, and returns the run that they make: its id and
	// seed are those of the settings, else those of drawn.
	Start(ctx context.Context, overrides map[string]any, drawn Identity) (Identity, error)
	// PublishRerun publishes what Supervisor.Begin kept of an earlier run for a start under id. The error may be a
	// *plan.MissingSecrets.
	PublishRerun(ctx context.Context, kept map[string][]byte, id Identity) error
	// StartAgain publishes that the run that was started last is started once more.
	StartAgain(ctx context.Context) error
	// Steer publishes what a run that goes on is wanted to do, and Steering reads it.
	Steer(c exchange.Control) error
	Steering(runID string) exchange.Control
	// Stop publishes that the loadgen shall idle when it is started; everything else stays.
	Stop(ctx context.Context) error
	// Publish publishes the saved settings without starting anything, and SaveConfig saves others and publishes them,
	// see setup.Service.
	Publish(ctx context.Context) error
	SaveConfig(ctx context.Context, values map[string]any, revision int64) (setup.Config, error)
	// Published reads the files of the plan that was started last, and Restore writes them again.
	Published(ctx context.Context) (map[string][]byte, error)
	Restore(ctx context.Context, files map[string][]byte) error
}

// Probe asks a loadgen what it is doing. The error wraps launcher.ErrVersionMismatch where it cannot be asked by this
// controller.
type Probe func(ctx context.Context, telemetry string) (LoadgenStatus, error)

// Plan is what a loadgen says of itself.
type LoadgenStatus struct {
	Hash, RunID string
	Phase       phase.Phase
	// Pause is why new visits pause, one of package metric; empty where they do not.
	Pause      string
	OpenVisits uint64
	// FinishBy is when open visits are cut off, zero where it was not asked to finish them.
	FinishBy time.Time
	// Status is all that it says; nil where it does not answer.
	Status *status.Snapshot
}

// StatusOf is what a status says in short.
func StatusOf(s *status.Snapshot) LoadgenStatus {
	return LoadgenStatus{Hash: s.Run.PlanHash, RunID: s.Run.RunID, Phase: s.Phase, Pause: s.Pause,
		OpenVisits: s.Run.OpenVisits, FinishBy: s.Run.FinishBy, Status: s}
}
