// Package original reads presets and funnels from the database of the tool that this one succeeds.
package original

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/jmoiron/sqlx"
	_ "github.com/mattn/go-sqlite3" // the driver
	"github.com/spf13/afero"
)

// Table identifies the original's database.
const Table = "config_presets"

// Entry is a preset or a funnel as the API of this tool takes it.
type Entry struct {
	// Kind is preset or funnel.
	Kind, Name string
	// Body is JSON.
	Body []byte
	// LeftOut names settings that are not part of a preset here, by env key.
	LeftOut []string
}

// row is a preset or a funnel of the original.
type row struct {
	Name, Description string
	Config            []byte `db:"config_json"`
	Probability       float64
	Priority          int
	Enabled           bool
}

// Read returns the presets, then the funnels, of the database at path in the order of their creation, and writes
// nothing. fsys must be the file system that holds path, because SQLite opens the file itself.
func Read(ctx context.Context, fsys afero.Fs, path string) ([]Entry, error) {
	if _, err := fsys.Stat(path); err != nil {
		return nil, fmt.Errorf("read database: %w", err)
	}
	db, err := sqlx.Open("sqlite3", "file:"+(&url.URL{Path: path}).EscapedPath()+"?mode=ro")
	if err != nil {
		return nil, fmt.Errorf("read database: %w", err)
	}
	defer db.Close() //nolint:errcheck // only read
	presets, err := read(ctx, db, "preset", "0 AS probability, 0 AS priority, 0 AS enabled FROM "+Table, leaveOut)
	if err != nil {
		return nil, err
	}
	funnels, err := read(ctx, db, "funnel", "probability, priority, enabled FROM funnels",
		func(r row, config map[string]any) []string { // the original decides by the columns
			config["probability"], config["priority"], config["enabled"] = r.Probability, r.Priority, r.Enabled
			return nil
		})
	return append(presets, funnels...), err
}

// leaveOut removes settings that are not part of a preset here, and returns the env keys of those that are set.
func leaveOut(_ row, config map[string]any) (left []string) {
	maps.DeleteFunc(config, func(key string, v any) bool {
		key = strings.ToUpper(key)
		drop := strings.HasPrefix(key, "BACKFILL_") || key == "TARGETS" || key == "DISTRIBUTION_STRATEGY"
		if drop && v != nil && v != "" {
			left = append(left, key)
		}
		return drop
	})
	slices.Sort(left)
	return left
}

// read reads all rows of a kind. columns are the last three of row, with the table; change adapts the settings of a row
// and names those that are left out.
func read(ctx context.Context, db *sqlx.DB, kind, columns string,
	change func(row, map[string]any) []string) (out []Entry, err error) {
	var rows []row
	if err := db.SelectContext(ctx, &rows, "SELECT name, coalesce(description, '') AS description, config_json, "+
		columns+" ORDER BY id"); err != nil {
		return nil, fmt.Errorf("read %ss: %w", kind, err)
	}
	for _, r := range rows {
		var config map[string]any
		if err := json.Unmarshal(r.Config, &config); err != nil || config == nil {
			return nil, fmt.Errorf("read %s %q: its settings are not a JSON object", kind, r.Name)
		}
		e := Entry{Kind: kind, Name: r.Name, LeftOut: change(r, config)}
		e.Body, err = json.Marshal(map[string]any{"name": r.Name, "description": r.Description, "config": config})
		if err != nil {
			return nil, fmt.Errorf("read %s %q: %w", kind, r.Name, err)
		}
		out = append(out, e)
	}
	return out, nil
}
