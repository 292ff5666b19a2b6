package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"github.com/jmoiron/sqlx"
	sqlite "github.com/mattn/go-sqlite3"
)

// get reads one row and converts it; what names the operation in errors. The error is ErrNotFound if there is no row.
func get[R, T any](ctx context.Context, s *Store, what string, convert func(R) (T, error), query string,
	args ...any) (T, error) {
	var row R
	if err := s.read.GetContext(ctx, &row, query, args...); err != nil {
		var none T
		return none, fmt.Errorf("%s: %w", what, mapError(err))
	}
	return convert(row)
}

// list reads rows and converts each; what names the operation in errors.
func list[R, T any](ctx context.Context, s *Store, what string, convert func(R) (T, error), query string,
	args ...any) ([]T, error) {
	var rows []R
	if err := s.read.SelectContext(ctx, &rows, query, args...); err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	out := make([]T, len(rows))
	for i, r := range rows {
		var err error
		if out[i], err = convert(r); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// exec runs a statement that has to change a row, else the error is ErrNotFound; what names the operation in errors.
func (s *Store) exec(ctx context.Context, what, query string, args ...any) error {
	r, err := s.write.ExecContext(ctx, query, args...)
	return s.wrap(what, changed(r, err))
}

// tx runs do in a transaction of the writer; what names the operation in errors.
func (s *Store) tx(ctx context.Context, what string, do func(tx *sqlx.Tx) error) error {
	tx, err := s.write.BeginTxx(ctx, nil)
	if err == nil {
		if err = do(tx); err == nil {
			err = tx.Commit()
		} else {
			_ = tx.Rollback() // SQLite itself has rolled back some failures, such as a write to a full disk
		}
	}
	return s.wrap(what, err)
}

// changed returns err, or ErrNotFound if r changed no row.
func changed(r sql.Result, err error) error {
	if err != nil {
		return err
	}
	if n, err := r.RowsAffected(); err != nil || n > 0 {
		return err
	}
	return ErrNotFound
}

func (s *Store) wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, s.diskError(mapError(err)))
}

// mapError maps errors of SQLite to those that callers branch on.
func mapError(err error) error {
	var failed sqlite.Error
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return ErrNotFound
	case errors.As(err, &failed) && failed.ExtendedCode == sqlite.ErrConstraintUnique:
		return ErrNameTaken
	}
	return err
}

// diskError turns SQLite's errors about the disk into a *fs.PathError of the database file, as other writes return.
func (s *Store) diskError(err error) error {
	var failed sqlite.Error
	if !errors.As(err, &failed) {
		return err
	}
	var why syscall.Errno
	switch failed.Code {
	case sqlite.ErrFull:
		why = syscall.ENOSPC
	case sqlite.ErrReadonly:
		why = syscall.EROFS
	case sqlite.ErrIoErr, sqlite.ErrCantOpen:
		if why = failed.SystemErrno; why == 0 {
			why = syscall.EIO
		}
	default:
		return err
	}
	return fmt.Errorf("%w (%w)", &fs.PathError{Op: "write", Path: s.path, Err: why}, err)
}

// hexSum is the SHA-256 of body in hex.
func hexSum(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// as is the conversion of rows that need none.
func as[T any](row T) (T, error) { return row, nil }
