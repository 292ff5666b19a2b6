package store

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jmoiron/sqlx"

	"github.com/puttrix/trafficinator/controller/internal/record"
)

type jobRow struct {
	RunID     string    `db:"run_id"`
	Name      string    `db:"name"`
	Payload   string    `db:"payload"`
	State     string    `db:"state"`
	QueuedAt  timestamp `db:"queued_at"`
	StartedAt timestamp `db:"started_at"`
	EndedAt   timestamp `db:"ended_at"`
	ExitCode  *int      `db:"exit_code"`
	Reason    string    `db:"reason"`
	Error     string    `db:"error"`
	Restarts  int       `db:"restarts"`
	Settled   bool      `db:"settled"`
	Removed   bool      `db:"removed"`
}

func (r jobRow) job() (record.Job, error) {
	out := record.Job{RunID: r.RunID, Name: r.Name, State: r.State, Queued: r.QueuedAt.Time,
		Started: r.StartedAt.pointer(), Ended: r.EndedAt.pointer(), ExitCode: r.ExitCode, Reason: r.Reason,
		Restarts: r.Restarts, Settled: r.Settled, Removed: r.Removed}
	if r.Error != "" {
		out.Error = &r.Error
	}
	if err := json.Unmarshal([]byte(r.Payload), &out.Payload); err != nil {
		return out, fmt.Errorf("read job %s: %w", r.RunID, err)
	}
	return out, nil
}

const selectJobs = "SELECT run_id, name, payload, state, queued_at, started_at, ended_at, exit_code, reason, error, " +
	"restarts, settled, removed FROM jobs "

// SaveJob updates a job, or adds it at the end of the queue.
func (s *Store) SaveJob(ctx context.Context, j record.Job) error {
	payload, err := json.Marshal(j.Payload)
	if err != nil {
		return fmt.Errorf("save job %s: %w", j.RunID, err)
	}
	return s.exec(ctx, "save job "+j.RunID,
		`INSERT INTO jobs (run_id, name, payload, state, queued_at, started_at, ended_at, exit_code, reason, error,
			restarts, settled)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, coalesce(?, ''), ?, ?)
		ON CONFLICT (run_id) DO UPDATE SET state = excluded.state, queued_at = excluded.queued_at,
			started_at = excluded.started_at, ended_at = excluded.ended_at, exit_code = excluded.exit_code,
			reason = excluded.reason, error = excluded.error, restarts = excluded.restarts, settled = excluded.settled`,
		j.RunID, j.Name, string(payload), j.State, timestamp{j.Queued}, optional(j.Started), optional(j.Ended),
		j.ExitCode, j.Reason, j.Error, j.Restarts, j.Settled)
}

// Jobs returns all jobs that are not removed, in queue order.
func (s *Store) Jobs(ctx context.Context) ([]record.Job, error) {
	return list(ctx, s, "list jobs", jobRow.job, selectJobs+"WHERE NOT removed ORDER BY number")
}

// LastJob returns the job queued last, even if it was removed, or ErrNotFound.
func (s *Store) LastJob(ctx context.Context) (record.Job, error) {
	return get(ctx, s, "read the last job", jobRow.job, selectJobs+"ORDER BY number DESC LIMIT 1")
}

// RemoveJob removes a job from Jobs; the record of its run stays.
func (s *Store) RemoveJob(ctx context.Context, runID string) error {
	return s.tx(ctx, "remove job "+runID, func(tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, "UPDATE jobs SET removed = 1 WHERE run_id = ?", runID); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "DELETE FROM jobs WHERE removed AND number < (SELECT max(number) FROM jobs)")
		return err
	})
}
