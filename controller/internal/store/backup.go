package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path/filepath"

	sqlite "github.com/mattn/go-sqlite3"
	"github.com/spf13/afero"
)

// Backup makes a consistent copy of the database while others write, and returns it for reading. Closing it removes
// the copy. Its secrets stay encrypted.
func (s *Store) Backup(ctx context.Context) (io.ReadCloser, error) {
	// TempFile makes it readable only by the owner.
	f, err := afero.TempFile(s.fs, filepath.Dir(s.path), ".backup-*.db")
	if err != nil {
		return nil, fmt.Errorf("make backup: %w", err)
	}
	copied := &backup{f, s.fs}
	if err := s.copyTo(ctx, f.Name()); err != nil {
		return nil, errors.Join(fmt.Errorf("make backup: %w", err), copied.Close())
	}
	return copied, nil
}

type backup struct {
	afero.File
	fs afero.Fs
}

// Close removes the copy.
func (b *backup) Close() error { return errors.Join(b.File.Close(), b.fs.Remove(b.Name())) }

func (s *Store) copyTo(ctx context.Context, path string) (err error) {
	db, err := sql.Open("sqlite3", "file:"+(&url.URL{Path: path}).EscapedPath())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	to, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	from, err := s.read.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	return to.Raw(func(to any) error {
		return from.Raw(func(from any) error { return copyAll(ctx, to, from) })
	})
}

// pages is how many are copied in one step, so that a cancelled request ends soon; a page of SQLite is 4 KiB.
const pages = 1024

func copyAll(ctx context.Context, to, from any) (err error) {
	target, ok1 := to.(*sqlite.SQLiteConn)
	source, ok2 := from.(*sqlite.SQLiteConn)
	if !ok1 || !ok2 {
		return errors.New("not an SQLite connection")
	}
	b, err := target.Backup("main", source, "main")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.Finish()) }()
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		if done, err := b.Step(pages); err != nil || done {
			return err
		}
	}
}
