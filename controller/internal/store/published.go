package store

import (
	"context"
	"fmt"

	"github.com/jmoiron/sqlx"
)

// Published is what the controller wrote into a file of the exchange folder, as hashes; empty means no file.
type Published struct {
	// Base is the last content that was built and written, Next the one being written: until that is confirmed the file
	// may hold either.
	Base string `db:"base"`
	Next string `db:"next"`
}

// Published returns what was written, by file. A file that was never written is absent.
func (s *Store) Published(ctx context.Context) (map[string]Published, error) {
	var rows []struct {
		File string `db:"file"`
		Published
	}
	// From the writer: it must see what the writer did last.
	if err := s.write.SelectContext(ctx, &rows, "SELECT file, base, next FROM published"); err != nil {
		return nil, fmt.Errorf("read published files: %w", err)
	}
	out := make(map[string]Published, len(rows))
	for _, r := range rows {
		out[r.File] = r.Published
	}
	return out, nil
}

// SavePublished records what was written into the given files.
func (s *Store) SavePublished(ctx context.Context, files map[string]Published) error {
	return s.tx(ctx, "save published files", func(tx *sqlx.Tx) error {
		for file, p := range files {
			if _, err := tx.ExecContext(ctx, "INSERT INTO published (file, base, next) VALUES (?, ?, ?) ON CONFLICT "+
				"(file) DO UPDATE SET base = excluded.base, next = excluded.next", file, p.Base, p.Next); err != nil {
				return err
			}
		}
		return nil
	})
}

// SavePlan keeps the files of the plan being started, encrypted, replacing those of the one before.
func (s *Store) SavePlan(ctx context.Context, files map[string][]byte) error {
	return s.tx(ctx, "save plan", func(tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM plan"); err != nil {
			return err
		}
		for file, body := range files {
			if _, err := tx.ExecContext(ctx, "INSERT INTO plan (file, body) VALUES (?, ?)", file,
				s.cipher.encrypt("plan/"+file, body)); err != nil {
				return err
			}
		}
		return nil
	})
}

// Plan returns the files of the plan that was started last, or ErrNotFound.
func (s *Store) Plan(ctx context.Context) (map[string][]byte, error) {
	type row struct {
		File string `db:"file"`
		Body string `db:"body"`
	}
	out := map[string][]byte{}
	rows, err := list(ctx, s, "read plan", func(r row) (_ string, err error) {
		out[r.File], err = s.cipher.decrypt("plan/"+r.File, r.Body)
		return r.File, err
	}, "SELECT file, body FROM plan")
	if err == nil && len(rows) == 0 {
		err = fmt.Errorf("read plan: %w", ErrNotFound)
	}
	if err != nil {
		return nil, err
	}
	return out, nil
}
