package store

import (
	"context"
	"crypto/sha256"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/security"
)

// How many entries and refusals are kept.
const maxAudit, maxRefusals = 100_000, 10_000

// AddAuditEntry writes an entry and deletes the oldest beyond maxAudit.
func (s *Store) AddAuditEntry(ctx context.Context, e security.Entry) error {
	return s.tx(ctx, "write audit log", func(t *tx) {
		var id int64
		t.get(&id, "INSERT INTO audit (at, address, action, detail) VALUES (?, ?, ?, ?) RETURNING id",
			timestamp(e.At), e.Address, e.Action, e.Detail)
		t.exec("DELETE FROM audit WHERE id <= ?", id-maxAudit)
	})
}

// AuditEntries returns at most limit entries, newest first.
func (s *Store) AuditEntries(ctx context.Context, limit int) ([]security.Entry, error) {
	return list(ctx, s, "read audit log", func(r row) (e security.Entry, err error) {
		err = r.Scan((*timestamp)(&e.At), &e.Address, &e.Action, &e.Detail)
		return e, err
	}, "SELECT at, address, action, detail FROM audit ORDER BY id DESC LIMIT ?", limit)
}

// SaveRefusals writes refusals and deletes the oldest beyond maxRefusals. They never displace an audit entry.
func (s *Store) SaveRefusals(ctx context.Context, refusals []security.Refusal) error {
	return s.tx(ctx, "write refusals", func(t *tx) {
		for _, r := range refusals {
			t.exec("INSERT INTO refusals (first_at, last_at, address, action, status, tries) VALUES (?, ?, ?, ?, ?, ?)",
				timestamp(r.First), timestamp(r.Last), r.Address, r.Action, r.Status, r.Tries)
		}
		t.exec("DELETE FROM refusals WHERE id <= (SELECT max(id) FROM refusals) - ?", maxRefusals)
	})
}

// Refusals returns at most limit refusals, newest first.
func (s *Store) Refusals(ctx context.Context, limit int) ([]security.Refusal, error) {
	return list(ctx, s, "read refusals", func(r row) (f security.Refusal, err error) {
		err = r.Scan((*timestamp)(&f.First), (*timestamp)(&f.Last), &f.Address, &f.Action, &f.Status, &f.Tries)
		return f, err
	}, "SELECT first_at, last_at, address, action, status, tries FROM refusals ORDER BY id DESC LIMIT ?", limit)
}

// Sessions returns the sessions that have not expired: their expiry times by hash.
func (s *Store) Sessions(ctx context.Context) (map[[sha256.Size]byte]time.Time, error) {
	out := map[[sha256.Size]byte]time.Time{}
	return out, each(ctx, s.read, "read sessions", func(r row) error {
		var hash []byte
		var ends time.Time
		err := r.Scan(&hash, (*timestamp)(&ends))
		if err == nil {
			out[[sha256.Size]byte(hash)] = ends
		}
		return err
	}, "SELECT hash, ends_at FROM sessions WHERE ends_at > ? AND length(hash) = ?", s.timestamp(), sha256.Size)
}

// AddSession saves a session and deletes expired ones.
func (s *Store) AddSession(ctx context.Context, hash [sha256.Size]byte, ends time.Time) error {
	return s.tx(ctx, "save session", func(t *tx) {
		t.exec("DELETE FROM sessions WHERE ends_at <= ?", t.now)
		t.exec("INSERT INTO sessions (hash, ends_at) VALUES (?, ?)", hash[:], timestamp(ends))
	})
}

// ExtendSession moves the expiry of a session, if it still exists.
func (s *Store) ExtendSession(ctx context.Context, hash [sha256.Size]byte, ends time.Time) error {
	_, err := s.write.ExecContext(ctx, "UPDATE sessions SET ends_at = ? WHERE hash = ?", timestamp(ends), hash[:])
	return s.wrapWrite("extend session", err)
}

// DeleteSession deletes a session, if it still exists.
func (s *Store) DeleteSession(ctx context.Context, hash [sha256.Size]byte) error {
	_, err := s.write.ExecContext(ctx, "DELETE FROM sessions WHERE hash = ?", hash[:])
	return s.wrapWrite("delete session", err)
}
