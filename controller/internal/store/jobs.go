package store

import (
	"context"

	"github.com/puttrix/trafficinator/controller/internal/record"
)

const selectJobs = "SELECT run_id, name, payload, state, queued_at, started_at, ended_at, exit_code, reason, " +
	"nullif(error, ''), restarts, settled, removed FROM jobs "

func scanJob(r row) (j record.Job, err error) {
	err = r.Scan(&j.RunID, &j.Name, asJSON{&j.Payload}, &j.State, (*timestamp)(&j.Queued), optional{&j.Started},
		optional{&j.Ended}, &j.ExitCode, &j.Reason, &j.Error, &j.Restarts, &j.Settled, &j.Removed)
	return j, err
}

// SaveJob updates a job, or adds it at the end of the queue.
func (s *Store) SaveJob(ctx context.Context, j record.Job) error {
	return s.exec(
		ctx,
		"save job "+j.RunID,
		`INSERT INTO jobs (run_id, name, payload, state, queued_at, started_at, ended_at, exit_code, reason, error,
			restarts, settled)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, coalesce(?, ''), ?, ?)
		ON CONFLICT (run_id) DO UPDATE SET state = excluded.state, queued_at = excluded.queued_at,
			started_at = excluded.started_at, ended_at = excluded.ended_at, exit_code = excluded.exit_code,
			reason = excluded.reason, error = excluded.error, restarts = excluded.restarts, settled = excluded.settled`,
		j.RunID,
		j.Name,
		asJSON{j.Payload},
		j.State,
		timestamp(j.Queued),
		(*timestamp)(j.Started),
		(*timestamp)(j.Ended),
		j.ExitCode,
		j.Reason,
		j.Error,
		j.Restarts,
		j.Settled,
	)
}

// Jobs returns all jobs that are not removed, in queue order.
func (s *Store) Jobs(ctx context.Context) ([]record.Job, error) {
	return list(ctx, s, "list jobs", scanJob, selectJobs+"WHERE NOT removed ORDER BY number")
}

// LastJob returns the job queued last, even if it was removed, or ErrNotFound.
func (s *Store) LastJob(ctx context.Context) (record.Job, error) {
	return get(ctx, s, "read the last job", scanJob, selectJobs+"ORDER BY number DESC LIMIT 1")
}

// RemoveJob removes a job from Jobs; the record of its run stays.
func (s *Store) RemoveJob(ctx context.Context, runID string) error {
	return s.tx(ctx, "remove job "+runID, func(t *tx) {
		t.exec("UPDATE jobs SET removed = 1 WHERE run_id = ?", runID)
		t.exec("DELETE FROM jobs WHERE removed AND number < (SELECT max(number) FROM jobs)")
	})
}
