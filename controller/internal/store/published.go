package store

import (
	"context"
	"fmt"
)

// Published is what the controller wrote into a file of the exchange folder, as hashes; empty means no file.
type Published struct {
	// Base is the last content that was built and written, Next the one being written: until that is confirmed the file
	// may hold either.
	Base, Next string
}

// Published returns what was written, by file. A file that was never written is absent.
func (s *Store) Published(ctx context.Context) (map[string]Published, error) {
	out := map[string]Published{}
	// From the writer: it must see what the writer did last.
	return out, each(ctx, s.write, "read published files", func(r row) error {
		var file string
		var p Published
		err := r.Scan(&file, &p.Base, &p.Next)
		out[file] = p
		return err
	}, "SELECT file, base, next FROM published")
}

// SavePublished records what was written into the given files.
func (s *Store) SavePublished(ctx context.Context, files map[string]Published) error {
	return s.tx(ctx, "save published files", func(t *tx) {
		for file, p := range files {
			t.exec("INSERT INTO published (file, base, next) VALUES (?, ?, ?) ON CONFLICT (file) "+
				"DO UPDATE SET base = excluded.base, next = excluded.next", file, p.Base, p.Next)
		}
	})
}

// SavePlan keeps the files of the plan being started, encrypted, replacing those of the one before.
func (s *Store) SavePlan(ctx context.Context, files map[string][]byte) error {
	return s.tx(ctx, "save plan", func(t *tx) {
		t.exec("DELETE FROM plan")
		for file, body := range files {
			t.exec("INSERT INTO plan (file, body) VALUES (?, ?)", file, s.cipher.encrypt("plan/"+file, body))
		}
	})
}

// Plan returns the files of the plan that was started last, or ErrNotFound.
func (s *Store) Plan(ctx context.Context) (map[string][]byte, error) {
	files, err := s.files(ctx, "read plan", "SELECT file, 'plan/' || file, body FROM plan")
	if err == nil && len(files) == 0 {
		return nil, fmt.Errorf("read plan: %w", ErrNotFound)
	}
	return files, err
}

// files returns encrypted files by name: query selects the name, the associated data and the content.
func (s *Store) files(ctx context.Context, what, query string, args ...any) (map[string][]byte, error) {
	out := map[string][]byte{}
	return out, each(ctx, s.read, what, func(r row) error {
		var file, place, body string
		err := r.Scan(&file, &place, &body)
		if err == nil {
			out[file], err = s.cipher.decrypt(place, body)
		}
		return err
	}, query, args...)
}
