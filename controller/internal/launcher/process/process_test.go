package process_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
	"github.com/puttrix/trafficinator/controller/internal/launcher/process"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/testbed"
)

// newProcess returns a Process whose folders are in dir.
func newProcess(t *testing.T, dir string, log io.Writer) *process.Process {
	t.Helper()
	p := process.New(afero.NewOsFs(), process.Config{Bin: testbed.Loadgen(t), Exchange: dir,
		State: filepath.Join(dir, "state"), Log: log})
	t.Cleanup(func() {
		if err := p.Close(context.Background(), time.Minute); err != nil { // t.Context is done by now
			t.Error(err)
		}
	})
	return p
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestJobIsNotStartedTwiceAfterItsControllerWasKilled(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first, next := newProcess(t, dir, io.Discard), newProcess(t, dir, io.Discard)
	writeFile(t, filepath.Join(dir, exchange.JobFolder("a"), "loadgen.env"), "")
	if err := first.Job("a").Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := next.Job("a").Start(t.Context()); !errors.Is(err, launcher.ErrStillRunning) {
		t.Errorf("want an error while the first process runs, got %v", err)
	}
	if err := first.Job("a").Stop(t.Context(), time.Minute); err != nil {
		t.Fatal(err)
	}
	if err := next.Job("a").Start(t.Context()); err != nil {
		t.Errorf("want a start after its end, got %v", err)
	}
}

func TestLogFileHasTimes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	log := process.NewLogFile(filepath.Join(dir, "loadgen.log"))
	t.Cleanup(func() {
		if err := log.Close(); err != nil {
			t.Error(err)
		}
	})
	p := newProcess(t, dir, log)
	writeFile(t, filepath.Join(dir, "loadgen.env"), "CONCURRENCY=0\n")
	if err := p.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	ignore := func(launcher.Line) error { return nil }
	if err := p.Logs(t.Context(), launcher.LogQuery{Follow: true}, ignore); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "loadgen.log")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	stamp, text, _ := strings.Cut(string(data), " ")
	if _, err := time.Parse(time.RFC3339Nano, stamp); err != nil || !strings.Contains(text, "CONCURRENCY") {
		t.Errorf("want a time and the problem, got %q", data)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("want a log that only its owner can read: %v, %v", info, err)
	}
}

func TestMissingProgramIsReportedWithTheFix(t *testing.T) {
	t.Parallel()
	p := process.New(afero.NewMemMapFs(), process.Config{Bin: "/nowhere/loadgen"})
	if s := p.Status(t.Context()); s.State != launcher.Missing || !strings.Contains(s.Reason, "make build") {
		t.Errorf("want missing and how to build it, got %+v", s)
	}
	if err := p.Start(t.Context()); !errors.Is(err, launcher.ErrMissing) ||
		!strings.Contains(err.Error(), "LOADGEN_BIN") {
		t.Errorf("want an error that names LOADGEN_BIN, got %v", err)
	}
}

func TestChildDoesNotGetTheControllersKey(t *testing.T) {
	t.Parallel()
	got := process.Environment(map[string]string{"CONTROL_UI_API_KEY": "secret", "TZ": "UTC", "PATH": "/bin",
		"LD_PRELOAD": "x"})
	if want := []string{"PATH=/bin", "TZ=UTC"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestChildInheritsProxiesAndCertificates(t *testing.T) {
	t.Parallel()
	want := []string{"HTTPS_PROXY=http://proxy.test:3128", "NO_PROXY=a.test", "SSL_CERT_DIR=/certs",
		"SSL_CERT_FILE=/ca.pem", "https_proxy=http://proxy.test:3128"}
	environ := map[string]string{"API_KEY": "x"}
	for _, pair := range want {
		key, v, _ := strings.Cut(pair, "=")
		environ[key] = v
	}
	if got := process.Environment(environ); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
