package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
)

// Entry is a line of the audit log.
type Entry struct {
	At      time.Time `json:"at"`
	Address string    `json:"address" doc:"Who asked."`
	Action  string    `json:"action" doc:"What for, such as PUT /api/config."`
	Detail  string    `json:"detail"` // it holds no secret
}

// Refusal is what one address tried without the right key, several alike in one.
type Refusal struct {
	First   time.Time `json:"first_at"`
	Last    time.Time `json:"last_at"`
	Address string    `json:"address" doc:"Who tried; others where too many tried at once."`
	Action  string    `json:"action"`
	Status  int       `json:"status" doc:"Of the answers."`
	Tries   int       `json:"tries" doc:"How many there were."`
}

const (
	// maxAudit is how many entries are kept; one a second for a day and more.
	maxAudit = 100_000
	// maxRefusals is how many refusals are kept.
	maxRefusals = 10_000
)

// Audit writes an entry and forgets the oldest where there are too many.
func (s *Store) Audit(ctx context.Context, address, action, detail string) error {
	err := s.within(ctx, func(tx *sqlx.Tx) error {
		var id int64
		if err := tx.GetContext(ctx, &id,
			"INSERT INTO audit (at, address, action, detail) VALUES (?, ?, ?, ?) RETURNING id", s.stamp(), address,
			action, detail); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "DELETE FROM audit WHERE id <= ?", id-maxAudit)
		return err
	})
	if err != nil {
		return fmt.Errorf("write audit log: %w", err)
	}
	return nil
}

// AuditLog are at most limit entries, the latest first.
func (s *Store) AuditLog(ctx context.Context, limit int) ([]Entry, error) {
	var rows []struct {
		At      stamp  `db:"at"`
		Address string `db:"address"`
		Action  string `db:"action"`
		Detail  string `db:"detail"`
	}
	if err := s.read.SelectContext(ctx, &rows, "SELECT at, address, action, detail FROM audit ORDER BY id DESC LIMIT ?",
		limit); err != nil {
		return nil, fmt.Errorf("read audit log: %w", err)
	}
	out := make([]Entry, len(rows))
	for i, r := range rows {
		out[i] = Entry{r.At.Time, r.Address, r.Action, r.Detail}
	}
	return out, nil
}

// SaveRefusals writes refusals and forgets the oldest where there are too many. They evict no entry of the audit log.
func (s *Store) SaveRefusals(ctx context.Context, refusals []Refusal) error {
	err := s.within(ctx, func(tx *sqlx.Tx) error {
		for _, r := range refusals {
			if _, err := tx.ExecContext(ctx,
				"INSERT INTO refusals (first_at, last_at, address, action, status, tries) VALUES (?, ?, ?, ?, ?, ?)",
				stamp{r.First}, stamp{r.Last}, r.Address, r.Action, r.Status, r.Tries); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, "DELETE FROM refusals WHERE id <= (SELECT max(id) FROM refusals) - ?",
			maxRefusals)
		return err
	})
	if err != nil {
		return fmt.Errorf("write refusals: %w", err)
	}
	return nil
}

// Refusals are at most limit refusals, the latest first.
func (s *Store) Refusals(ctx context.Context, limit int) ([]Refusal, error) {
	var rows []struct {
		First   stamp  `db:"first_at"`
		Last    stamp  `db:"last_at"`
		Address string `db:"address"`
		Action  string `db:"action"`
		Status  int    `db:"status"`
		Tries   int    `db:"tries"`
	}
	if err := s.read.SelectContext(ctx, &rows,
		"SELECT first_at, last_at, address, action, status, tries FROM refusals ORDER BY id DESC LIMIT ?",
		limit); err != nil {
		return nil, fmt.Errorf("read refusals: %w", err)
	}
	out := make([]Refusal, len(rows))
	for i, r := range rows {
		out[i] = Refusal{r.First.Time, r.Last.Time, r.Address, r.Action, r.Status, r.Tries}
	}
	return out, nil
}
