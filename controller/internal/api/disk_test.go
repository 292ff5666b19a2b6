package api_test

import (
	"cmp"
	"context"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/shared/exchange"
)

// faulty is a file system on which writes fail.
type faulty struct {
	afero.Fs
	mu  sync.Mutex
	why syscall.Errno
	// unreadable lets reads fail too.
	unreadable bool
}

func (f *faulty) set(why syscall.Errno) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.why = why
}

// OpenFile implements afero.Fs.
func (f *faulty) OpenFile(name string, flags int, mode os.FileMode) (afero.File, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.why != 0 && flags&os.O_CREATE != 0 || f.unreadable {
		return nil, &fs.PathError{Op: "open", Path: name, Err: cmp.Or(f.why, syscall.EACCES)}
	}
	return f.Fs.OpenFile(name, flags, mode)
}

// changes are a save of each kind.
var changes = []quick{
	{"settings", "PUT", "/api/config", `{"config":{"CONCURRENCY":7}}`, nil, 200, ""},
	{"a preset", "POST", "/api/presets/light/load", "", nil, 200, ""},
	{"pages", "POST", "/api/urls", `{"content":"https://a.test/\n"}`, nil, 200, ""},
	{"no pages", "DELETE", "/api/urls", "", nil, 200, ""},
	{"events", "POST", "/api/events",
		`{"content":"{\"click_events\":[{\"category\":\"c\",\"action\":\"a\",\"name\":\"n\"}]}"}`, nil, 200, ""},
	{"a target", "POST", "/api/targets", `{"name":"A","url":"https://a.test","site_id":1}`, nil, 201, ""},
	{"routing", "PUT", "/api/targets/routing", `{"mode":"single"}`, nil, 200, ""},
	{"no target", "DELETE", "/api/targets/1", "", nil, 200, ""},
	{
		"a funnel",
		"POST",
		"/api/funnels",
		`{"name":"F","probability":0.5,"steps":[{"type":"pageview","url":"https://a.test/","delay_seconds_min":1,"delay_seconds_max":2}]}`,
		nil,
		201,
		"",
	},
	{"no funnel", "DELETE", "/api/funnels/1", "", nil, 200, ""},
}

func TestWhatIsSavedButCannotBePublishedSaysSoAndWhy(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.disk.set(syscall.ENOSPC)
	for _, c := range changes {
		got := f.ask(c.method, c.path, c.body)
		if got.Code != c.status {
			t.Errorf("%s: %d %s", c.name, got.Code, got.Body)
			continue
		}
		a := got.object(t)
		cause, _ := a["not_published_because"].(string)
		if a["published"] != false ||
			!strings.Contains(cause, f.exchange+" cannot be written: its disk is full; free space") {
			t.Errorf("%s: %s", c.name, got.Body)
		}
	}
	exported := f.ask("GET", "/api/setup", "").Body.String()
	if a := f.ask("PUT", "/api/setup", exported).object(t); a["published"] != false {
		t.Errorf("import: %v", a)
	}
	if a := f.ask("GET", "/api/exchange", "").object(t); a["published"] != false {
		t.Errorf("the page should know it later too: %v", a)
	}
	if got := f.ask("PUT", "/api/config", `{"config":{"CONCURRENCY":8}}`); got.Code != 200 {
		t.Fatalf("%d %s", got.Code, got.Body)
	}

	// It is published by itself once it can be.
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	var watching sync.WaitGroup
	watching.Go(func() { f.setup.Watch(ctx, slog.New(slog.DiscardHandler)) })
	defer watching.Wait()
	defer cancel()
	f.disk.set(0)
	for f.ask("GET", "/api/exchange", "").object(t)["published"] != true && ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
	if data, err := os.ReadFile(filepath.Join(f.exchange, "loadgen.env")); err != nil ||
		!strings.Contains(string(data), "CONCURRENCY=8\n") {
		t.Errorf("%s, %v", data, err)
	}
}

