package cli_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/mattn/go-sqlite3"

	"github.com/puttrix/trafficinator/controller/internal/cli"
	"github.com/puttrix/trafficinator/shared/exitcode"
)

// refused is how a start ended that is expected to, with what it said.
func (c *controller) refused() (code int, said string) {
	c.t.Helper()
	return cli.Run(c.t.Context(), []string{"serve"}, c.host), c.logs.String()
}

func (c *controller) path(name string) string { return filepath.Join(c.dir, "data", name) }

func (c *controller) write(name, text string, mode os.FileMode) {
	c.t.Helper()
	if err := os.MkdirAll(filepath.Dir(c.path(name)), 0o700); err != nil {
		c.t.Fatal(err)
	}
	if err := os.WriteFile(c.path(name), []byte(text), mode); err != nil {
		c.t.Fatal(err)
	}
	if err := os.Chmod(c.path(name), mode); err != nil { // whatever the umask
		c.t.Fatal(err)
	}
}

func TestAnAPIKeyThatOpensNothingRefusesTheStart(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"x", "fifteen-letters", "sixteen-letters-\nand-a-line", "sixteen-letters-\x00",
		strings.Repeat("a", 50<<20)} {
		c := prepare(t, t.TempDir())
		c.write("controller/api-key", bad, 0o600)
		code, said := c.refused()
		if code != exitcode.BadConfig || !strings.Contains(said, "api-key") ||
			!strings.Contains(said, "delete the file") {
			t.Errorf("%.20q: %d %.300s", bad, code, said)
		}
	}
}

func TestModesThatLetOthersInAreSaid(t *testing.T) {
	t.Parallel()
	c := prepare(t, t.TempDir())
	c.write("controller/api-key", "a-key-that-others-can-read", 0o644)
	if err := os.Mkdir(c.path("exchange"), 0o755); err != nil {
		t.Fatal(err)
	}
	c.begin()
	for _, want := range []string{c.path("controller/api-key") + " mode=0644", c.path("exchange") + " mode=0755"} {
		if said := c.logs.String(); !strings.Contains(said, want) || strings.Count(said, "mode=0") != 2 {
			t.Errorf("%q and one more are not said: %s", want, said)
		}
	}
}

func TestHalfWrittenFilesOfAnEarlierLifeAreRemoved(t *testing.T) {
	t.Parallel()
	c := prepare(t, t.TempDir())
	gone := []string{
		"exchange/.loadgen.env.123456789", "exchange/jobs/r1/.targets.json.123456789", "exchange/.probe.123456789",
		"controller/.secret-key.123456789",
		"controller/.backup-123456789.db", "controller/.backup-123456789.db-journal",
	}
	stay := []string{"exchange/urls.txt", "exchange/.hidden", "exchange/.mine.2026", "controller/backup-123456789.db"}
	for _, name := range append(stay, gone...) {
		c.write(name, token, 0o600)
	}
	c.begin()
	for _, name := range gone {
		if _, err := os.Stat(c.path(name)); !os.IsNotExist(err) {
			t.Errorf("%s is there still: %v", name, err)
		}
	}
	for _, name := range stay {
		if _, err := os.Stat(c.path(name)); err != nil {
			t.Error(err)
		}
	}
}

func TestAStartThatIsRefusedLeavesNoKeyBehind(t *testing.T) {
	t.Parallel()
	c := start(t)
	c.must(200, "PUT", "/api/config", `{"config":{"MATOMO_TOKEN_AUTH":"`+token+`"}}`)
	c.end()
	if err := os.Remove(c.path("controller/secret-key")); err != nil {
		t.Fatal(err)
	}
	if code, said := c.refused(); code != exitcode.BadConfig ||
		!strings.Contains(said, "restore the key file, or set SECRET_KEY_FILE to it") {
		t.Errorf("%d %s", code, said)
	}
	if _, err := os.Stat(c.path("controller/secret-key")); !os.IsNotExist(err) {
		t.Errorf("a key that does not open the database was written: %v", err)
	}
}

func TestAKeyThatIsOfNoUseIsBadConfiguration(t *testing.T) {
	t.Parallel()
	c := start(t)
	c.must(200, "PUT", "/api/config", `{"config":{"MATOMO_TOKEN_AUTH":"`+token+`"}}`)
	c.end()
	own := c.path("controller/secret-key")
	other := c.path("other")
	c.write("other", strings.Repeat("ab", 32), 0o600)
	for _, named := range []string{c.path("none"), other, c.dir} {
		c.host.Env["SECRET_KEY_FILE"] = named
		if code, said := c.refused(); code != exitcode.BadConfig ||
			!strings.Contains(said, `error: SECRET_KEY_FILE="`+named+`": `) ||
			!strings.Contains(said, "; set it to the key file") {
			t.Errorf("%s: exit code %d, %s", named, code, said)
		}
	}
	delete(c.host.Env, "SECRET_KEY_FILE")
	c.write("controller/secret-key", "hush", 0o600)
	code, said := c.refused()
	if code != exitcode.BadConfig ||
		!strings.Contains(said, "error: "+own+": does not contain 64 hex digits; restore the key file") ||
		strings.Contains(said, "hush") {
		t.Errorf("exit code %d, %s", code, said)
	}
}

func TestAnEmptyDatabaseBesideOldFilesIsSaid(t *testing.T) {
	t.Parallel()
	c := start(t)
	c.must(200, "PUT", "/api/config", `{"config":{"MATOMO_TOKEN_AUTH":"`+token+`"}}`)
	if said := c.logs.String(); strings.Contains(said, "earlier one") {
		t.Errorf("the first start of all warns: %s", said)
	}
	c.end()
	for _, name := range []string{"", "-wal", "-shm"} {
		_ = os.Remove(c.path("controller/trafficinator.db" + name)) // some are not there
	}
	c.write("controller/trafficinator.db", "", 0o600)
	c.serve()
	if said := c.logs.String(); !strings.Contains(said, "the database is new, but files of an earlier one are here") ||
		!strings.Contains(said, c.path("exchange/loadgen.env")) {
		t.Errorf("nothing is said of what is gone: %s", said)
	}
}

func TestADatabaseThatLacksATableRefusesTheStart(t *testing.T) {
	t.Parallel()
	c := start(t)
	c.end()
	db, err := sql.Open("sqlite3", c.path("controller/trafficinator.db"))
	if err == nil {
		_, err = db.Exec("DROP TABLE audit; DROP TABLE targets")
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if code, said := c.refused(); code != exitcode.Internal ||
		!strings.Contains(said, "is missing the tables targets, audit; restore a backup") {
		t.Errorf("%d %s", code, said)
	}
}
