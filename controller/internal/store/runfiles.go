package store

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jmoiron/sqlx"

	"github.com/puttrix/trafficinator/controller/internal/record"
)

// KeepFiles keeps the files of a run, encrypted, replacing those kept before.
func (s *Store) KeepFiles(ctx context.Context, id string, files map[string][]byte) error {
	return s.tx(ctx, "keep files of run "+id, func(tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM run_files WHERE run_id = ?", id); err != nil {
			return err
		}
		for name, body := range files {
			hash := hexSum(body)
			if _, err := tx.ExecContext(
				ctx,
				"INSERT INTO blobs (hash, body) VALUES (?, ?) ON CONFLICT (hash) DO NOTHING",
				hash,
				s.cipher.encrypt("blobs/"+hash, body),
			); err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, "INSERT INTO run_files (run_id, file, hash) VALUES (?, ?, ?)", id, name,
				hash); err != nil {
				return err
			}
		}
		return nil
	})
}

// RunFiles returns the names and hashes of the files kept of a run, sorted by name; none for a run that began before
// files were kept.
func (s *Store) RunFiles(ctx context.Context, id string) ([]record.File, error) {
	return list(ctx, s, "list files of run "+id, as[record.File],
		"SELECT file, hash FROM run_files WHERE run_id = ? ORDER BY file", id)
}

// KeptFiles returns the files kept of a run, by name.
func (s *Store) KeptFiles(ctx context.Context, id string) (map[string][]byte, error) {
	type row struct {
		File string `db:"file"`
		Hash string `db:"hash"`
		Body string `db:"body"`
	}
	out := map[string][]byte{}
	_, err := list(ctx, s, "read files of run "+id, func(r row) (_ struct{}, err error) {
		if out[r.File], err = s.cipher.decrypt("blobs/"+r.Hash, r.Body); err != nil {
			err = fmt.Errorf("read files of run %s: %w", id, err)
		}
		return struct{}{}, err
	}, "SELECT file, run_files.hash, body FROM run_files JOIN blobs ON blobs.hash = run_files.hash WHERE run_id = ?", id)
	return out, err
}

// SaveInterval writes an interval of a run, replacing the one with the same start. Its table is called minutes, because
// intervals once were minutes.
func (s *Store) SaveInterval(ctx context.Context, runID string, i record.Interval) error {
	return s.exec(ctx, "save interval of run "+runID, "INSERT INTO minutes (run_id, at, body) VALUES (?, ?, ?) "+
		"ON CONFLICT (run_id, at) DO UPDATE SET body = excluded.body", runID, timestamp{i.At}, string(i.Body))
}

// Intervals returns the intervals of a run in order.
func (s *Store) Intervals(ctx context.Context, runID string) ([]record.Interval, error) {
	type row struct {
		At   timestamp `db:"at"`
		Body string    `db:"body"`
	}
	return list(ctx, s, "list intervals of run "+runID, func(r row) (record.Interval, error) {
		return record.Interval{At: r.At.Time, Body: json.RawMessage(r.Body)}, nil
	}, "SELECT at, body FROM minutes WHERE run_id = ? ORDER BY at", runID)
}

// SaveFigures writes Matomo figures of a run, replacing those of the same kind.
func (s *Store) SaveFigures(ctx context.Context, runID string, kind record.Document, body json.RawMessage) error {
	return s.exec(ctx, fmt.Sprintf("save %s of run %s", kind, runID), "INSERT INTO proofs (run_id, kind, body) "+
		"VALUES (?, ?, ?) ON CONFLICT (run_id, kind) DO UPDATE SET body = excluded.body", runID, kind, string(body))
}

// Figures returns Matomo figures of a run, or ErrNotFound.
func (s *Store) Figures(ctx context.Context, runID string, kind record.Document) (json.RawMessage, error) {
	return get(ctx, s, fmt.Sprintf("read %s of run %s", kind, runID),
		func(body string) (json.RawMessage, error) { return json.RawMessage(body), nil },
		"SELECT body FROM proofs WHERE run_id = ? AND kind = ?", runID, kind)
}
