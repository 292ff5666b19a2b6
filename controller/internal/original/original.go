// Package original reads the database of the tool that this one succeeds, so that what was saved there can be saved
// here.
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

// Table is the one by which the original's database is known.
const Table = "config_presets"

// Entry is a preset or a funnel as the API of this tool takes it.
type Entry struct {
	// Kind is preset or funnel.
	Kind, Name string
	// Body is JSON.
	Body []byte
	// LeftOut names settings that are no part of a preset here, by env key.
	LeftOut []string
}

type row struct {
	Name        string  `db:"name"`
	Description *string `db:"description"`
	Config      []byte  `db:"config_json"`
	Probability float64 `db:"probability"`
	Priority    int     `db:"priority"`
	Enabled     bool    `db:"enabled"`
}

// Read returns the presets, then the funnels, of the database at path in the order in which they were made, and writes
// nothing. fsys must be the one that holds path on disk, because SQLite opens it by itself.
func Read(ctx context.Context, fsys afero.Fs, path string) ([]Entry, error) {
	if _, err := fsys.Stat(path); err != nil {
		return nil, fmt.Errorf("read database: %w", err)
	}
	db, err := sqlx.Open("sqlite3", "file:"+(&url.URL{Path: path}).EscapedPath()+"?mode=ro")
	if err != nil {
		return nil, fmt.Errorf("read database: %w", err)
	}
	defer db.Close() //nolint:errcheck // only read
	var presets, funnels []row
	if err := db.SelectContext(ctx, &presets, "SELECT name, description, config_json FROM "+Table+
		" ORDER BY id"); err != nil {
		return nil, fmt.Errorf("read presets: %w", err)
	}
	const query = "SELECT name, description, config_json, probability, priority, enabled FROM funnels ORDER BY id"
	if err := db.SelectContext(ctx, &funnels, query); err != nil {
		return nil, fmt.Errorf("read funnels: %w", err)
	}
	out := make([]Entry, 0, len(presets)+len(funnels))
	for _, r := range presets {
		e, err := r.entry("preset", func(config map[string]any) []string {
			var left []string
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
		})
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	for _, r := range funnels {
		// The original decides by the columns.
		e, err := r.entry("funnel", func(config map[string]any) []string {
			config["probability"], config["priority"], config["enabled"] = r.Probability, r.Priority, r.Enabled
			return nil
		})
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, nil
}

func (r row) entry(kind string, change func(config map[string]any) (left []string)) (Entry, error) {
	var config map[string]any
	if err := json.Unmarshal(r.Config, &config); err != nil || config == nil {
		return Entry{}, fmt.Errorf("read %s %q: its settings are no JSON object", kind, r.Name)
	}
	e := Entry{Kind: kind, Name: r.Name, LeftOut: change(config)}
	body := map[string]any{"name": r.Name, "config": config}
	if r.Description != nil {
		body["description"] = *r.Description
	}
	var err error
	e.Body, err = json.Marshal(body)
	return e, err
}
