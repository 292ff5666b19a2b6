package run

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/fault"
	"github.com/puttrix/trafficinator/controller/internal/launcher"
	"github.com/puttrix/trafficinator/controller/internal/record"
	"github.com/puttrix/trafficinator/controller/internal/setup/plan"
	"github.com/puttrix/trafficinator/controller/internal/summaries"
	"github.com/puttrix/trafficinator/shared/endreason"
	"github.com/puttrix/trafficinator/shared/exitcode"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

// Repository stores runs, see store.Store.
type Repository interface {
	BeginRun(ctx context.Context, r record.Run) error
	EndRun(ctx context.Context, r record.Run) error
	MarkSteered(ctx context.Context, id string) error
	Run(ctx context.Context, id string) (record.Run, error)
	Runs(ctx context.Context, q record.Query) ([]record.Run, error)
	KeepFiles(ctx context.Context, id string, files map[string][]byte) error
	KeptFiles(ctx context.Context, id string) (map[string][]byte, error)
}

// Supervisor records runs of every kind, live traffic and backfill jobs, from start to end. It is safe for concurrent
// use.
type Supervisor struct {
	Repository Repository
	// Ledger reads the ledger of a run, see summaries.Reader.
	Ledger func(runID string) (*runsummary.Summary, error)
	// TakeBaseline stores what Matomo shows for the targets before the run sends anything; nil stores nothing.
	TakeBaseline func(ctx context.Context, runID string)
	Log          *slog.Logger

	mu         sync.Mutex            // orders writes, and guards unrecorded
	unrecorded map[string]record.Run // failed writes, by ID
}

// Begin records a run and its files, takes the baseline of its targets and starts its loadgen. Errors are those of
// start.
func (s *Supervisor) Begin(ctx context.Context, r record.Run, files map[string][]byte,
	start func(context.Context) error) error {
	_ = s.Record(ctx, r) // is retried
	kept, err := plan.Archive(files)
	if err == nil {
		err = s.Repository.KeepFiles(context.WithoutCancel(ctx), r.ID, kept)
	}
	if err != nil {
		s.Log.WarnContext(ctx, "cannot save the files of the run; it cannot be rerun", "run_id", r.ID,
			"err", err)
	}
	if s.TakeBaseline != nil {
		s.TakeBaseline(ctx, r.ID)
	}
	return start(ctx)
}

// ShouldRestart reports whether the loadgen of a run, with status l, crashed and must be restarted, and counts these
// restarts.
func (s *Supervisor) ShouldRestart(runID string, l launcher.Status, restarts *int) bool {
	if !l.Crashed() || *restarts >= MaxRestarts {
		return false
	}
	*restarts++
	s.Log.Warn("the loadgen crashed; restarting it", "run_id", runID, "exit_code", l.ExitCode,
		"restart", *restarts)
	return true
}

// recordTimeout limits reading a log from an engine that may hang.
const recordTimeout = 10 * time.Second

// Close records the end of a run, see endOf; l is the status of its loadgen. Its problems are read from logs, nil for
// none. The error is that of Record.
func (s *Supervisor) Close(ctx context.Context, r *record.Run, l launcher.Status, fallback string,
	logs launcher.LogReader) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	ledger, err := s.Ledger(r.ID)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.Log.ErrorContext(ctx, "cannot read the ledger", "run_id", r.ID, "err", err)
	}
	if logs != nil {
		if r.Problems, err = problems(ctx, logs, r.Started); err != nil {
			s.Log.WarnContext(ctx, "cannot save the log problems of the run", "run_id", r.ID, "err", err)
		}
	}
	setEnd(r, ledger, l, fallback)
	err = s.Record(ctx, *r)
	s.Log.InfoContext(ctx, "run ended", "run_id", r.ID, "kind", r.Kind, "reason", r.Reason, "exit_code", *r.ExitCode)
	return err
}

// setEnd sets the end of a run, which is never before its start, even if the wall clock was set back.
func setEnd(r *record.Run, ledger *runsummary.Summary, l launcher.Status, fallback string) {
	at, reason := endOf(ledger, l, fallback)
	if at.Before(r.Started) {
		at = r.Started
	}
	r.Ended, r.Reason, r.ExitCode, r.Summary = &at, reason, new(exitCode(l, reason)), ledger
	if ledger != nil && ledger.Ended.IsZero() {
		r.Summary = summaries.CloseKilled(ledger, at)
		r.Summary.Reason = reason
	}
}

