package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/jmoiron/sqlx"
	sqlite "github.com/mattn/go-sqlite3"
)

// row is one row of a result, a *sql.Row or *sql.Rows.
type row interface{ Scan(into ...any) error }

// value reads a row of one column.
func value[T any](r row) (v T, err error) {
	err = r.Scan(&v)
	return v, err
}

// get reads one row; what names the operation in errors. The error is ErrNotFound if there is no row.
func get[T any](ctx context.Context, s *Store, what string, read func(row) (T, error), query string,
	args ...any) (T, error) {
	v, err := read(s.read.QueryRowContext(ctx, query, args...))
	return v, wrap(what, err)
}

// list reads all rows; what names the operation in errors.
func list[T any](ctx context.Context, s *Store, what string, read func(row) (T, error), query string,
	args ...any) ([]T, error) {
	out := []T{}
	err := each(ctx, s.read, what, func(r row) error {
		v, err := read(r)
		out = append(out, v)
		return err
	}, query, args...)
	return out, err
}

// each calls read for every row; what names the operation in errors.
func each(ctx context.Context, db *sqlx.DB, what string, read func(row) error, query string, args ...any) error {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return wrap(what, err)
	}
	defer rows.Close() //nolint:errcheck // only read
	for err == nil && rows.Next() {
		err = read(rows)
	}
	return wrap(what, errors.Join(err, rows.Err()))
}

// exec runs a statement that has to change a row, else the error is ErrNotFound; what names the operation in errors.
func (s *Store) exec(ctx context.Context, what, query string, args ...any) error {
	r, err := s.write.ExecContext(ctx, query, args...)
	return s.wrapWrite(what, changed(r, err))
}

// tx is a transaction of the writer. After an error its methods do nothing, and the transaction fails with that error.
type tx struct {
	*sqlx.Tx
	ctx context.Context
	now timestamp
	err error
}

// tx runs do in a transaction; what names the operation in errors.
func (s *Store) tx(ctx context.Context, what string, do func(t *tx)) error {
	begun, err := s.write.BeginTxx(ctx, nil)
	if err == nil {
		t := &tx{begun, ctx, s.timestamp(), nil}
		if do(t); t.err == nil {
			t.err = t.Commit()
		} else {
			_ = t.Rollback() // SQLite itself has rolled back some failures, such as a write to a full disk
		}
		err = t.err
	}
	return s.wrapWrite(what, err)
}

// exec runs a statement.
func (t *tx) exec(query string, args ...any) {
	if t.err == nil {
		_, t.err = t.ExecContext(t.ctx, query, args...)
	}
}

// change runs a statement that has to change a row, else the error is ErrNotFound.
func (t *tx) change(query string, args ...any) {
	if t.err == nil {
		t.err = changed(t.ExecContext(t.ctx, query, args...))
	}
}

// get reads one row.
func (t *tx) get(into any, query string, args ...any) {
	if t.err == nil {
		t.err = t.GetContext(t.ctx, into, query, args...)
	}
}

// save inserts a row with values by column if id is 0, else it updates the row of that ID, and returns the ID. The
// error is ErrNotFound if there is no such row.
func (t *tx) save(table string, id int64, values map[string]any) int64 {
	values["updated_at"] = t.now
	var query string
	if id == 0 {
		values["created_at"] = t.now
		names := slices.Sorted(maps.Keys(values))
		query = fmt.Sprintf("INSERT INTO %s (%s) VALUES (:%s) RETURNING id", table, strings.Join(names, ", "),
			strings.Join(names, ", :"))
	} else {
		var set []string
		for name := range values {
			set = append(set, name+" = :"+name)
		}
		values["id"] = id
		query = fmt.Sprintf("UPDATE %s SET %s WHERE id = :id RETURNING id", table, strings.Join(set, ", "))
	}
	query, args, err := sqlx.Named(query, values)
	if t.err == nil {
		t.err = err
	}
	t.get(&id, query, args...)
	return id
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

// wrap names the operation in an error and maps errors of SQLite to those that callers branch on.
func wrap(what string, err error) error {
	var failed sqlite.Error
	switch {
	case err == nil, errors.Is(err, ErrWrongKey): // which concerns the database, not the operation
		return err
	case errors.Is(err, sql.ErrNoRows):
		err = ErrNotFound
	case errors.As(err, &failed) && failed.ExtendedCode == sqlite.ErrConstraintUnique:
		err = ErrNameTaken
	}
	return fmt.Errorf("%s: %w", what, err)
}

func (s *Store) wrapWrite(what string, err error) error { return wrap(what, s.diskError(err)) }

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

// timestampLayout is RFC 3339 of constant width, so that texts sort as times do.
const timestampLayout = "2006-01-02T15:04:05.000Z"

// timestamp is a time as a column. The zero time is NULL.
type timestamp time.Time

func (s *Store) timestamp() timestamp { return timestamp(s.now()) }

// Value implements driver.Valuer.
func (t timestamp) Value() (driver.Value, error) {
	if time.Time(t).IsZero() {
		return nil, nil
	}
	return time.Time(t).UTC().Format(timestampLayout), nil
}

// Scan implements sql.Scanner.
func (t *timestamp) Scan(v any) error {
	text, _ := v.(string)
	if v == nil {
		*t = timestamp{}
		return nil
	}
	read, err := time.Parse(time.RFC3339Nano, text)
	*t = timestamp(read)
	return err
}

// optional reads a time that may be NULL, which is nil.
type optional struct{ into **time.Time }

// Scan implements sql.Scanner.
func (o optional) Scan(v any) error {
	*o.into = nil
	if v == nil {
		return nil
	}
	*o.into = new(time.Time)
	return (*timestamp)(*o.into).Scan(v)
}

// asJSON is a column of JSON text. An empty one leaves the value unchanged.
type asJSON struct{ value any }

// Value implements driver.Valuer.
func (j asJSON) Value() (driver.Value, error) {
	data, err := json.Marshal(j.value)
	return string(data), err
}

// Scan implements sql.Scanner.
func (j asJSON) Scan(v any) error {
	text, _ := v.(string)
	if text == "" {
		return nil
	}
	return json.Unmarshal([]byte(text), j.value)
}
