package store

import (
	"context"
	"fmt"

	"github.com/jmoiron/sqlx"
)

// Published is what the controller wrote into a file of the exchange folder, as hashes; empty means no file.
type Published struct {
	// Base is the last content that was built and written, Next the one that is being written: until it is confirmed
	// the file may hold either.
	Base string `db:"base"`
	Next string `db:"next"`
}

// Published reads what was written, by file. A file that was never written is absent.
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

// SavePublished writes it for the files given.
func (s *Store) SavePublished(ctx context.Context, files map[string]Published) error {
	err := s.within(ctx, func(tx *sqlx.Tx) error {
		for file, p := range files {
			_, err := tx.ExecContext(ctx,
				"INSERT INTO published (file, base, next) VALUES (?, ?, ?) ON CONFLICT (file) DO UPDATE SET base = "+
					"excluded.base, next = excluded.next",
				file, p.Base, p.Next)
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("save published files: %w", err)
	}
	return nil
}

// SavePlan keeps the files of the plan that is started, sealed, in place of those of the one before.
func (s *Store) SavePlan(ctx context.Context, files map[string][]byte) error {
	err := s.within(ctx, func(tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM plan"); err != nil {
			return err
		}
		for file, body := range files {
			if _, err := tx.ExecContext(ctx, "INSERT INTO plan (file, body) VALUES (?, ?)", file,
				s.seal.close("plan/"+file, body)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("save plan: %w", err)
	}
	return nil
}

// Plan are the files of the plan that was started last; ErrNotFound where none was.
func (s *Store) Plan(ctx context.Context) (map[string][]byte, error) {
	var rows []struct {
		File string `db:"file"`
		Body string `db:"body"`
	}
	if err := s.read.SelectContext(ctx, &rows, "SELECT file, body FROM plan"); err != nil {
		return nil, fmt.Errorf("read plan: %w", err)
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("read plan: %w", ErrNotFound)
	}
	out := make(map[string][]byte, len(rows))
	for _, r := range rows {
		body, err := s.seal.open("plan/"+r.File, r.Body)
		if err != nil {
			return nil, err
		}
		out[r.File] = body
	}
	return out, nil
}
