package store

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
)

// Sessions returns the sessions that have not expired: their expiry times by hash.
func (s *Store) Sessions(ctx context.Context) (map[[sha256.Size]byte]time.Time, error) {
	var rows []struct {
		Hash   []byte    `db:"hash"`
		EndsAt timestamp `db:"ends_at"`
	}
	if err := s.read.SelectContext(ctx, &rows, "SELECT hash, ends_at FROM sessions WHERE ends_at > ? AND "+
		"length(hash) = ?", s.timestamp(), sha256.Size); err != nil {
		return nil, fmt.Errorf("read sessions: %w", err)
	}
	out := make(map[[sha256.Size]byte]time.Time, len(rows))
	for _, r := range rows {
		out[[sha256.Size]byte(r.Hash)] = r.EndsAt.Time
	}
	return out, nil
}

// AddSession saves a session and deletes expired ones.
func (s *Store) AddSession(ctx context.Context, hash [sha256.Size]byte, ends time.Time) error {
	return s.tx(ctx, "save session", func(tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM sessions WHERE ends_at <= ?", s.timestamp()); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "INSERT INTO sessions (hash, ends_at) VALUES (?, ?)", hash[:], timestamp{ends})
		return err
	})
}

// ExtendSession moves the expiry of a session, if it still exists.
func (s *Store) ExtendSession(ctx context.Context, hash [sha256.Size]byte, ends time.Time) error {
	_, err := s.write.ExecContext(ctx, "UPDATE sessions SET ends_at = ? WHERE hash = ?", timestamp{ends}, hash[:])
	return s.wrap("extend session", err)
}

// DeleteSession deletes a session, if it still exists.
func (s *Store) DeleteSession(ctx context.Context, hash [sha256.Size]byte) error {
	_, err := s.write.ExecContext(ctx, "DELETE FROM sessions WHERE hash = ?", hash[:])
	return s.wrap("delete session", err)
}
