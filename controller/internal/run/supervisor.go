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
	"github.com/puttrix/trafficinator/shared/runsummary"
)

// Repository is where runs are recorded, see store.Store.
type Repository interface {
	BeginRun(ctx context.Context, r record.Run) error
	EndRun(ctx context.Context, r record.Run) error
	MarkSteered(ctx context.Context, id string) error
	Run(ctx context.Context, id string) (record.Run, error)
	Runs(ctx context.Context, q record.Query) ([]record.Run, error)
	KeepFiles(ctx context.Context, id string, files map[string][]byte) error
	KeptFiles(ctx context.Context, id string) (map[string][]byte, error)
}

// Supervisor is what every kind of run has in common, from its first record to its last: live traffic, of which one run
// is running at a time, and backfill jobs. It is safe for concurrent use.
type Supervisor struct {
	Repository Repository
	// Ledger reads the ledger of a run, see summaries.Reader.
	Ledger func(runID string) (*runsummary.Summary, error)
	// TakeBaseline keeps what the targets' sites show before a run that is recorded sends anything; nil keeps nothing.
	TakeBaseline func(ctx context.Context, runID string)
	Log          *slog.Logger

	mu         sync.Mutex            // orders what is written, and guards what follows
	unrecorded map[string]record.Run // what could not be written, by id
}

// Begin records a run with the files it is started with, takes the baseline of its targets and starts its loadgen. The
// errors are those of start.
func (s *Supervisor) Begin(ctx context.Context, r record.Run, files map[string][]byte,
	start func(context.Context) error) error {
	_ = s.Record(ctx, r) // it is tried again
	kept, err := plan.Archive(files)
	if err == nil {
		err = s.Repository.KeepFiles(context.WithoutCancel(ctx), r.ID, kept)
	}
	if err != nil {
		s.Log.WarnContext(ctx, "the files of the run cannot be kept, so that it cannot be started again", "run_id",
			r.ID, "err", err)
	}
	if s.TakeBaseline != nil {
		s.TakeBaseline(ctx, r.ID)
	}
	return start(ctx)
}

// Restarts tells whether the loadgen of a run, which stands as l says, crashed and is to be started again; it counts
// these starts.
func (s *Supervisor) ShouldRestart(runID string, l launcher.Status, restarts *int) bool {
	if !l.Crashed() || *restarts >= MaxRestarts {
		return false
	}
	*restarts++
	s.Log.Warn("the loadgen crashed; it is started again", "run_id", runID, "exit_code", l.ExitCode,
		"restart", *restarts)
	return true
}

// recordTimeout bounds the reading of a log by an engine that may hang.
const recordTimeout = 10 * time.Second

// Close records the end of a run whose loadgen stands as l says: by its ledger, else by instead, else by l. logs, nil
// for none, is what its problems are read from. The error is that of Record.
func (s *Supervisor) Close(ctx context.Context, r *record.Run, l launcher.Status, instead string, logs Logs) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	ledger, err := s.Ledger(r.ID)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.Log.ErrorContext(ctx, "the ledger cannot be read", "run_id", r.ID, "err", err)
	}
	if logs != nil {
		if r.Problems, err = logs.Problems(ctx, r.Started); err != nil {
			s.Log.WarnContext(ctx, "the problems of the run cannot be kept", "run_id", r.ID, "err", err)
		}
	}
	setEnd(r, ledger, l, instead)
	err = s.Record(ctx, *r)
	s.Log.InfoContext(ctx, "run ended", "run_id", r.ID, "kind", r.Kind, "reason", r.Reason, "exit_code", *r.ExitCode)
	return err
}

// end sets when and why a run ended. It does not end before it started, even where the wall clock was set back
// meanwhile.
func setEnd(r *record.Run, ledger *runsummary.Summary, l launcher.Status, instead string) {
	at, reason := endOf(ledger, l, instead)
	if at.Before(r.Started) {
		at = r.Started
	}
	r.Ended, r.Reason, r.ExitCode, r.Summary = &at, reason, new(exitCode(l, reason)), ledger
	if ledger != nil && ledger.Ended.IsZero() {
		r.Summary = summaries.CloseKilled(ledger, at)
		r.Summary.Reason = reason
	}
}

// Record writes a run as it stands. What cannot be written, because the disk is full, ends no run: it is kept and tried
// again by RecordAgain.
func (s *Supervisor) Record(ctx context.Context, r record.Run) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.store(context.WithoutCancel(ctx), r)
	if err == nil {
		delete(s.unrecorded, r.ID)
		return nil
	}
	s.Log.ErrorContext(ctx, "the run cannot be recorded; it is tried again", "run_id", r.ID, "ended", !r.Open(),
		"err", err)
	if s.unrecorded == nil {
		s.unrecorded = map[string]record.Run{}
	}
	s.unrecorded[r.ID] = r
	return fmt.Errorf("record run %s: %w", r.ID, err)
}

// RecordAgain tries to write what could not be recorded.
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
