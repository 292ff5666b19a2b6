// Package store owns the database: its tables, its migrations and what is sealed in it. It knows no rule of what it
// keeps and nothing of HTTP, containers or the files of the exchange folder.
package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/jmoiron/sqlx"
	sqlite "github.com/mattn/go-sqlite3"
	"github.com/pressly/goose/v3"
	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/controller/internal/fault"
	"github.com/puttrix/trafficinator/controller/internal/original"
)

// The errors on which a caller may branch.
var (
	// ErrNotFound: there is no such row.
	ErrNotFound = fault.NotFound.New("not found")
	// ErrNameTaken: another row has the name; names differ in more than case.
	ErrNameTaken = fault.NameTaken.New("the name is taken")
	// ErrStale: the row was changed since it was read.
	ErrStale = fault.Stale.New("was changed by somebody else in the meantime")
	// ErrOpen: the run goes on.
	ErrOpen = fault.Conflict.New("goes on; stop it first")
	// ErrOlder: the database is of a version that only a start brings up to date.
	ErrOlder = errors.New("the database is of an older version; start the controller once, which brings it up to date")
	// ErrNewer: the database was written by a later version.
	ErrNewer = errors.New("the database is of a newer version of the controller")
	// ErrForeign: the database was written by another program.
	ErrForeign = errors.New("another program wrote this database")
)

//go:embed migrations/*.sql
var migrations embed.FS

const maxReaders = 4

// Store is an open database. All its methods may be called at once.
type Store struct {
	// write has one connection: SQLite has one writer at a time, and waiting in Go is fair where its busy loop is not.
	write, read *sqlx.DB
	fs          afero.Fs
	path        string
	seal        sealer
	now         func() time.Time
}

// Open opens the database at path, making it and its folder where they are missing, and brings it to the present
// schema. fsys must be the one that holds path on disk, because SQLite opens it by itself. key seals the secrets.
// The error is ErrNewer where a later version wrote the database and ErrForeign where another program did, which then
// stays as it is; it names the key where that is the wrong one.
func Open(ctx context.Context, fsys afero.Fs, path string, key Key, now func() time.Time) (*Store, error) {
	if err := fsys.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("make folder of database: %w", err)
	}
	if err := ours(ctx, fsys, path); err != nil {
		return nil, err
	}
	// SQLite would make it readable for all; its other files take over the mode of this one.
	f, err := fsys.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("make database: %w", err)
	}
	if err := f.Close(); err != nil {
		return nil, fmt.Errorf("make database: %w", err)
	}
	seal, err := newSealer(key)
	if err != nil {
		return nil, err
	}
	s := &Store{fs: fsys, path: path, seal: seal, now: now}
	if s.write, err = connect(path, url.Values{"_txlock": {"immediate"}}, 1); err != nil {
		return nil, err
	}
	if err := migrate(ctx, s.write.DB); err != nil {
		return nil, errors.Join(fmt.Errorf("CONFIG_DB_PATH=%q: %w", path, err), s.write.Close())
	}
	if s.read, err = connect(path, url.Values{"_query_only": {"on"}}, maxReaders); err != nil {
		return nil, errors.Join(err, s.write.Close())
	}
	if err := s.check(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// connect opens a pool. The settings are in its name, so that every connection has them.
func connect(path string, more url.Values, connections int) (*sqlx.DB, error) {
	more.Set("_busy_timeout", "5000")
	more.Set("_journal_mode", "WAL")
	more.Set("_foreign_keys", "on")
	// What was acknowledged survives a power cut too.
	more.Set("_synchronous", "FULL")
	db, err := sqlx.Open("sqlite3", address(path, more))
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db, nil
}

func migrate(ctx context.Context, db *sql.DB) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	version, err := p.GetDBVersion(ctx)
	if err != nil {
		return fmt.Errorf("read version of database: %w", err)
	}
	sources := p.ListSources()
	if newest := sources[len(sources)-1].Version; version > newest {
		return newer(version, newest)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrate database: %w", err)
	}
	return nil
}

// ours refuses the database of another program before anything is written into it. What is no database at all is for
// SQLite to say.
func ours(ctx context.Context, fsys afero.Fs, path string) error {
	if info, err := fsys.Stat(path); err != nil || info.Size() == 0 {
		return nil //nolint:nilerr // a new one
	}
	db, err := sqlx.Open("sqlite3", address(path, url.Values{"mode": {"ro"}}))
	if err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	defer db.Close() //nolint:errcheck // only read
	var tables []string
	const query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
	if err := db.SelectContext(ctx, &tables, query); err != nil {
		return nil //nolint:nilerr // the next to open it says what is wrong
	}
	if len(tables) == 0 || slices.Contains(tables, goose.DefaultTablename) {
		return nil
	}
	err = fmt.Errorf("CONFIG_DB_PATH=%q: %w (its tables: %s); name a file of the controller's own or leave "+
		"the setting out",
		path, ErrForeign, strings.Join(tables, ", "))
	if slices.Contains(tables, original.Table) {
		err = fmt.Errorf("%w; `controller import-original --db FILE` takes its presets and funnels over, see "+
			"docs/from-the-original.md", err)
	}
	return err
}

// address is the name by which SQLite opens the file at path.
func address(path string, settings url.Values) string {
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + settings.Encode()
}

func newer(version, newest int64) error {
	return fmt.Errorf("open database of version %d, this one knows %d: %w", version, newest, ErrNewer)
}

// Close closes the database; nothing may use the store afterwards.
func (s *Store) Close() error {
	if s.write == nil {
		return s.read.Close()
	}
	return errors.Join(s.read.Close(), s.write.Close())
}

// Ping says whether the database answers.
func (s *Store) Ping(ctx context.Context) error { return s.read.PingContext(ctx) }

// Probe writes a little to the database and returns the error of it.
func (s *Store) Probe(ctx context.Context) error {
	// A number that SQLite keeps for its users and that nobody reads: no row comes or goes.
	_, err := s.write.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", s.now().Unix()&0x7fffffff))
	return s.placed(err)
}

// told gives the errors of SQLite their meaning for callers.
func told(err error) error {
	var failed sqlite.Error
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return ErrNotFound
	case errors.As(err, &failed) && failed.ExtendedCode == sqlite.ErrConstraintUnique:
		return ErrNameTaken
	}
	return err
}

// within runs do in a transaction of the writer.
func (s *Store) within(ctx context.Context, do func(tx *sqlx.Tx) error) error {
	tx, err := s.write.BeginTxx(ctx, nil)
	if err != nil {
		return s.placed(err)
	}
	if err := do(tx); err != nil {
		// SQLite itself has rolled back some of what fails, such as a write to a full disk.
		_ = tx.Rollback()
		return s.placed(told(err))
	}
	return s.placed(tx.Commit())
}

// one runs a statement that must meet a row.
func (s *Store) one(ctx context.Context, query string, args ...any) error {
	r, err := s.write.ExecContext(ctx, query, args...)
	if err != nil {
		return s.placed(told(err))
	}
	if n, err := r.RowsAffected(); err != nil || n > 0 {
		return err
	}
	return ErrNotFound
}

// placed makes errors of SQLite that are those of a disk errors of the database's file, as other writes to a disk have
// them.
func (s *Store) placed(err error) error {
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
