package store

import (
	"context"
	"fmt"
)

// Fill lets the database grow no more, as on a full disk, and Empty takes that back.
func (s *Store) Fill(ctx context.Context) error { return s.limit(ctx, 1) }

// Empty see Fill.
func (s *Store) Empty(ctx context.Context) error { return s.limit(ctx, 1<<30) }

func (s *Store) limit(ctx context.Context, pages int) error {
	_, err := s.write.ExecContext(ctx, fmt.Sprintf("PRAGMA max_page_count = %d", pages))
	return err
}

// ReadOnly lets nothing be written, as on a disk that is mounted read-only.
func (s *Store) ReadOnly(ctx context.Context) error {
	_, err := s.write.ExecContext(ctx, "PRAGMA query_only = on")
	return err
}

// Damage writes text that the store would not into the columns of a run.
func (s *Store) Damage(ctx context.Context, id, text string) error {
	_, err := s.write.ExecContext(ctx, "UPDATE runs SET config = ?1, summary = ?1, labels = ?1, problems = ?1 "+
		"WHERE id = ?2", text, id)
	return err
}