func TestWhyItIsNotPublishedIsSaidAlsoWhereItIsNoFaultOfTheDisk(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.disk.set(syscall.ENAMETOOLONG)
	f.must(t, "PUT", "/api/config", `{"config":{"CONCURRENCY":8}}`)
	a := f.ask("GET", "/api/exchange", "").object(t)
	if cause, _ := a["not_published_because"].(string); a["published"] != false ||
		!strings.Contains(cause, "file name too long") {
		t.Errorf("%v", a)
	}
}

// Everything can be stored, so that the controller is healthy.
func TestAFileThatCannotBeReadIsNamedAndHealthStaysGood(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.runs.err = &fs.PathError{Op: "open", Path: "/data/exchange/loadgen.env", Err: syscall.EACCES}
	if got := f.ask("POST", "/api/start", ""); got.Code != 507 ||
		!strings.Contains(got.Body.String(), "/data/exchange/loadgen.env is not accessible") {
		t.Errorf("%d %s", got.Code, got.Body)
	}
	if got := f.ask("GET", "/health", ""); got.Code != 200 {
		t.Errorf("%d %s", got.Code, got.Body)
	}
}

func TestDiskFaultNamesFolderAndFix(t *testing.T) {
	t.Parallel()
	for why, want := range map[syscall.Errno]string{
		syscall.ENOSPC: "its disk is full; free space",
		syscall.EDQUOT: "its owner's disk quota is exceeded; free space there or raise the quota",
		syscall.EROFS:  "it is read-only; mount it writable",
		syscall.EACCES: "is not accessible to the controller's user; make that user its owner",
	} {
		f := newFixture(t)
		f.runs.err = &fs.PathError{Op: "open", Path: "/data/exchange/.loadgen.env.123", Err: why}
		got := f.ask("POST", "/api/start", "")
		if text := got.Body.String(); got.Code != 507 || !strings.Contains(text, "/data/exchange ") ||
			!strings.Contains(text, want) || strings.Contains(text, ".123") {
			t.Errorf("%v: %d %s", why, got.Code, text)
		}
		if a := f.ask("GET", "/api/status", "").object(t); len(a["storage"].([]any)) != 1 {
			t.Errorf("%v: the page does not show it: %v", why, a["storage"])
		}
	}
}

func TestAFolderInAFilesPlaceIsNamed(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	way := filepath.Join(f.exchange, "control.json")
	if err := os.Mkdir(way, 0o700); err != nil {
		t.Fatal(err)
	}
	f.runs.err = f.setup.Steer(exchange.NoOverride("run"))
	got := f.ask("POST", "/api/start", "")
	if got.Code != 409 || !strings.Contains(got.Body.String(), way+" is a folder") || len(f.watch.Faults()) != 0 {
		t.Errorf("%d %s", got.Code, got.Body)
	}
}

func TestHealthIsNotHealthyWhileNothingCanBeStored(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for _, step := range []struct {
		why    syscall.Errno
		code   int
		status string
	}{{0, 200, "healthy"}, {syscall.EROFS, 503, "unhealthy"}, {0, 200, "healthy"}} {
		f.disk.set(step.why)
		f.watch.Probe(t.Context())
		got := f.ask("GET", "/health", "")
		if a := got.object(t); got.Code != step.code || a["status"] != step.status ||
			strings.Contains(got.Body.String(), f.exchange) {
			t.Errorf("%v: %d %s", step.why, got.Code, got.Body)
		}
	}
	if err := f.store.Close(); err != nil { // as one whose disk is gone
		t.Fatal(err)
	}
	f.disk.set(syscall.EACCES)
	f.watch.Probe(t.Context())
	if got := f.ask("GET", "/health", ""); got.Code != 503 {
		t.Errorf("%d %s", got.Code, got.Body)
	}
}

