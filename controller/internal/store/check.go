package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
)

// check reads everything that is encrypted and looks for missing tables once, so that a wrong key or a damaged database
// is reported at the start and not at the first use.
func (s *Store) check(ctx context.Context) error {
	want, err := tables()
	if err != nil {
		return err
	}
	var have []string
	if err := s.read.SelectContext(ctx, &have, "SELECT name FROM sqlite_master WHERE type = 'table'"); err != nil {
		return fmt.Errorf("list tables: %w", err)
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
