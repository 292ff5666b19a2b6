// Package launcher owns the port through which the controller keeps one loadgen alive: what states it can be in and
// what can be asked of it. Its folders docker and process hold the two ways. It knows nothing of settings, plans, runs
// or HTTP: what a loadgen does with its life is read from the exchange folder.
package launcher

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/fault"
)

// State is what the loadgen's container or process is in.
type State string

// The states. A process is only ever Missing, Created, Running, Restarting or Exited.
const (
	// Running: it lives; whether it sends traffic or idles is told by its phase.
	Running State = "running"
	// Exited: it ended, by itself, by a stop or by a crash; see ExitCode and Reason.
	Exited State = "exited"
	// Created: it was made and never started.
	Created State = "created"
	// Restarting: it is being started again after an end.
	Restarting State = "restarting"
	// Paused: it is frozen by somebody else.
	Paused State = "paused"
	// Dead: the engine failed to remove it and cannot start it.
	Dead State = "dead"
	// Missing: there is none.
	Missing State = "missing"
	// Foreign: something of that name is there that is not ours, and is left alone.
	Foreign State = "foreign"
	// Unavailable: the engine does not answer, so nothing is known.
	Unavailable State = "unavailable"
)

// Status is a loadgen as it stands. Times are UTC and zero where unknown.
type Status struct {
	State State
	// ID, Name and Image tell which; for a process these are its process id, program and path.
	ID, Name, Image string
	Created         time.Time
	Started, Ended  time.Time
	// ExitCode is that of the last end; of a process that a signal ended it is 128 + the signal, as Docker tells it.
	ExitCode int
	// Reason explains the state to a person where it does not speak for itself, with the cure.
	Reason string
	// Healable says that Heal would put something right.
	Healable bool
	// Telemetry is the base address of its /metrics and /healthz, as http://host:port; empty where unknown.
	Telemetry string
}

// namedExits are the ends that a loadgen chooses itself, see docs/cli.md; starting again would only
// repeat them.
var namedExits = []int{0, 1, 2, 3, 4, 5, 130}

// Crashed reports whether it ended without choosing to: killed, out of memory, or with the engine.
func (s Status) Crashed() bool { return s.State == Exited && !slices.Contains(namedExits, s.ExitCode) }

// LogQuery chooses lines of the log. The zero value is all there is.
type LogQuery struct {
	// Since leaves out what was written earlier.
	Since time.Time
	// Tail is how many of the last lines that match are given; 0 is all.
	Tail int
	// Follow goes on with new lines until the context is done. A loadgen that ends ends the following.
	Follow bool
	// Level leaves out lines that are surely less severe, Texts those without all of these texts in any case; empty is
	// all.
	Level Level
	Texts []string
}

// Matches reports whether the query asks for the line.
func (q LogQuery) Matches(l Line) bool {
	if !l.Level.AtLeast(q.Level) || l.Time.Before(q.Since) {
		return false
	}
	text := strings.ToLower(l.Text)
	return !slices.ContainsFunc(q.Texts, func(t string) bool { return !strings.Contains(text, strings.ToLower(t)) })
}

// The ways in which a call can fail beyond those of the engine.
var (
	// ErrUnavailable: the engine does not answer.
	ErrUnavailable = fault.NoEngine.New("the container engine does not answer")
	// ErrMissing: there is no container, and no image to make it from.
	ErrMissing = fault.Conflict.New("there is no loadgen")
	// ErrForeign: the name is taken by something that is not ours.
	ErrForeign = fault.Conflict.New("that container is not ours")
	// ErrInvalidState: the state does not allow it; Heal may help.
	ErrInvalidState = fault.Conflict.New("the loadgen's state does not allow it")
	// ErrStillRunning: an earlier life of a job has not ended yet; it can be started when it has.
	ErrStillRunning = errors.New("an earlier life of the job has not ended yet")
	// ErrVersionMismatch: the loadgen does not know what the controller asks it for.
	ErrVersionMismatch = fault.Conflict.New(
		"the loadgen is of another version than the controller; build both from the same " +
			"source, or name the image of this version in LOADGEN_IMAGE, or its program in LOADGEN_BIN",
	)
	// ErrNothingToHeal: there is nothing to heal.
	ErrNothingToHeal = fault.Conflict.New("there is nothing to heal")
)

// Port is a way to keep one loadgen. It is safe for concurrent use; who changes the state from several places at once
// gets one of the orders. Each error wraps one of the above where it fits.
type Runtime interface {
	// Name is "docker" or "process".
	Name() string
	// Status tells how the loadgen stands. An engine that does not answer is the state Unavailable, not an error.
	Status(ctx context.Context) Status
	// Start starts the loadgen and makes it first where it is missing. One that runs already is left alone.
	Start(ctx context.Context) error
	// Stop asks it to drain and kills it when it has not ended after timeout. One that does not run is left alone.
	Stop(ctx context.Context, timeout time.Duration) error
	// Restart is a Stop and a Start.
	Restart(ctx context.Context, timeout time.Duration) error
	// Heal puts right what Status calls healable and tells what it did, as a sentence. The loadgen runs afterwards, so
	// that it is known to; what it replaces is kept until then, and put back where the successor does not run.
	Heal(ctx context.Context) (string, error)
	// Logs calls each with the lines of the log, oldest first, until there are none left, ctx is done (no error) or
	// each returns an error, which is returned.
	Logs(ctx context.Context, q LogQuery, each func(Line) error) error
	// Plan runs the loadgen's own plan command with args beside the kept one, with files (by their names) as its
	// exchange folder, and gives what it prints. Nothing is sent, nothing is left behind. One runs at a time. It may be
	// ErrTooMuch; faults that the loadgen finds are an exit code, not an error.
	Plan(ctx context.Context, files map[string][]byte, args ...string) (Printed, error)
	// Close releases what the port holds; a child process is drained and ended first, a container goes on.
	Close(ctx context.Context, timeout time.Duration) error
}
