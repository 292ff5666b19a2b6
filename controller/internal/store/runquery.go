package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/puttrix/trafficinator/shared/runsummary"

	"github.com/puttrix/trafficinator/controller/internal/record"
)

func whereRuns(q record.Query) (string, []any) {
	parts, args := []string{"deleted_at IS NULL"}, []any{}
	add := func(part string, values ...any) { parts, args = append(parts, part), append(args, values...) }
	if q.Kind != "" {
		add("kind = ?", q.Kind)
	}
	if q.Reason != "" {
		add("reason = ?", q.Reason)
	}
	if q.Label != "" {
		add("EXISTS (SELECT 1 FROM json_each(labels) WHERE value = ?)", q.Label)
	}
	if q.Text != "" {
		// instr knows no wildcards, so that % and _ are themselves.
		add("(instr(lower(id || ' ' || note || ' ' || reason), lower(?)) > 0 OR EXISTS (SELECT 1 FROM "+
			"json_each(labels) WHERE instr(lower(value), lower(?)) > 0))", q.Text, q.Text)
	}
	if q.Open {
		add("ended_at IS NULL")
	}
	if q.NoJobs {
		add("kind <> ?", runsummary.BackfillJob)
	}
	return "WHERE " + strings.Join(parts, " AND "), args
}

// Runs are the runs that q chooses, the one that was recorded last first: a clock that is set back does not change
// that.
func (s *Store) Runs(ctx context.Context, q record.Query) ([]record.Run, error) {
	limit := q.Limit
	if limit == 0 {
		limit = -1
	}
	where, args := whereRuns(q)
	var rows []runRow
	if err := s.read.SelectContext(ctx, &rows, selectRuns+where+" ORDER BY rowid DESC LIMIT ? OFFSET ?",
		append(args, limit, q.Skip)...); err != nil {
		return nil, fmt.Errorf("list runs: %w", err)
	}
	out := make([]record.Run, len(rows))
	for i, r := range rows {
		out[i] = r.run()
	}
	return out, nil
}

// CountRuns is how many runs q chooses, whatever its Skip and Limit.
func (s *Store) CountRuns(ctx context.Context, q record.Query) (n int, err error) {
	where, args := whereRuns(q)
	if err := s.read.GetContext(ctx, &n, "SELECT count(*) FROM runs "+where, args...); err != nil {
		return 0, fmt.Errorf("count runs: %w", err)
	}
	return n, nil
}

// Labels are all that runs have, in the order of the alphabet.
func (s *Store) Labels(ctx context.Context) ([]string, error) {
	out := []string{}
	err := s.read.SelectContext(ctx, &out,
		"SELECT DISTINCT value FROM runs, json_each(labels) WHERE deleted_at IS NULL ORDER BY value COLLATE NOCASE")
	if err != nil {
		return nil, fmt.Errorf("list labels: %w", err)
	}
	return out, nil
}

// purgeAfter is how long a deleted run can be brought back.
const purgeAfter = 24 * time.Hour

// DeleteRun deletes a run; RestoreRun can bring it back for a day, then it can be purged. Who asks says whether the run
// is alive: one that is not and whose end nobody could record ends with it. The errors are ErrNotFound and ErrOpen.
func (s *Store) DeleteRun(ctx context.Context, id string, alive bool) error {
	err := s.within(ctx, func(tx *sqlx.Tx) error {
		var ended stamp
		if err := tx.GetContext(ctx, &ended, "SELECT ended_at FROM runs WHERE id = ? AND deleted_at IS NULL",
			id); err != nil {
			return err
		}
		if ended.IsZero() && alive {
			return ErrOpen
		}
		_, err := tx.ExecContext(ctx,
			`UPDATE runs SET deleted_at = ?1, reason = CASE WHEN ended_at IS NULL THEN 'killed' ELSE reason END,
			ended_at = coalesce(ended_at, ?1) WHERE id = ?2`, s.stamp(), id)
		return err
	})
	if err != nil {
		return fmt.Errorf("delete run %s: %w", id, err)
	}
	return nil
}

// Purgeable are the runs that were deleted so long ago that they can be purged, with the moment of their deletion.
func (s *Store) Purgeable(ctx context.Context) (map[string]time.Time, error) {
	var rows []struct {
		ID        string `db:"id"`
		DeletedAt stamp  `db:"deleted_at"`
	}
	if err := s.read.SelectContext(ctx, &rows, "SELECT id, deleted_at FROM runs WHERE deleted_at < ?",
		stamp{s.now().Add(-purgeAfter)}); err != nil {
		return nil, fmt.Errorf("list deleted runs: %w", err)
	}
	out := map[string]time.Time{}
	for _, r := range rows {
		out[r.ID] = r.DeletedAt.Time
	}
	return out, nil
}

// Purge removes what Purgeable gave for good, with minutes and files, but for what was brought back since.
func (s *Store) Purge(ctx context.Context, runs map[string]time.Time) error {
	err := s.within(ctx, func(tx *sqlx.Tx) error {
		for id, at := range runs {
			if _, err := tx.ExecContext(ctx, "DELETE FROM runs WHERE id = ? AND deleted_at = ?", id,
				stamp{at}); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, "DELETE FROM blobs WHERE hash NOT IN (SELECT hash FROM run_files)")
		return err
	})
	if err != nil {
		return fmt.Errorf("purge deleted runs: %w", err)
	}
	return nil
}

// RestoreRun brings a deleted run back. The error is ErrNotFound where none of that id is deleted and not yet purged.
func (s *Store) RestoreRun(ctx context.Context, id string) error {
	if err := s.one(ctx, "UPDATE runs SET deleted_at = NULL WHERE id = ? AND deleted_at IS NOT NULL", id); err != nil {
		return fmt.Errorf("restore run %s: %w", id, err)
	}
	return nil
}
