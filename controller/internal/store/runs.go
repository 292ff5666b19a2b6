package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/record"
	"github.com/puttrix/trafficinator/controller/internal/summaries"
)

const selectRuns = "SELECT id, kind, seed, config, plan_hash, started_at, ended_at, reason, exit_code, summary, " +
	"note, labels, problems, steered FROM runs "

func scanRun(r row) (out record.Run, err error) {
	var seed int64 // SQLite has no unsigned numbers; the bits are kept
	var labels, config, problems, summary []byte
	err = r.Scan(&out.ID, &out.Kind, &seed, &config, &out.PlanHash, (*timestamp)(&out.Started), optional{&out.Ended},
		&out.Reason, &out.ExitCode, &summary, &out.Note, &labels, &problems, &out.Steered)
	out.Seed = uint64(seed)
	out.Summary, _ = summaries.Decode(summary) // an unreadable one is left out
	var duration time.Duration
	if out.Ended != nil {
		duration = max(0, out.Ended.Sub(out.Started))
	}
	if out.Summary != nil && out.Summary.Duration() > 0 {
		duration = out.Summary.Duration()
	}
	if duration > 0 {
		out.Duration = new(duration.Seconds())
	}
	// A damaged column leaves its value empty: the run and the others in a list stay readable.
	out.Labels, out.Config, out.Problems = []string{}, map[string]string{}, []record.Problem{}
	_ = json.Unmarshal(labels, &out.Labels)
	_ = json.Unmarshal(config, &out.Config)
	_ = json.Unmarshal(problems, &out.Problems)
	return out, err
}

// BeginRun records the start of a run. A run resumed under its ID keeps its first start, its note and its labels, and
// is open again.
func (s *Store) BeginRun(ctx context.Context, r record.Run) error {
	return s.exec(ctx, "record start of run "+r.ID,
		`INSERT INTO runs (id, kind, seed, config, plan_hash, started_at, ended_at, reason, summary, note, labels)
		VALUES (?, ?, ?, ?, ?, ?, NULL, '', '', ?, ?)
		ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, seed = excluded.seed, config = excluded.config,
			plan_hash = excluded.plan_hash, ended_at = NULL, reason = '', exit_code = NULL, summary = '',
			problems = '[]', deleted_at = NULL`,
		r.ID, r.Kind, int64(r.Seed), encode(r.Config, "{}"), r.PlanHash, timestamp(r.Started), r.Note,
		encode(r.Labels, "[]"))
}

// encode returns v as JSON, or none if it is empty.
func encode[T []string | []record.Problem | map[string]string](v T, none string) string {
	if len(v) == 0 {
		return none
	}
	data, _ := json.Marshal(v) // such values can always be encoded
	return string(data)
}

// EndRun records the end of a run: Kind, Ended, Reason, ExitCode, Summary (nil if no ledger was found) and Problems.
// The error is ErrNotFound for a run that never began.
func (s *Store) EndRun(ctx context.Context, r record.Run) error {
	var summary []byte
	if r.Summary != nil {
		var err error
		if summary, err = r.Summary.Encode(); err != nil {
			return fmt.Errorf("record end of run %s: %w", r.ID, err)
		}
	}
	return s.exec(ctx, "record end of run "+r.ID, "UPDATE runs SET kind = ?, ended_at = ?, reason = ?, exit_code = ?, "+
		"summary = ?, problems = ? WHERE id = ?", r.Kind, (*timestamp)(r.Ended), r.Reason, r.ExitCode, string(summary),
		encode(r.Problems, "[]"), r.ID)
}

// DescribeRun sets the note and labels of a run; nil leaves them unchanged. The error is ErrNotFound.
func (s *Store) DescribeRun(ctx context.Context, id string, note *string, labels []string) error {
	var given *string
	if labels != nil {
		given = new(encode(labels, "[]"))
	}
	return s.exec(ctx, "describe run "+id, "UPDATE runs SET note = coalesce(?, note), labels = coalesce(?, labels) "+
		"WHERE id = ? AND deleted_at IS NULL", note, given, id)
}

// MarkSteered records that a run was paused or its rate changed. The error is ErrNotFound.
func (s *Store) MarkSteered(ctx context.Context, id string) error {
	return s.exec(ctx, "mark run "+id+" as steered", "UPDATE runs SET steered = 1 WHERE id = ?", id)
}

// Run returns a run that is not deleted, or ErrNotFound.
func (s *Store) Run(ctx context.Context, id string) (record.Run, error) {
	return get(ctx, s, "read run "+id, scanRun, selectRuns+"WHERE id = ? AND deleted_at IS NULL", id)
}
