package store

import (
	"context"
	"fmt"

	"github.com/jmoiron/sqlx"

	"github.com/puttrix/trafficinator/controller/internal/security"
)

const (
	// maxAudit is how many entries are kept; one a second for a day and more.
	maxAudit = 100_000
	// maxRefusals is how many refusals are kept.
	maxRefusals = 10_000
)

// AddAuditEntry writes an entry and deletes the oldest beyond maxAudit.
func (s *Store) AddAuditEntry(ctx context.Context, e security.Entry) error {
	err := s.within(ctx, func(tx *sqlx.Tx) error {
		var id int64
		if err := tx.GetContext(ctx, &id,
			"INSERT INTO audit (at, address, action, detail) VALUES (?, ?, ?, ?) RETURNING id", stamp{e.At}, e.Address,
			e.Action, e.Detail); err != nil {
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

// AuditEntries returns at most limit entries, newest first.
func (s *Store) AuditEntries(ctx context.Context, limit int) ([]security.Entry, error) {
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
	out := make([]security.Entry, len(rows))
	for i, r := range rows {
		out[i] = security.Entry{At: r.At.Time, Address: r.Address, Action: r.Action, Detail: r.Detail}
	}
	return out, nil
}

// SaveRefusals writes refusals and forgets the oldest where there are too many. They evict no entry of the audit log.
func (s *Store) SaveRefusals(ctx context.Context, refusals []security.Refusal) error {
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
func (s *Store) Refusals(ctx context.Context, limit int) ([]security.Refusal, error) {
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
	out := make([]security.Refusal, len(rows))
	for i, r := range rows {
		out[i] = security.Refusal{First: r.First.Time, Last: r.Last.Time, Address: r.Address, Action: r.Action,
			Status: r.Status, Tries: r.Tries}
	}
	return out, nil
}
