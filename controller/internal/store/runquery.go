package store

import (
	"context"
	"strings"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/record"
	"github.com/puttrix/trafficinator/shared/runsummary"
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
		// instr has no wildcards, so that % and _ are literal.
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

// Runs returns the runs that q selects, the one recorded last first: setting back a clock does not change the order.
func (s *Store) Runs(ctx context.Context, q record.Query) ([]record.Run, error) {
	limit := q.Limit
	if limit == 0 {
		limit = -1
	}
	where, args := whereRuns(q)
	return list(ctx, s, "list runs", scanRun, selectRuns+where+" ORDER BY rowid DESC LIMIT ? OFFSET ?",
		append(args, limit, q.Skip)...)
}

// CountRuns returns how many runs q selects, ignoring its Skip and Limit.
func (s *Store) CountRuns(ctx context.Context, q record.Query) (int, error) {
	where, args := whereRuns(q)
	return get(ctx, s, "count runs", value[int], "SELECT count(*) FROM runs "+where, args...)
}

// Labels returns all labels of runs in alphabetical order.
func (s *Store) Labels(ctx context.Context) ([]string, error) {
	return list(ctx, s, "list labels", value[string],
		"SELECT DISTINCT value FROM runs, json_each(labels) WHERE deleted_at IS NULL ORDER BY value COLLATE NOCASE")
}

// purgeAfter is how long a deleted run can be restored.
const purgeAfter = 24 * time.Hour

// DeleteRun deletes a run; RestoreRun can undo that for a day, then it can be purged. alive says whether the run is in
// progress: one that is not and has no recorded end gets one. The errors are ErrNotFound and ErrOpen.
func (s *Store) DeleteRun(ctx context.Context, id string, alive bool) error {
	return s.tx(ctx, "delete run "+id, func(t *tx) {
		var ended timestamp
		t.get(&ended, "SELECT ended_at FROM runs WHERE id = ? AND deleted_at IS NULL", id)
		if t.err == nil && ended == (timestamp{}) && alive {
			t.err = ErrOpen
		}
		t.exec(`UPDATE runs SET deleted_at = ?1, reason = CASE WHEN ended_at IS NULL THEN 'killed' ELSE reason END,
			ended_at = coalesce(ended_at, ?1) WHERE id = ?2`, t.now, id)
	})
}

// Purgeable returns the runs deleted so long ago that they can be purged, with the time of their deletion.
func (s *Store) Purgeable(ctx context.Context) (map[string]time.Time, error) {
	out := map[string]time.Time{}
	return out, each(ctx, s.read, "list deleted runs", func(r row) error {
		var id string
		var deleted time.Time
		err := r.Scan(&id, (*timestamp)(&deleted))
		out[id] = deleted
		return err
	}, "SELECT id, deleted_at FROM runs WHERE deleted_at < ?", timestamp(s.now().Add(-purgeAfter)))
}

// Purge removes for good what Purgeable returned, with intervals and files, except runs restored since.
func (s *Store) Purge(ctx context.Context, runs map[string]time.Time) error {
	return s.tx(ctx, "purge deleted runs", func(t *tx) {
		for id, at := range runs {
			t.exec("DELETE FROM runs WHERE id = ? AND deleted_at = ?", id, timestamp(at))
		}
		t.exec("DELETE FROM blobs WHERE hash NOT IN (SELECT hash FROM run_files)")
	})
}

// RestoreRun restores a deleted run. The error is ErrNotFound if no run of that ID is deleted and not yet purged.
func (s *Store) RestoreRun(ctx context.Context, id string) error {
	return s.exec(ctx, "restore run "+id,
		"UPDATE runs SET deleted_at = NULL WHERE id = ? AND deleted_at IS NOT NULL", id)
}
