package cli_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/controller/internal/cli"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/exitcode"
)

// fragile is the machine's file system, of which the exchange folder cannot be written while fault is set.
type fragile struct {
	afero.Fs
	folder string
	fault  atomic.Pointer[syscall.Errno]
}

// OpenFile implements afero.Fs.
func (f *fragile) OpenFile(name string, flag int, perm os.FileMode) (afero.File, error) {
	if fault := f.fault.Load(); fault != nil && flag&(os.O_WRONLY|os.O_RDWR) != 0 && strings.HasPrefix(name, f.folder) {
		return nil, &os.PathError{Op: "open", Path: name, Err: *fault}
	}
	return f.Fs.OpenFile(name, flag, perm)
}

// startFragile is a controller whose exchange folder can be made to fail.
func startFragile(t *testing.T, env map[string]string) (*controller, *fragile) {
	t.Helper()
	fsys := &fragile{Fs: afero.NewOsFs()}
	c := prepare(t, t.TempDir())
	fsys.folder = filepath.Join(c.dir, "data", "exchange")
	c.host.FS = fsys
	for key, v := range env {
		c.host.Env[key] = v
	}
	c.begin()
	return c, fsys
}

// runs starts a run against the sink at address, with visits of pages that far apart, and waits until some are open.
func (c *controller) runs(address string, pause float64) {
	c.t.Helper()
	c.must(
		200,
		"PUT",
		"/api/config",
		fmt.Sprintf(
			`{"config":{"MATOMO_URL":%q,"MATOMO_TOKEN_AUTH":%q,"TARGET_VISITS_PER_DAY":2000000,"PAUSE_BETWEEN_PVS_MIN":%g,"PAUSE_BETWEEN_PVS_MAX":%g}}`,
			address,
			token,
			pause,
			pause,
		),
	)
	c.must(200, "POST", "/api/start", "")
	c.until("visits are open", func() bool {
		stats, _ := c.must(200, "GET", "/api/status", "")["stats"].(map[string]any)
		return stats != nil && stats["visits_generated"].(float64) > 20
	})
}

// until asks again and again until ok.
func (c *controller) until(what string, ok func() bool) {
	c.t.Helper()
	for limit := time.Now().Add(time.Minute); !ok(); time.Sleep(200 * time.Millisecond) {
		if time.Now().After(limit) {
			c.t.Fatalf("never happened: %s; log: %s", what, c.logs.String())
		}
	}
}

// stopped demands that the run has ended and nothing is sent any more, and returns its reason.
func (c *controller) stopped() string {
	c.t.Helper()
	status := c.must(200, "GET", "/api/status", "")
	run, container := status["run"].(map[string]any), status["container"].(map[string]any)
	if run["ended"] == nil || container["state"] != "stopped" {
		c.t.Errorf("traffic goes on: %v, %v", container["state"], run)
	}
	return fmt.Sprint(run["reason"])
}

