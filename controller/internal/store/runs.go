package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// Run is one run of a loadgen.
type Run struct {
	ID string
	// Kind is one of package record.
	Kind string
	Seed uint64
	// Config is the exact configuration as JSON, secrets masked.
	Config   json.RawMessage
	PlanHash string
	Started  time.Time
	// Ended is zero while the run goes on, Reason empty.
	Ended  time.Time
	Reason string
	// ExitCode is nil until there is one.
	ExitCode *int
	// Summary is the final ledger as the loadgen wrote it, nil until there is one.
	Summary json.RawMessage
	// Note and Labels are a person's.
	Note   string
	Labels []string
	// Problems are warnings and errors of the log as JSON; who writes them owns their form.
	Problems json.RawMessage
	// Steered says that it was paused or its rate changed while it went on.
	Steered bool
	// Deleted is when it was deleted; zero else.
	Deleted time.Time
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
	ExitCode  *int   `db:"exit_code"`
	Summary   string `db:"summary"`
	Note      string `db:"note"`
	Labels    string `db:"labels"`
	Problems  string `db:"problems"`
	Steered   bool   `db:"steered"`
	DeletedAt stamp  `db:"deleted_at"`
}

func (r runRow) run() (Run, error) {
	out := Run{
		ID: r.ID, Kind: r.Kind, Seed: uint64(r.Seed), Config: json.RawMessage(r.Config), PlanHash: r.PlanHash,
		Started: r.StartedAt.Time, Ended: r.EndedAt.Time, Reason: r.Reason, ExitCode: r.ExitCode,
		Note: r.Note, Problems: json.RawMessage(r.Problems), Steered: r.Steered, Deleted: r.DeletedAt.Time,
	}
	if r.Summary != "" {
		out.Summary = json.RawMessage(r.Summary)
	}
	if err := json.Unmarshal([]byte(r.Labels), &out.Labels); err != nil {
		return out, fmt.Errorf("read labels of run %s: %w", r.ID, err)
	}
	return out, nil
}

const selectRuns = "SELECT id, kind, seed, config, plan_hash, started_at, ended_at, reason, exit_code, summary, " +
	"note, labels, problems, steered, deleted_at FROM runs "

// BeginRun records a run that began. A run that goes on under its id keeps its first start, its note and its labels,
// and is open again.
func (s *Store) BeginRun(ctx context.Context, r Run) error {
	labels, err := labelsText(r.Labels)
	if err == nil {
		err = s.one(
			ctx,
			`INSERT INTO runs (id, kind, seed, config, plan_hash, started_at, ended_at, reason, summary, note, labels)
			VALUES (?, ?, ?, ?, ?, ?, NULL, '', '', ?, ?)
			ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, seed = excluded.seed, config = excluded.config,
				plan_hash = excluded.plan_hash, ended_at = NULL, reason = '', exit_code = NULL, summary = '',
				problems = '[]', deleted_at = NULL`,
			r.ID,
			r.Kind,
			int64(r.Seed),
			string(r.Config),
			r.PlanHash,
			stamp{r.Started},
			r.Note,
			labels,
		)
	}
	if err != nil {
		return fmt.Errorf("record start of run %s: %w", r.ID, err)
	}
	return nil
}

func labelsText(labels []string) (string, error) {
	data, err := json.Marshal(append([]string{}, labels...))
	return string(data), err
}

// EndRun records what r tells of its end: Kind, Ended, Reason, ExitCode, Summary (nil where no ledger was found) and
// Problems. The error is ErrNotFound for a run that never began.
func (s *Store) EndRun(ctx context.Context, r Run) error {
	problems := string(r.Problems)
	if problems == "" {
		problems = "[]"
	}
	err := s.one(ctx, "UPDATE runs SET kind = ?, ended_at = ?, reason = ?, exit_code = ?, summary = ?, problems = "+
		"? WHERE id = ?",
		r.Kind, stamp{r.Ended}, r.Reason, r.ExitCode, string(r.Summary), problems, r.ID)
	if err != nil {
		return fmt.Errorf("record end of run %s: %w", r.ID, err)
	}
	return nil
}

// DescribeRun writes a person's note and labels; nil leaves them as they are. The error is ErrNotFound.
func (s *Store) DescribeRun(ctx context.Context, id string, note *string, labels []string) error {
	var text *string
	if labels != nil {
		data, err := labelsText(labels)
		if err != nil {
			return fmt.Errorf("describe run %s: %w", id, err)
		}
		text = &data
	}
	err := s.one(ctx, "UPDATE runs SET note = coalesce(?, note), labels = coalesce(?, labels) WHERE id = ? AND "+
		"deleted_at IS NULL", note, text, id)
	if err != nil {
		return fmt.Errorf("describe run %s: %w", id, err)
	}
	return nil
}

// MarkSteered records that a run was paused or its rate changed. The error is ErrNotFound.
func (s *Store) MarkSteered(ctx context.Context, id string) error {
	if err := s.one(ctx, "UPDATE runs SET steered = 1 WHERE id = ?", id); err != nil {
		return fmt.Errorf("record that run %s was steered: %w", id, err)
	}
	return nil
}

// Run reads one that is not deleted, or says ErrNotFound.
func (s *Store) Run(ctx context.Context, id string) (Run, error) {
	var r runRow
	if err := s.read.GetContext(ctx, &r, selectRuns+"WHERE id = ? AND deleted_at IS NULL", id); err != nil {
		return Run{}, fmt.Errorf("read run %s: %w", id, told(err))
	}
	return r.run()
}
