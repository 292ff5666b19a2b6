package store

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jmoiron/sqlx"

	"github.com/puttrix/trafficinator/controller/internal/record"
)

type jobRow struct {
	RunID     string `db:"run_id"`
	Name      string `db:"name"`
	Payload   string `db:"payload"`
	State     string `db:"state"`
	QueuedAt  stamp  `db:"queued_at"`
	StartedAt stamp  `db:"started_at"`
	EndedAt   stamp  `db:"ended_at"`
	ExitCode  *int   `db:"exit_code"`
	Reason    string `db:"reason"`
	Error     string `db:"error"`
	Restarts  int    `db:"restarts"`
	Settled   bool   `db:"settled"`
	Removed   bool   `db:"removed"`
}

func (r jobRow) job() (record.Job, error) {
	out := record.Job{
		RunID:    r.RunID,
		Name:     r.Name,
		State:    r.State,
		Queued:   r.QueuedAt.Time,
		Started:  r.StartedAt.moment(),
		Ended:    r.EndedAt.moment(),
		ExitCode: r.ExitCode,
		Reason:   r.Reason,
		Restarts: r.Restarts,
		Settled:  r.Settled,
		Removed:  r.Removed,
	}
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

// SaveJob writes a job, a new one behind all others.
func (s *Store) SaveJob(ctx context.Context, j record.Job) error {
	payload, err := json.Marshal(j.Payload)
	if err == nil {
		err = s.one(
			ctx,
			`INSERT INTO jobs (run_id, name, payload, state, queued_at, started_at, ended_at, exit_code, reason, error,
				restarts, settled)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, coalesce(?, ''), ?, ?)
			ON CONFLICT (run_id) DO UPDATE SET state = excluded.state, queued_at = excluded.queued_at,
				started_at = excluded.started_at, ended_at = excluded.ended_at, exit_code = excluded.exit_code,
				reason = excluded.reason, error = excluded.error, restarts = excluded.restarts, settled = excluded.settled`,
			j.RunID,
			j.Name,
			string(payload),
			j.State,
			stamp{j.Queued},
			stampOf(j.Started),
			stampOf(j.Ended),
			j.ExitCode,
			j.Reason,
			j.Error,
			j.Restarts,
			j.Settled,
		)
	}
	if err != nil {
		return fmt.Errorf("save job %s: %w", j.RunID, err)
	}
	return nil
}

// Jobs are all that are not removed, in the order in which they came.
func (s *Store) Jobs(ctx context.Context) ([]record.Job, error) {
	var rows []jobRow
	if err := s.read.SelectContext(ctx, &rows, selectJobs+"WHERE NOT removed ORDER BY number"); err != nil {
		return nil, fmt.Errorf("list jobs: %w", err)
	}
	out := make([]record.Job, len(rows))
	for i, r := range rows {
		var err error
		if out[i], err = r.job(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// LastJob is the one that came last, removed or not, or ErrNotFound.
func (s *Store) LastJob(ctx context.Context) (record.Job, error) {
	var r jobRow
	if err := s.read.GetContext(ctx, &r, selectJobs+"ORDER BY number DESC LIMIT 1"); err != nil {
		return record.Job{}, fmt.Errorf("read the last job: %w", told(err))
	}
	return r.job()
}

// RemoveJob takes a job out of Jobs; what its run did stays.
func (s *Store) RemoveJob(ctx context.Context, runID string) error {
	err := s.within(ctx, func(tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, "UPDATE jobs SET removed = 1 WHERE run_id = ?", runID); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "DELETE FROM jobs WHERE removed AND number < (SELECT max(number) FROM jobs)")
		return err
	})
	if err != nil {
		return fmt.Errorf("remove job %s: %w", runID, err)
	}
	return nil
}