// exitCode returns the exit code of a loadgen, or the usual one of the reason if the container is gone.
func exitCode(l launcher.Status, reason string) int {
	switch {
	case l.ExitCode != 0 || l.State == launcher.Exited:
		return l.ExitCode
	case reason == string(endreason.Interrupted) || reason == string(endreason.Cancelled):
		return exitcode.Interrupted
	case reason == string(endreason.Killed) || reason == string(endreason.Removed):
		return exitcode.Killed
	default:
		return exitcode.OK
	}
}

// endOf returns when and why a run ended: by its ledger, otherwise for the fallback reason, otherwise by the status of
// its loadgen.
func endOf(ledger *runsummary.Summary, l launcher.Status, fallback string) (time.Time, string) {
	at := l.Ended
	if at.IsZero() {
		at = time.Now().UTC()
	}
	switch {
	case ledger != nil && !ledger.Ended.IsZero():
		return ledger.Ended, ledger.Reason
	case fallback != "":
		return at, fallback
	case l.Crashed():
		return at, string(endreason.Crashed)
	case l.State == launcher.Missing || l.State == launcher.Foreign:
		return at, string(endreason.Removed)
	case l.State == launcher.Exited:
		return at, string(endreason.Failed)
	default:
		return at, string(endreason.Killed)
	}
}

// Record writes a run. A failed write, for example to a full disk, does not end the run; RecordAgain retries it.
func (s *Supervisor) Record(ctx context.Context, r record.Run) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.store(context.WithoutCancel(ctx), r)
	if err == nil {
		delete(s.unrecorded, r.ID)
		return nil
	}
	s.Log.ErrorContext(ctx, "cannot record the run; retrying", "run_id", r.ID, "ended", !r.Open(),
		"err", err)
	if s.unrecorded == nil {
		s.unrecorded = map[string]record.Run{}
	}
	s.unrecorded[r.ID] = r
	return fmt.Errorf("record run %s: %w", r.ID, err)
}

// RecordAgain retries failed writes.
func (s *Supervisor) RecordAgain(ctx context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(s.unrecorded)) {
		if s.store(ctx, s.unrecorded[id]) == nil {
			s.Log.InfoContext(ctx, "the run is recorded now", "run_id", id)
			delete(s.unrecorded, id)
		}
	}
}

func (s *Supervisor) store(ctx context.Context, r record.Run) error {
	if r.Open() {
		return s.Repository.BeginRun(ctx, r)
	}
	err := s.Repository.EndRun(ctx, r)
	if errors.Is(err, fault.NotFound) { // its start could not be recorded either
		if err = s.Repository.BeginRun(ctx, r); err == nil {
			err = s.Repository.EndRun(ctx, r)
		}
	}
	return err
}

// maxErrorLines limits the lines of ErrorLines.
const maxErrorLines = 20

// ErrorLines returns the errors that a loadgen logged since a time, or its last lines if there are none.
func ErrorLines(ctx context.Context, log launcher.LogReader, since time.Time) []string {
	ctx, cancel := context.WithTimeout(ctx, recordTimeout)
	defer cancel()
	var errorLines, last []string
	err := log.Logs(ctx, launcher.LogQuery{Since: since}, func(line launcher.Line) error {
		if line.Level == launcher.Error {
			if len(errorLines) < maxErrorLines {
				errorLines = append(errorLines, line.Message)
			}
			return nil
		}
		last = append(last, line.Text)
		last = last[max(0, len(last)-3):]
		return nil
	})
	switch {
	case len(errorLines) > 0:
		return errorLines
	case err != nil && len(last) == 0:
		return []string{"its log cannot be read: " + err.Error()}
	default:
		return last
	}
}

// maxProblems is how many log lines are kept with a run: half from its beginning, half from its end.
const maxProblems = 50

// problems returns the warnings and errors logged since a time; with an error, those that could be read.
func problems(ctx context.Context, log launcher.LogReader, since time.Time) (problems []record.Problem, err error) {
	var last []record.Problem
	err = log.Logs(ctx, launcher.LogQuery{Since: since, Level: launcher.Warning}, func(line launcher.Line) error {
		p := record.Problem{Time: line.Time, Level: string(line.Level), Text: line.Message}
		switch {
		case line.Level == launcher.NoLevel:
		case len(problems) < maxProblems/2:
			problems = append(problems, p)
		default:
			last = append(last, p)
			last = last[max(0, len(last)-maxProblems/2):]
		}
		return nil
	})
	return append(problems, last...), err
}
