package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// Run is one run of the loadgen.
type Run struct {
	ID string
	// Kind is what sort of run it is; there is "live" so far.
	Kind string
	Seed uint64
	// Config is the exact configuration as JSON, secrets masked.
	Config   json.RawMessage
	PlanHash string
	Started  time.Time
	// Ended is zero while the run goes on, Reason empty.
	Ended  time.Time
	Reason string
	// Summary is the final ledger as the loadgen wrote it, nil until there is one.
	Summary json.RawMessage
}

type runRow struct {
	ID        string `db:"id"`
	Kind      string `db:"kind"`
	Seed      int64  `db:"seed"` // SQLite has no unsigned numbers; the bits are kept
	Config    string `db:"config"`
	PlanHash  string `db:"plan_hash"`
	StartedAt stamp  `db:"started_at"`
	EndedAt   stamp  `db:"ended_at"`
	Reason    string `db:"reason"`
	Summary   string `db:"summary"`
}

func (r runRow) run() Run {
	out := Run{
		ID: r.ID, Kind: r.Kind, Seed: uint64(r.Seed), Config: json.RawMessage(r.Config), PlanHash: r.PlanHash,
		Started: r.StartedAt.Time, Ended: r.EndedAt.Time, Reason: r.Reason,
	}
	if r.Summary != "" {
		out.Summary = json.RawMessage(r.Summary)
	}
	return out
}

const selectRuns = "SELECT id, kind, seed, config, plan_hash, started_at, ended_at, reason, summary FROM runs "

// BeginRun records a run that began. A run that goes on under its id keeps its first start and is open again.
func (s *Store) BeginRun(ctx context.Context, r Run) error {
	err := s.one(ctx, `INSERT INTO runs (id, kind, seed, config, plan_hash, started_at, ended_at, reason, summary) VALUES (?, ?, ?, ?, ?, ?, NULL, '', '')
		ON CONFLICT (id) DO UPDATE SET seed = excluded.seed, config = excluded.config, plan_hash = excluded.plan_hash, ended_at = NULL, reason = ''`,
		r.ID, r.Kind, int64(r.Seed), string(r.Config), r.PlanHash, stamp{r.Started})
	if err != nil {
		return fmt.Errorf("record start of run %s: %w", r.ID, err)
	}
	return nil
}

// EndRun records the end of a run; summary may be nil where no ledger was found. The error is ErrNotFound for a run
// that never began.
func (s *Store) EndRun(ctx context.Context, id string, ended time.Time, reason string, summary json.RawMessage) error {
	if err := s.one(ctx, "UPDATE runs SET ended_at = ?, reason = ?, summary = ? WHERE id = ?", stamp{ended}, reason, string(summary), id); err != nil {
		return fmt.Errorf("record end of run %s: %w", id, err)
	}
	return nil
}

// Run reads one, or says ErrNotFound.
func (s *Store) Run(ctx context.Context, id string) (Run, error) {
	var r runRow
	if err := s.read.GetContext(ctx, &r, selectRuns+"WHERE id = ?", id); err != nil {
		return Run{}, fmt.Errorf("read run %s: %w", id, told(err))
	}
	return r.run(), nil
}

// Runs are at most limit runs, the latest start first, beginning after the first skip of them.
func (s *Store) Runs(ctx context.Context, skip, limit int) ([]Run, error) {
	var rows []runRow
	if err := s.read.SelectContext(ctx, &rows, selectRuns+"ORDER BY started_at DESC, id DESC LIMIT ? OFFSET ?", limit, skip); err != nil {
		return nil, fmt.Errorf("list runs: %w", err)
	}
	return runsOf(rows), nil
}

// OpenRuns are the runs of which no end is recorded, the latest start first.
func (s *Store) OpenRuns(ctx context.Context) ([]Run, error) {
	var rows []runRow
	if err := s.read.SelectContext(ctx, &rows, selectRuns+"WHERE ended_at IS NULL ORDER BY started_at DESC, id DESC"); err != nil {
		return nil, fmt.Errorf("list open runs: %w", err)
	}
	return runsOf(rows), nil
}

func runsOf(rows []runRow) []Run {
	out := make([]Run, len(rows))
	for i, r := range rows {
		out[i] = r.run()
	}
	return out
}
