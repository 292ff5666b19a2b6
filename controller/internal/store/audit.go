package store

import (
	"context"

	"github.com/jmoiron/sqlx"

	"github.com/puttrix/trafficinator/controller/internal/security"
)

// How many entries and refusals are kept.
const maxAudit, maxRefusals = 100_000, 10_000

// AddAuditEntry writes an entry and deletes the oldest beyond maxAudit.
func (s *Store) AddAuditEntry(ctx context.Context, e security.Entry) error {
	return s.tx(ctx, "write audit log", func(tx *sqlx.Tx) error {
		var id int64
		if err := tx.GetContext(ctx, &id, "INSERT INTO audit (at, address, action, detail) VALUES (?, ?, ?, ?) "+
			"RETURNING id", timestamp{e.At}, e.Address, e.Action, e.Detail); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "DELETE FROM audit WHERE id <= ?", id-maxAudit)
		return err
	})
}

// AuditEntries returns at most limit entries, newest first.
func (s *Store) AuditEntries(ctx context.Context, limit int) ([]security.Entry, error) {
	type row struct {
		At      timestamp `db:"at"`
		Address string    `db:"address"`
		Action  string    `db:"action"`
		Detail  string    `db:"detail"`
	}
	return list(ctx, s, "read audit log", func(r row) (security.Entry, error) {
		return security.Entry{At: r.At.Time, Address: r.Address, Action: r.Action, Detail: r.Detail}, nil
	}, "SELECT at, address, action, detail FROM audit ORDER BY id DESC LIMIT ?", limit)
}

// SaveRefusals writes refusals and deletes the oldest beyond maxRefusals. They never displace an audit entry.
func (s *Store) SaveRefusals(ctx context.Context, refusals []security.Refusal) error {
	return s.tx(ctx, "write refusals", func(tx *sqlx.Tx) error {
		for _, r := range refusals {
			if _, err := tx.ExecContext(ctx,
				"INSERT INTO refusals (first_at, last_at, address, action, status, tries) VALUES (?, ?, ?, ?, ?, ?)",
				timestamp{r.First}, timestamp{r.Last}, r.Address, r.Action, r.Status, r.Tries); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, "DELETE FROM refusals WHERE id <= (SELECT max(id) FROM refusals) - ?",
			maxRefusals)
		return err
	})
}

// Refusals returns at most limit refusals, newest first.
func (s *Store) Refusals(ctx context.Context, limit int) ([]security.Refusal, error) {
	type row struct {
		First   timestamp `db:"first_at"`
		Last    timestamp `db:"last_at"`
		Address string    `db:"address"`
		Action  string    `db:"action"`
		Status  int       `db:"status"`
		Tries   int       `db:"tries"`
	}
	return list(ctx, s, "read refusals", func(r row) (security.Refusal, error) {
		return security.Refusal{First: r.First.Time, Last: r.Last.Time, Address: r.Address, Action: r.Action,
			Status: r.Status, Tries: r.Tries}, nil
	}, "SELECT first_at, last_at, address, action, status, tries FROM refusals ORDER BY id DESC LIMIT ?", limit)
}