// Whatever a person puts into a file's place, nothing waits for it and everything else goes on.
func TestOddThingsInTheExchangeFolderHoldUpNothing(t *testing.T) {
	t.Parallel()
	for name, put := range map[string]func(path string) error{
		"pipe":       func(path string) error { return syscall.Mkfifo(path, 0o600) },
		"folder":     func(path string) error { return os.Mkdir(path, 0o700) },
		"loop":       func(path string) error { return os.Symlink(path, path) },
		"large file": func(path string) error { return os.Truncate(path, 64<<20) },
	} {
		for _, file := range []string{"loadgen.env", "urls.txt", "control.json"} {
			t.Run(name+" for "+file, func(t *testing.T) {
				t.Parallel()
				f := newFixture(t)
				f.must(t, "PUT", "/api/config", `{"config":{"MATOMO_URL":"https://a.test/matomo.php"}}`)
				f.must(t, "POST", "/api/urls", `{"content":"https://a.test/\n"}`)
				path := filepath.Join(f.exchange, file)
				if name != "large file" {
					if err := os.RemoveAll(path); err != nil {
						t.Fatal(err)
					}
				} else if err := os.WriteFile(path, nil, 0o600); err != nil {
					t.Fatal(err)
				}
				if err := put(path); err != nil {
					t.Fatal(err)
				}
				f.must(t, "GET", "/api/config", "")
				f.must(t, "POST", "/api/funnels", changes[8].body)
				if file == "control.json" {
					return
				}
				if text := f.ask("GET", "/api/exchange", "").Body.String(); !strings.Contains(text,
					`"edited_files":["`+file+`"]`) {
					t.Errorf("it should be told: %s", text)
				}
				save := map[string][3]string{
					"loadgen.env": {"PUT", "/api/config", `{"config":{"CONCURRENCY":7}}`},
					"urls.txt":    {"POST", "/api/urls", `{"content":"https://b.test/\n"}`},
				}[file]
				if got := f.ask(save[0], save[1], save[2]); got.Code != 409 ||
					!strings.Contains(got.Body.String(), "cannot be read") {
					t.Errorf("saving over it: %d %s", got.Code, got.Body)
				}
				if got := f.ask("POST", "/api/exchange/resolve", `{"resolution":"import"}`); got.Code != 422 {
					t.Errorf("import: %d %s", got.Code, got.Body)
				}
				if name == "folder" {
					if got := f.ask("POST", "/api/exchange/resolve", `{"resolution":"overwrite"}`); got.Code != 422 ||
						!strings.Contains(got.Body.String(), "is a folder; move it away") {
						t.Errorf("overwrite: %d %s", got.Code, got.Body)
					}
					return
				}
				f.must(t, "POST", "/api/exchange/resolve", `{"resolution":"overwrite"}`)
				f.must(t, save[0], save[1], save[2])
			})
		}
	}
}

// must asks for what has to succeed.
func (f *fixture) must(t *testing.T, method, path, body string) {
	t.Helper()
	if got := f.ask(method, path, body); got.Code >= 300 {
		t.Fatalf("%s %s: %d %s", method, path, got.Code, got.Body)
	}
}

// As where loadgen.env is another user's.
func TestWhatIsSavedCanBeSeenWhereTheSharedFilesCannot(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.must(t, "PUT", "/api/config", `{"config":{"CONCURRENCY":7}}`)
	f.disk.unreadable = true
	got := f.ask("GET", "/api/config", "")
	if got.Code != 200 {
		t.Fatalf("%d %s", got.Code, got.Body)
	}
	pending, _ := got.object(t)["pending_changes"].(map[string]any)
	if text, _ := pending["fault"].(string); !strings.Contains(text,
		"loadgen.env is not accessible to the controller's user; make that user its owner") {
		t.Errorf("it should say what cannot be looked at: %v", pending)
	}
}

func TestTheStatusSaysWhyNewVisitsPause(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.runs.status.Phase, f.runs.status.Pause = "paused", "state_full"
	if a := f.ask("GET", "/api/status", "").object(t); a["phase"] != "paused" || a["pause_reason"] != "state_full" {
		t.Errorf("got %v, %v", a["phase"], a["pause_reason"])
	}
}
