// Package launcher defines how the controller runs loadgens: the states a loadgen can be in and the operations on it.
// Its subpackages docker and process implement Runtime and JobRuntime. It does not know settings, plans, runs or HTTP:
// the files of the exchange folder define what a loadgen does.
package launcher

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/fault"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/logline"
)

// State is the state of the loadgen's container or process.
type State string

// The states. A process is only ever Missing, Created, Running or Exited.
const (
	Running     State = "running"     // whether it sends traffic or idles is its phase
	Exited      State = "exited"      // ended by itself, was stopped or crashed; see ExitCode and Reason
	Created     State = "created"     // but never started
	Restarting  State = "restarting"  // by the engine
	Paused      State = "paused"      // by a person
	Dead        State = "dead"        // the engine failed to remove it and cannot start it
	Missing     State = "missing"     // does not exist
	Foreign     State = "foreign"     // the name belongs to a container that is not ours and is never touched
	Unavailable State = "unavailable" // the engine does not answer, so the state is unknown
)

// Status describes a loadgen. Times are UTC, and zero if unknown.
type Status struct {
	State State
	// ID, Name and Image identify it. For a process these are its process ID, program name and path.
	ID, Name, Image string
	Created         time.Time
	Started, Ended  time.Time
	// ExitCode is that of the last exit. After a signal it is 128 + the signal, as with Docker.
	ExitCode int
	// Reason explains the state to a person where it is not obvious, with the fix.
	Reason string
	// Healable reports whether Heal would fix something.
	Healable bool
	// Telemetry is the base URL of /metrics, /status and /healthz, as http://host:port; empty if unknown.
	Telemetry string
}

// ownExitCodes are the exit codes that a loadgen chooses itself, see docs/cli.md. Starting it again would only repeat
// them.
var ownExitCodes = []int{0, 1, 2, 3, 4, 5, 130}

// Crashed reports whether it ended unintentionally: killed, out of memory, or with the engine.
func (s Status) Crashed() bool {
	return s.State == Exited && !slices.Contains(ownExitCodes, s.ExitCode)
}

// Errors that calls return, besides those of the engine.
var (
	// ErrUnavailable: the engine does not answer.
	ErrUnavailable = fault.NoEngine.New("the container engine does not respond")
	// ErrMissing: there is no container and no image to create it from.
	ErrMissing = fault.Conflict.New("there is no loadgen")
	// ErrForeign: the name belongs to a container that is not ours.
	ErrForeign = fault.Conflict.New("that container is not ours")
	// ErrInvalidState: the state does not allow the operation; Heal may help.
	ErrInvalidState = fault.Conflict.New("the loadgen's state does not allow it")
	// ErrStillRunning: the previous process of a job, which a killed controller left, has not ended yet.
	ErrStillRunning = errors.New("the previous process of the job is still running")
	// ErrVersionMismatch: the loadgen does not support the controller's request.
	ErrVersionMismatch = fault.Conflict.New("the loadgen and the controller have different versions; build both from " +
		"the same source, or set LOADGEN_IMAGE or LOADGEN_BIN to this version")
	// ErrNothingToHeal: Heal has nothing to fix.
	ErrNothingToHeal = fault.Conflict.New("nothing needs repair")
)

// Loadgen is one loadgen: the main one, or that of a job. It is safe for concurrent use; the last of several concurrent
// changes wins. Errors wrap those above where they apply.
type Loadgen interface {
	LogReader
	// Status returns the loadgen's status. If the engine does not answer, the state is Unavailable.
	Status(ctx context.Context) Status
	// Start starts the loadgen, and creates it first if it is missing. It does nothing if the loadgen runs. A job that
	// ended resumes from its state folder.
	Start(ctx context.Context) error
	// Stop requests the loadgen to drain and kills it after timeout. It does nothing if the loadgen does not run.
	Stop(ctx context.Context, timeout time.Duration) error
}

