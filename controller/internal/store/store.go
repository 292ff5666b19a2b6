// Package store is the database: tables, migrations and encryption. It does not depend on the rules for its content, on
// HTTP, on containers or on the files of the exchange folder.
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
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/pressly/goose/v3"
	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/controller/internal/fault"
)

// The errors that callers may branch on.
var (
	// ErrNotFound: no such row.
	ErrNotFound = fault.NotFound.New("not found")
	// ErrNameTaken: another row has the name, ignoring case.
	ErrNameTaken = fault.NameTaken.New("the name is taken")
	// ErrStale: the row has changed since it was read.
	ErrStale = fault.Stale.New("was changed in the meantime")
	// ErrOpen: the run is in progress.
	ErrOpen = fault.Conflict.New("the run is in progress; stop it first")
	// ErrOlder: the database has the schema of an older version; opening it for writing migrates it.
	ErrOlder = errors.New("the database is from an older version; start the controller once to migrate it")
	// ErrNewer: the database has the schema of a newer version.
	ErrNewer = errors.New("the database is from a newer version of the controller")
	// ErrForeign: the database belongs to another program.
	ErrForeign = errors.New("the database belongs to another program")
)

//go:embed migrations/*.sql
var migrations embed.FS

const maxReaders = 4

// Store is an open database. It is safe for concurrent use.
type Store struct {
	// write has one connection: SQLite has one writer at a time, and waiting in Go is fair where its busy loop is not.
	write, read *sqlx.DB
	fs          afero.Fs
	path        string
	cipher      cipherBox
	now         func() time.Time
}

// Open opens the database at path, creating it and its folder if missing, and migrates it to the current schema. fsys
// must be the file system that holds path, because SQLite opens the file itself. key encrypts the secrets. The error is
// ErrNewer if a later version wrote the database and ErrForeign if another program did, which leaves it unchanged; it
// is ErrWrongKey if key is not the one of the database.
func Open(ctx context.Context, fsys afero.Fs, path string, key Key, now func() time.Time) (*Store, error) {
	if err := fsys.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("create folder of database: %w", err)
	}
	if err := checkForeign(ctx, fsys, path); err != nil {
		return nil, err
	}
	// SQLite would make it readable by all; its other files get the mode of this one.
	f, err := fsys.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("create database: %w", err)
	}
	box, err := newCipher(key)
	if err != nil {
		return nil, err
	}
	s := &Store{fs: fsys, path: path, cipher: box, now: now}
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

// OpenReadOnly opens the database at path to read what is not encrypted, also while a controller has it open. Methods
// that write must not be called. The errors are fs.ErrNotExist, ErrNewer and ErrOlder.
func OpenReadOnly(ctx context.Context, fsys afero.Fs, path string) (*Store, error) {
	if _, err := fsys.Stat(path); err != nil { // SQLite would create it
		return nil, fmt.Errorf("open database: %w", err)
	}
	read, err := connect(path, url.Values{"_query_only": {"on"}}, maxReaders)
	if err != nil {
		return nil, err
	}
	s := &Store{read: read, fs: fsys, path: path, now: time.Now}
	if err := s.checkVersion(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// connect opens a pool. The options are in its name, so that every connection has them.
func connect(path string, more url.Values, connections int) (*sqlx.DB, error) {
	more.Set("_busy_timeout", "5000")
	more.Set("_journal_mode", "WAL")
	more.Set("_foreign_keys", "on")
	// Committed writes survive a power cut.
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
		return versionError(version, newest, ErrNewer)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrate database: %w", err)
	}
	return nil
}

// address returns the data source name of the file at path.
func address(path string, settings url.Values) string {
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + settings.Encode()
}

// Close closes the database. The store must not be used afterwards.
func (s *Store) Close() error {
	if s.write == nil {
		return s.read.Close()
	}
	return errors.Join(s.read.Close(), s.write.Close())
}

// Ping checks that the database answers.
func (s *Store) Ping(ctx context.Context) error { return s.read.PingContext(ctx) }

// Probe checks that the database can be written.
func (s *Store) Probe(ctx context.Context) error {
	// A number that SQLite keeps for applications and that nothing reads.
	_, err := s.write.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", s.now().Unix()&0x7fffffff))
	return s.diskError(err)
}
