package cli_test

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/mattn/go-sqlite3" // the driver

	"github.com/puttrix/trafficinator/controller/internal/cli"
	"github.com/puttrix/trafficinator/shared/exitcode"
)

// originals are tables and rows as the original writes them.
const originals = `
CREATE TABLE config_presets (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, description TEXT,
	config_json TEXT NOT NULL, created_at TEXT NOT NULL, updated_at TEXT NOT NULL);
CREATE TABLE funnels (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, description TEXT, config_json TEXT NOT NULL,
	probability REAL NOT NULL DEFAULT 0, priority INTEGER NOT NULL DEFAULT 0, enabled INTEGER NOT NULL DEFAULT 1,
	created_at TEXT NOT NULL, updated_at TEXT NOT NULL);
INSERT INTO config_presets VALUES (1, 'Shop', NULL, '{"matomo_url":"https://m.test/matomo.php","matomo_site_id":3,"matomo_token_auth":"` + token + `",
	"target_visits_per_day":3000.0,"randomize_visitor_countries":true,"timezone":"CET","backfill_days_back":3,"backfill_seed":null}', 't', 't');
INSERT INTO config_presets VALUES (2, 'Bad', 'words', '{"concurrency":0}', 't', 't');
INSERT INTO funnels VALUES (1, 'Way', 'words', '{"steps":[{"type":"pageview","url":"https://shop.example.test/","delay_seconds_min":1,"delay_seconds_max":2,
	"event_value":null}],"exit_after_completion":true}', 0.25, 4, 0, 't', 't');
`

func TestPresetsAndFunnelsOfTheOriginalAreTakenOver(t *testing.T) {
	c := start(t)
	path := filepath.Join(t.TempDir(), "presets.db")
	db, err := sql.Open("sqlite3", path)
	if err == nil {
		_, err = db.ExecContext(t.Context(), originals)
		err = errors.Join(err, db.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var out, complaints written
	h := c.host
	h.Stdout, h.Stderr = &out, &complaints
	// What can be saved is, and the rest is told.
	if code := cli.Run(t.Context(), []string{"import-original", "--db", path, "--api-base", c.base},
		h); code != exitcode.Internal {
		t.Errorf("exit code %d, want that of a refusal", code)
	}
	const want = `preset "Shop": saved; left out: BACKFILL_DAYS_BACK, MATOMO_SITE_ID, MATOMO_TOKEN_AUTH, MATOMO_URL` +
		"\n" + `funnel "Way": saved` + "\n"
	if out.String() != want {
		t.Errorf("got  %s\nwant %s", out.String(), want)
	}
	if text := complaints.String(); !strings.Contains(text, `preset "Bad": `) ||
		!strings.Contains(text, `CONCURRENCY="0": is below 1`) || strings.Contains(text, token) {
		t.Errorf("complaints: %s", text)
	}
	preset, err := json.Marshal(c.must(200, "GET", "/api/presets/1", "")["config"])
	if text := string(preset); err != nil || !strings.Contains(text, `"TARGET_VISITS_PER_DAY":3000`) ||
		strings.Contains(text, "m.test") {
		t.Errorf("the preset: %s, %v", preset, err)
	}
	way, _ := c.must(200, "GET", "/api/funnels/1", "")["config"].(map[string]any)
	if way["probability"] != 0.25 || way["priority"] != 4.0 || way["enabled"] != false {
		t.Errorf("the funnel: %v", way)
	}
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the file was written to: %v", err)
	}
	for _, args := range [][]string{nil, {"--db", path + ".none"}, {"--db", filepath.Join(c.dir, "none")}} {
		code := cli.Run(t.Context(), append([]string{"import-original", "--api-base", c.base}, args...), h)
		if code != exitcode.BadConfig {
			t.Errorf("%v: exit code %d", args, code)
		}
	}
}
