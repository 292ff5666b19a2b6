package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/jmoiron/sqlx"

	"github.com/puttrix/trafficinator/controller/internal/record"
)

// KeepFiles keeps the files of a run that began, sealed, in place of those kept of it before.
func (s *Store) KeepFiles(ctx context.Context, id string, files map[string][]byte) error {
	err := s.within(ctx, func(tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM run_files WHERE run_id = ?", id); err != nil {
			return err
		}
		for name, body := range files {
			sum := sha256.Sum256(body)
			hash := hex.EncodeToString(sum[:])
			if _, err := tx.ExecContext(ctx,
				"INSERT INTO blobs (hash, body) VALUES (?, ?) ON CONFLICT (hash) DO NOTHING", hash,
				s.seal.close("blobs/"+hash, body)); err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, "INSERT INTO run_files (run_id, file, hash) VALUES (?, ?, ?)", id, name,
				hash); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("keep files of run %s: %w", id, err)
	}
	return nil
}

// RunFiles names the files that are kept of a run, in the order of their names; none where it began before files were
// kept.
func (s *Store) RunFiles(ctx context.Context, id string) ([]record.File, error) {
	out := []record.File{}
	if err := s.read.SelectContext(ctx, &out, "SELECT file, hash FROM run_files WHERE run_id = ? ORDER BY file",
		id); err != nil {
		return nil, fmt.Errorf("list files of run %s: %w", id, err)
	}
	return out, nil
}

// KeptFiles are the files that are kept of a run, by name.
func (s *Store) KeptFiles(ctx context.Context, id string) (map[string][]byte, error) {
	var rows []struct {
		File string `db:"file"`
		Hash string `db:"hash"`
		Body string `db:"body"`
	}
	err := s.read.SelectContext(ctx, &rows,
		"SELECT file, run_files.hash, body FROM run_files JOIN blobs ON blobs.hash = run_files.hash WHERE run_id = ?",
		id)
	if err != nil {
		return nil, fmt.Errorf("read files of run %s: %w", id, err)
	}
	out := make(map[string][]byte, len(rows))
	for _, r := range rows {
		if out[r.File], err = s.seal.open("blobs/"+r.Hash, r.Body); err != nil {
			return nil, fmt.Errorf("read files of run %s: %w", id, err)
		}
	}
	return out, nil
}
