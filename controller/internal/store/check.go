package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/jmoiron/sqlx"
	"github.com/pressly/goose/v3"
	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/controller/internal/original"
)

// check reads everything that is encrypted and looks for missing tables once, so that a wrong key or a damaged database
// is reported at the start and not at the first use.
func (s *Store) check(ctx context.Context) error {
	want, err := tables()
	if err != nil {
		return err
	}
	have, err := tablesOf(ctx, s.read)
	if err != nil {
		return err
	}
	if want = slices.DeleteFunc(want, func(name string) bool { return slices.Contains(have, name) }); len(want) > 0 {
		return fmt.Errorf(
			"the database %s is missing the tables %s; restore a backup",
			s.path,
			strings.Join(want, ", "),
		)
	}
	if _, err := s.Config(ctx); err != nil {
		return err
	}
	if _, err := s.Targets(ctx); err != nil {
		return err
	}
	if _, err := s.Plan(ctx); !errors.Is(err, ErrNotFound) {
		return err
	}
	return nil
}

// tablesOf returns the tables of a database, without those of SQLite itself.
func tablesOf(ctx context.Context, db *sqlx.DB) (out []string, err error) {
	err = db.SelectContext(
		ctx,
		&out,
		"SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
	)
	return out, wrap("list tables", err)
}

var tableChange = regexp.MustCompile(`(?mi)^(?:CREATE TABLE (\w+)|DROP TABLE (\w+)|ALTER TABLE (\w+) RENAME TO (\w+))`)

// tables returns the tables that the migrations leave.
func tables() ([]string, error) {
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return nil, fmt.Errorf("list migrations: %w", err)
	}
	var out []string
	for _, file := range files { // in order
		text, err := migrations.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("read migration: %w", err)
		}
		for _, change := range tableChange.FindAllStringSubmatch(string(text), -1) {
			made, gone, renamed, now := change[1], change[2], change[3], change[4]
			out = slices.DeleteFunc(out, func(name string) bool { return name == gone || name == renamed })
			if name := made + now; name != "" {
				out = append(out, name)
			}
		}
	}
	return out, nil
}

func (s *Store) checkVersion(ctx context.Context) error {
	version, err := get(
		ctx,
		s,
		"read version of database",
		value[int64],
		"SELECT max(version_id) FROM goose_db_version",
	)
	if err != nil {
		return err
	}
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	var newest int64 // of the last name: they are sorted
	if _, err := fmt.Sscanf(files[len(files)-1], "migrations/%d_", &newest); err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	switch {
	case version > newest:
		return versionError(version, newest, ErrNewer)
	case version < newest:
		return versionError(version, newest, ErrOlder)
	}
	return nil
}

func versionError(version, newest int64, err error) error {
	return fmt.Errorf("open database of schema version %d, expected %d: %w", version, newest, err)
}

// checkForeign refuses the database of another program before anything is written into it. A file that is no database
// is left for SQLite to report.
func checkForeign(ctx context.Context, fsys afero.Fs, path string) error {
	if info, err := fsys.Stat(path); err != nil || info.Size() == 0 {
		return nil //nolint:nilerr // a new one
	}
	db, err := sqlx.Open("sqlite3", address(path, url.Values{"mode": {"ro"}}))
	if err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	defer db.Close() //nolint:errcheck // only read
	tables, err := tablesOf(ctx, db)
	if err != nil {
		return nil //nolint:nilerr // opening it for writing reports the error
	}
	if len(tables) == 0 || slices.Contains(tables, goose.DefaultTablename) {
		return nil
	}
	err = fmt.Errorf("CONFIG_DB_PATH=%q: %w (tables: %s); set it to another file or leave it unset", path, ErrForeign,
		strings.Join(tables, ", "))
	if slices.Contains(tables, original.Table) {
		err = fmt.Errorf("%w; `controller import-original --db FILE` imports its presets and funnels, see "+
			"docs/from-the-original.md", err)
	}
	return err
}
