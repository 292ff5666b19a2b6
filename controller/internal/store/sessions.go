package store

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
)

// Sessions are those that have not ended, by the hash under which they were saved, with the moment of their end.
func (s *Store) Sessions(ctx context.Context) (map[[sha256.Size]byte]time.Time, error) {
	var rows []struct {
		Hash   []byte `db:"hash"`
		EndsAt stamp  `db:"ends_at"`
	}
	if err := s.read.SelectContext(ctx, &rows,
		"SELECT hash, ends_at FROM sessions WHERE ends_at > ? AND length(hash) = ?", s.stamp(),
		sha256.Size); err != nil {
		return nil, fmt.Errorf("read sessions: %w", err)
	}
	out := make(map[[sha256.Size]byte]time.Time, len(rows))
	for _, r := range rows {
		out[[sha256.Size]byte(r.Hash)] = r.EndsAt.Time
	}
	return out, nil
}

// AddSession saves a session and forgets those that have ended.
func (s *Store) AddSession(ctx context.Context, hash [sha256.Size]byte, ends time.Time) error {
	err := s.within(ctx, func(tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM sessions WHERE ends_at <= ?", s.stamp()); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "INSERT INTO sessions (hash, ends_at) VALUES (?, ?)", hash[:], stamp{ends})
		return err
	})
	if err != nil {
		return fmt.Errorf("save session: %w", err)
	}
	return nil
}

// ProlongSession moves the end of a session; one that was ended meanwhile stays so.
func (s *Store) ProlongSession(ctx context.Context, hash [sha256.Size]byte, ends time.Time) error {
	if _, err := s.write.ExecContext(ctx, "UPDATE sessions SET ends_at = ? WHERE hash = ?", stamp{ends},
		hash[:]); err != nil {
		return fmt.Errorf("prolong session: %w", s.placed(err))
	}
	return nil
}

// EndSession forgets a session, which need not be there.
func (s *Store) EndSession(ctx context.Context, hash [sha256.Size]byte) error {
	if _, err := s.write.ExecContext(ctx, "DELETE FROM sessions WHERE hash = ?", hash[:]); err != nil {
		return fmt.Errorf("end session: %w", s.placed(err))
	}
	return nil
}
