package store

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"

	"github.com/puttrix/trafficinator/controller/internal/record"
)

// KeepFiles keeps the files of a run, encrypted, replacing those kept before.
func (s *Store) KeepFiles(ctx context.Context, id string, files map[string][]byte) error {
	return s.tx(ctx, "keep files of run "+id, func(t *tx) {
		t.exec("DELETE FROM run_files WHERE run_id = ?", id)
		for name, body := range files {
			hash := fmt.Sprintf("%x", sha256.Sum256(body))
			t.exec("INSERT INTO blobs (hash, body) VALUES (?, ?) ON CONFLICT (hash) DO NOTHING", hash,
				s.cipher.encrypt("blobs/"+hash, body))
			t.exec("INSERT INTO run_files (run_id, file, hash) VALUES (?, ?, ?)", id, name, hash)
		}
	})
}

// RunFiles returns the names and hashes of the files kept of a run, sorted by name; none for a run that began before
// files were kept.
func (s *Store) RunFiles(ctx context.Context, id string) ([]record.File, error) {
	return list(ctx, s, "list files of run "+id, func(r row) (f record.File, err error) {
		err = r.Scan(&f.Name, &f.Hash)
		return f, err
	}, "SELECT file, hash FROM run_files WHERE run_id = ? ORDER BY file", id)
}

// KeptFiles returns the files kept of a run, by name.
func (s *Store) KeptFiles(ctx context.Context, id string) (map[string][]byte, error) {
	return s.files(ctx, "read files of run "+id,
		"SELECT file, 'blobs/' || hash, body FROM run_files JOIN blobs USING (hash) WHERE run_id = ?", id)
}

// SaveInterval writes an interval of a run, replacing the one with the same start. Its table is called minutes, because
// intervals once were minutes.
func (s *Store) SaveInterval(ctx context.Context, runID string, i record.Interval) error {
	return s.exec(ctx, "save interval of run "+runID, "INSERT INTO minutes (run_id, at, body) VALUES (?, ?, ?) "+
		"ON CONFLICT (run_id, at) DO UPDATE SET body = excluded.body", runID, timestamp(i.At), string(i.Body))
}

// Intervals returns the intervals of a run in order.
func (s *Store) Intervals(ctx context.Context, runID string) ([]record.Interval, error) {
	return list(ctx, s, "list intervals of run "+runID, func(r row) (i record.Interval, err error) {
		err = r.Scan((*timestamp)(&i.At), (*[]byte)(&i.Body))
		return i, err
	}, "SELECT at, body FROM minutes WHERE run_id = ? ORDER BY at", runID)
}

// SaveFigures writes Matomo figures of a run, replacing those of the same kind.
func (s *Store) SaveFigures(ctx context.Context, runID string, kind record.Document, body json.RawMessage) error {
	return s.exec(ctx, fmt.Sprintf("save %s of run %s", kind, runID), "INSERT INTO proofs (run_id, kind, body) "+
		"VALUES (?, ?, ?) ON CONFLICT (run_id, kind) DO UPDATE SET body = excluded.body", runID, kind, string(body))
}

// Figures returns Matomo figures of a run, or ErrNotFound.
func (s *Store) Figures(ctx context.Context, runID string, kind record.Document) (json.RawMessage, error) {
	return get(ctx, s, fmt.Sprintf("read %s of run %s", kind, runID), value[[]byte],
		"SELECT body FROM proofs WHERE run_id = ? AND kind = ?", runID, kind)
}
