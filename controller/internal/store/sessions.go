package store

import (
	"context"
	"crypto/sha256"
	"time"
)

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