func TestStopStopsWhateverLiesInTheExchangeFolder(t *testing.T) {
	t.Parallel()
	c, fsys := startFragile(t, map[string]string{"RATE_LIMIT_PER_MINUTE": "1000000"})
	address, _ := c.sink()
	path := func(name string) string { return filepath.Join(fsys.folder, name) }
	replaced := func(name string, by func(path string) error) func() error {
		return func() error {
			if err := os.RemoveAll(path(name)); err != nil {
				return err
			}
			return by(path(name))
		}
	}
	pipe := func(path string) error { return syscall.Mkfifo(path, 0o600) }
	folder := func(path string) error { return os.Mkdir(path, 0o700) }
	loop := func(path string) error { return os.Symlink(path, path) }
	large := func(path string) error {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			return err
		}
		return os.Truncate(path, 33<<20)
	}
	failing := func(fault syscall.Errno) func() error {
		return func() error { fsys.fault.Store(&fault); return nil }
	}
	for _, c2 := range []struct {
		name     string
		spoil    func() error
		reason   string
		warnings []string
	}{
		{"as it was", func() error { return nil }, "stopped", nil},
		{"loadgen.env is a pipe", replaced(exchange.EnvFile, pipe), "stopped", nil},
		{"loadgen.env is a folder", replaced(exchange.EnvFile, folder), "stopped", nil},
		{"loadgen.env is a link to itself", replaced(exchange.EnvFile, loop), "stopped", nil},
		{"loadgen.env has 33 MB", replaced(exchange.EnvFile, large), "stopped", nil},
		{"control.json is a pipe", replaced(exchange.ControlFile, pipe), "stopped", nil},
		{"control.json is a folder", replaced(exchange.ControlFile, folder), "interrupted", []string{"open visits"}},
		{"control.json is a link to itself", replaced(exchange.ControlFile, loop), "stopped", nil},
		{"the disk is full", failing(syscall.ENOSPC), "interrupted", []string{"open visits", exchange.EnvFile}},
		{"the disk is read-only", failing(syscall.EROFS), "interrupted", []string{"open visits", exchange.EnvFile}},
	} {
		c.runs(address, 0.1)
		if err := c2.spoil(); err != nil {
			t.Fatal(err)
		}
		// A pause that cannot be written says so; it does not hang.
		if status, _ := c.ask("POST", "/api/control", `{"paused":true}`); status != 200 && c2.reason == "stopped" {
			t.Errorf("%s: a pause answers %d", c2.name, status)
		}
		got := c.must(200, "POST", "/api/stop", "")
		var warnings []string
		for _, w := range got["warnings"].([]any) {
			warnings = append(warnings, fmt.Sprint(w.(map[string]any)["where"]))
		}
		if fmt.Sprint(warnings) != fmt.Sprint(c2.warnings) {
			t.Errorf("%s: warnings %v, want them about %v", c2.name, got["warnings"], c2.warnings)
		}
		if reason := c.stopped(); reason != c2.reason {
			t.Errorf("%s: it ended by %s, want %s", c2.name, reason, c2.reason)
		}
		fsys.fault.Store(nil)
		if info, err := os.Lstat(path(exchange.EnvFile)); err != nil || !info.Mode().IsRegular() ||
			info.Size() > 1<<20 {
			if err := os.RemoveAll(path(exchange.EnvFile)); err != nil {
				t.Fatal(err)
			}
		} else {
			c.until(c2.name+": it is published that the generator shall idle", func() bool {
				data, err := os.ReadFile(path(exchange.EnvFile))
				return err == nil && strings.Contains(string(data), "AUTO_START=false")
			})
		}
		if err := os.RemoveAll(path(exchange.ControlFile)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestStopAndPauseNeedNoBudget(t *testing.T) {
	t.Parallel()
	c, _ := startFragile(t, map[string]string{"RATE_LIMIT_PER_MINUTE": "1000"})
	address, _ := c.sink()
	c.runs(address, 0.1)
	for {
		if status, _ := c.ask("GET", "/api/presets", ""); status == 429 {
			break
		}
	}
	c.must(200, "POST", "/api/control", `{"paused":true}`)
	if got := c.must(200, "POST", "/api/stop", `{"mode":"now"}`); got["state"] != "stopped" {
		t.Errorf("traffic goes on: %v", got)
	}
	if status, _ := c.ask("POST", "/api/backfill/cancel", `{"run_id":"none"}`); status != 404 {
		t.Errorf("a job can be cancelled at any time: %d", status)
	}
}

func TestStopWinsOverAnApplyThatFinishesVisits(t *testing.T) {
	t.Parallel()
	c, _ := startFragile(t, nil)
	address, _ := c.sink()
	c.runs(address, 60)
	applied := make(chan int, 1)
	go func() {
		status, _ := c.ask("POST", "/api/config/apply", "")
		applied <- status
	}()
	c.until("open visits are counted down", func() bool {
		finish, _ := c.must(200, "GET", "/api/status", "")["finish"].(map[string]any)
		return finish != nil && finish["open_visits"].(float64) > 0
	})
	got := c.must(200, "POST", "/api/stop", `{"mode":"now"}`)
	if got["cut_visits"].(float64) == 0 || !strings.Contains(fmt.Sprint(got["message"]), "open visits were cut off") {
		t.Errorf("it should say how many visits were cut off: %v", got)
	}
	if reason := c.stopped(); reason != "interrupted" {
		t.Errorf("it ended by %s", reason)
	}
	if status := <-applied; status != 409 {
		t.Errorf("the apply answers %d", status)
	}
}

// panicky is a file system that panics where a disk is tried.
type panicky struct{ afero.Fs }

// OpenFile implements afero.Fs.
func (p panicky) OpenFile(name string, flag int, perm os.FileMode) (afero.File, error) {
	if strings.Contains(name, ".probe.") {
		panic("no disk")
	}
	return p.Fs.OpenFile(name, flag, perm)
}

func TestAWatcherThatPanicsEndsTheProgramInOrder(t *testing.T) {
	t.Parallel()
	c := prepare(t, t.TempDir())
	c.host.FS = panicky{c.host.FS}
	if code := cli.Run(t.Context(), []string{"serve"}, c.host); code != exitcode.Internal {
		t.Errorf("exit code %d", code)
	}
	for _, want := range []string{"internal error", "disk: panic: no disk", "stack=", "stopping"} {
		if !strings.Contains(c.logs.String(), want) {
			t.Errorf("the log does not say %q: %s", want, c.logs.String())
		}
	}
	// SQLite removes its log when the last connection is closed.
	if left, err := filepath.Glob(c.path("controller/*-wal")); err != nil || len(left) > 0 {
		t.Errorf("the database was not closed: %v, %v", left, err)
	}
}
