package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
)

// Job is a backfill in the queue, going on, or ended and not yet removed.
type Job struct {
	RunID string `json:"run_id"`
	Name  string `json:"name"`
	// Payload is what was asked for, without secrets.
	Payload map[string]any `json:"payload" doc:"What was asked for."`
	// State is a word of who owns jobs.
	State   string     `json:"state" enum:"queued,running,cancelling,exited"`
	Queued  time.Time  `json:"queued_at"`
	Started *time.Time `json:"started_at"`
	Ended   *time.Time `json:"finished_at"`
	// ExitCode and Error are nil until there is one.
	ExitCode *int    `json:"exit_code"`
	Reason   string  `json:"reason" doc:"Why it ended, in the loadgen's word; empty until then."`
	Error    *string `json:"error" doc:"What it told of a bad end; null where there was none."`
	Restarts int     `json:"restarts" doc:"Starts after crashes; it goes on where it was."`
	Settled  bool    `json:"settled" doc:"A person has counted its unknown batches as sent."`
	// Removed says that it is only known still because it was the latest.
	Removed bool `json:"-"`
}

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

func (r jobRow) job() (Job, error) {
	out := Job{
		r.RunID,
		r.Name,
		nil,
		r.State,
		r.QueuedAt.Time,
		r.StartedAt.moment(),
		r.EndedAt.moment(),
		r.ExitCode,
		r.Reason,
		nil,
		r.Restarts,
		r.Settled,
		r.Removed,
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
func (s *Store) SaveJob(ctx context.Context, j Job) error {
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
func (s *Store) Jobs(ctx context.Context) ([]Job, error) {
	var rows []jobRow
	if err := s.read.SelectContext(ctx, &rows, selectJobs+"WHERE NOT removed ORDER BY number"); err != nil {
		return nil, fmt.Errorf("list jobs: %w", err)
	}
	out := make([]Job, len(rows))
	for i, r := range rows {
		var err error
		if out[i], err = r.job(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// LastJob is the one that came last, removed or not, or ErrNotFound.
func (s *Store) LastJob(ctx context.Context) (Job, error) {
	var r jobRow
	if err := s.read.GetContext(ctx, &r, selectJobs+"ORDER BY number DESC LIMIT 1"); err != nil {
		return Job{}, fmt.Errorf("read the last job: %w", told(err))
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
