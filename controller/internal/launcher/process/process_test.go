package process_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
	"github.com/puttrix/trafficinator/controller/internal/launcher/launchertest"
	"github.com/puttrix/trafficinator/controller/internal/launcher/process"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/testbed"
)

func subject(t *testing.T) (launchertest.Subject, string) {
	t.Helper()
	bin := testbed.Loadgen(t)
	fsys, dir := afero.NewOsFs(), t.TempDir()
	log := process.NewLogFile(filepath.Join(dir, "loadgen.log"))
	p := process.New(fsys, process.Config{Bin: bin, Exchange: dir, State: filepath.Join(dir, "state"), Log: log})
	t.Cleanup(func() {
		// t.Context is done by now.
		if err := p.Close(context.Background(), time.Minute); err != nil {
			t.Error(err)
		}
		if err := log.Close(); err != nil {
			t.Error(err)
		}
	})
	return launchertest.Subject{
		Port: p, Jobs: p, State: filepath.Join(dir, "state"), FS: fsys,
		Publish: func(t *testing.T, values map[string]string) { launchertest.Publish(t, fsys, dir, values) },
		PublishJob: func(t *testing.T, id string, values map[string]string) {
			launchertest.Publish(t, fsys, filepath.Join(dir, exchange.JobFolder(id)), values)
		},
		Kill: func(t *testing.T, s launcher.Status) {
			pid, err := strconv.Atoi(s.ID)
			if err != nil {
				t.Fatal(err)
			}
			child, err := os.FindProcess(pid)
			if err != nil {
				t.Fatal(err)
			}
			if err := child.Kill(); err != nil {
				t.Fatal(err)
			}
		},
	}, dir
}

func TestAProcessDoesWhatEveryRuntimeDoes(t *testing.T) {
	t.Parallel()
	launchertest.Run(t, func(t *testing.T) launchertest.Subject { s, _ := subject(t); return s })
}

func TestAJobOfAControllerThatWasKilledIsNotStartedBesideItself(t *testing.T) {
	t.Parallel()
	s, dir := subject(t)
	s.PublishJob(t, "a", nil)
	if err := s.Jobs.StartJob(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	bin := testbed.Loadgen(t)
	next := process.New(afero.NewOsFs(), process.Config{Bin: bin, Exchange: dir, State: s.State, Log: io.Discard})
	t.Cleanup(func() {
		if err := next.Close(context.Background(), time.Minute); err != nil {
			t.Error(err)
		}
	})
	if err := next.StartJob(t.Context(), "a"); !errors.Is(err, launcher.ErrStillRunning) {
		t.Errorf("the first life still goes on, got %v", err)
	}
	if err := s.Jobs.StopJob(t.Context(), "a", time.Minute); err != nil {
		t.Fatal(err)
	}
	if err := next.StartJob(t.Context(), "a"); err != nil {
		t.Errorf("it has ended: %v", err)
	}
}

func TestTheLogIsKeptInAFileWithTimes(t *testing.T) {
	t.Parallel()
	s, dir := subject(t)
	s.Publish(t, map[string]string{"CONCURRENCY": "0"})
	if err := s.Port.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Port.Logs(t.Context(), launcher.LogQuery{Follow: true}, func(launcher.Line) error {
		return nil
	}); err != nil {
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
		t.Errorf("the log should be readable for its owner alone: %v, %v", info, err)
	}
}

func TestAProgramThatIsNotThereIsMissingWithItsCure(t *testing.T) {
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

func TestAChildDoesNotGetTheControllersKey(t *testing.T) {
	t.Parallel()
	got := process.Environment(map[string]string{"CONTROL_UI_API_KEY": "secret", "TZ": "UTC", "PATH": "/bin",
		"LD_PRELOAD": "x"})
	if want := []string{"PATH=/bin", "TZ=UTC"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// The authority that a person names for the controller is that of the loadgen too.
func TestAChildTrustsWhomTheControllerTrusts(t *testing.T) {
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
