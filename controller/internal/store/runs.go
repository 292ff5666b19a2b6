package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/record"
	"github.com/puttrix/trafficinator/controller/internal/summaries"
)

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
}

func (r runRow) run() record.Run {
	out := record.Run{Head: record.Head{
		ID: r.ID, Kind: r.Kind, Seed: uint64(r.Seed), PlanHash: r.PlanHash, Started: r.StartedAt.Time,
		Ended: r.EndedAt.moment(), Reason: r.Reason, ExitCode: r.ExitCode, Note: r.Note, Steered: r.Steered,
	}}
	out.Summary, _ = summaries.Decode([]byte(r.Summary)) // one that cannot be read tells nothing
	var lasted time.Duration
	if out.Ended != nil {
		lasted = max(0, out.Ended.Sub(out.Started))
	}
	if out.Summary != nil && out.Summary.Duration() > 0 {
		lasted = out.Summary.Duration()
	}
	if lasted > 0 {
		out.Duration = new(lasted.Seconds())
	}
	// A damaged column leaves its value empty, or without what does not fit: the run and those beside it stay readable.
	out.Labels, out.Config, out.Problems = []string{}, map[string]string{}, []record.Problem{}
	_ = json.Unmarshal([]byte(r.Labels), &out.Labels)
	_ = json.Unmarshal([]byte(r.Config), &out.Config)
	_ = json.Unmarshal([]byte(r.Problems), &out.Problems)
	return out
}

const selectRuns = "SELECT id, kind, seed, config, plan_hash, started_at, ended_at, reason, exit_code, summary, " +
	"note, labels, problems, steered FROM runs "

// BeginRun records a run that began. A run that goes on under its id keeps its first start, its note and its labels,
// and is open again.
func (s *Store) BeginRun(ctx context.Context, r record.Run) error {
	err := s.one(
		ctx,
		`INSERT INTO runs (id, kind, seed, config, plan_hash, started_at, ended_at, reason, summary, note, labels)
		VALUES (?, ?, ?, ?, ?, ?, NULL, '', '', ?, ?)
		ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, seed = excluded.seed, config = excluded.config,
			plan_hash = excluded.plan_hash, ended_at = NULL, reason = '', exit_code = NULL, summary = '',
			problems = '[]', deleted_at = NULL`,
		r.ID,
		r.Kind,
		int64(r.Seed),
		encoded(r.Config, "{}"),
		r.PlanHash,
		stamp{r.Started},
		r.Note,
		encoded(r.Labels, "[]"),
	)
	if err != nil {
		return fmt.Errorf("record start of run %s: %w", r.ID, err)
	}
	return nil
}

// encoded is a value as a column keeps it, none where there is none.
func encoded[T []string | []record.Problem | map[string]string](v T, none string) string {
	if len(v) == 0 {
		return none
	}
	data, _ := json.Marshal(v) // plain values always have a form
	return string(data)
}

// EndRun records what r tells of its end: Kind, Ended, Reason, ExitCode, Summary (nil where no ledger was found) and
// Problems. The error is ErrNotFound for a run that never began.
func (s *Store) EndRun(ctx context.Context, r record.Run) error {
	var summary []byte
	var err error
	if r.Summary != nil {
		summary, err = r.Summary.Encode()
	}
	if err == nil {
		err = s.one(ctx, "UPDATE runs SET kind = ?, ended_at = ?, reason = ?, exit_code = ?, summary = ?, problems = "+
			"? WHERE id = ?",
			r.Kind, stampOf(r.Ended), r.Reason, r.ExitCode, string(summary), encoded(r.Problems, "[]"), r.ID)
	}
	if err != nil {
		return fmt.Errorf("record end of run %s: %w", r.ID, err)
	}
	return nil
}

// DescribeRun writes a person's note and labels; nil leaves them as they are. The error is ErrNotFound.
func (s *Store) DescribeRun(ctx context.Context, id string, note *string, labels []string) error {
	var given *string
	if labels != nil {
		given = new(encoded(labels, "[]"))
	}
	err := s.one(ctx, "UPDATE runs SET note = coalesce(?, note), labels = coalesce(?, labels) WHERE id = ? AND "+
		"deleted_at IS NULL", note, given, id)
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
func (s *Store) Run(ctx context.Context, id string) (record.Run, error) {
	var r runRow
	if err := s.read.GetContext(ctx, &r, selectRuns+"WHERE id = ? AND deleted_at IS NULL", id); err != nil {
		return record.Run{}, fmt.Errorf("read run %s: %w", id, told(err))
	}
	return r.run(), nil
}