// Runtime runs the main loadgen.
type Runtime interface {
	Loadgen
	// Name is "docker" or "process".
	Name() string
	// Heal fixes what Status calls healable, starts the loadgen and describes in a sentence what it did. A container
	// that it replaces is kept until the new one runs, and put back if the new one does not.
	Heal(ctx context.Context) (string, error)
	// Plan runs `loadgen plan` with args next to the loadgen, with files (by name) as its exchange folder, and returns
	// its output. It sends nothing and leaves nothing behind. Calls must not overlap. A plan that the loadgen rejects
	// is an exit code, not an error; too much output is ErrOutputTooLarge.
	Plan(ctx context.Context, files map[string][]byte, args ...string) (Output, error)
	// Close releases resources. Child processes are drained and stopped first; containers keep running.
	Close(ctx context.Context, timeout time.Duration) error
}

// JobRuntime runs further loadgens, each for a job that ends by itself. A job's ID consists of letters, digits, - and _
// and names its folders, see exchange.JobFolder; its files must be there before it starts. Its state folder is
// separate, because a loadgen closes all open ledgers in its folder. JobRuntime is safe for concurrent use with one
// caller per job.
type JobRuntime interface {
	// Job returns the loadgen of a job, and JobName its name, whether it exists or not.
	Job(id string) Loadgen
	JobName(id string) string
	// JobsDetached reports whether jobs keep running without the controller. If so, a missing job was removed by
	// somebody; otherwise it ended with its controller.
	JobsDetached() bool
	// RemoveJob removes an ended job with its log, but not its folders. It returns ErrInvalidState if the job runs,
	// and nil if it is missing.
	RemoveJob(ctx context.Context, id string) error
}

// JobName returns the name of a job's loadgen, given that of the main one.
func JobName(main, id string) string { return main + "-backfill-" + id }

// JobRunningError returns the ErrInvalidState of RemoveJob.
func JobRunningError(name string) error {
	return fmt.Errorf("%w: %s is still running; stop it first", ErrInvalidState, name)
}

// Environ returns the environment variables by which a loadgen finds its folders, reads the settings that the
// controller writes, and logs in the format that ParseLine parses.
func Environ(exchangeDir, stateDir string) []string {
	return []string{"EXCHANGE_DIR=" + exchangeDir, "STATE_DIR=" + stateDir,
		"LOADGEN_ENV_FILE=" + path.Join(exchangeDir, exchange.EnvFile), logline.Environ}
}

// Output is the output of a command of the loadgen.
type Output struct {
	Stdout []byte
	// Stderr is its standard error. Files of the exchange folder appear without their directory.
	Stderr   []Line
	ExitCode int
}

// MaxOutput is the maximum size of a command's output, in bytes.
const MaxOutput = 8 << 20

// ErrOutputTooLarge reports output of more than MaxOutput.
var ErrOutputTooLarge = errors.New("the loadgen's output exceeds 8 MiB")

// OutputWriter collects the output of a command. A stream that exceeds MaxOutput fails, which ends the command.
type OutputWriter struct{ Stdout, Stderr limitedBuffer }

// Overflowed reports whether a stream exceeded MaxOutput.
func (w *OutputWriter) Overflowed() bool { return w.Stdout.overflowed || w.Stderr.overflowed }

// Output returns what was collected; exchangeDir is the command's exchange folder.
func (w *OutputWriter) Output(exitCode int, exchangeDir string) Output {
	out, now := Output{Stdout: w.Stdout.data.Bytes(), ExitCode: exitCode}, time.Now()
	for line := range strings.Lines(strings.ReplaceAll(w.Stderr.data.String(), exchangeDir+"/", "")) {
		out.Stderr = append(out.Stderr, ParseLine(now, strings.TrimRight(line, "\r\n")))
	}
	return out
}

// limitedBuffer does not embed its buffer, because io.Copy would bypass Write.
type limitedBuffer struct {
	data       bytes.Buffer
	overflowed bool
}

// Write implements io.Writer.
func (b *limitedBuffer) Write(p []byte) (int, error) {
	if b.overflowed = b.overflowed || b.data.Len()+len(p) > MaxOutput; b.overflowed {
		return 0, ErrOutputTooLarge
	}
	return b.data.Write(p)
}
