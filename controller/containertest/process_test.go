package containertest_test

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
)

// freePort is an address of this machine that nobody listens on.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // only the address counts
	return l.Addr().String()
}

// output is what a program says, readable while it does.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

// String is everything so far.
func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// background runs a program until the test ends.
func background(t *testing.T, env []string, bin string, args ...string) *output {
	t.Helper()
	cmd := exec.Command(bin, args...)
	said := &output{}
	cmd.Stdout, cmd.Stderr, cmd.Env = said, said, env
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended
		err := cmd.Wait()
		if t.Failed() {
			t.Logf("%s ended with %v and said:\n%s", filepath.Base(bin), err, said.String())
		}
	})
	return said
}

func TestAPersonsWayWithProcesses(t *testing.T) {
	t.Parallel()
	if err := files(); err != nil {
		t.Fatal(err)
	}
	dir, sink, api := folders(t), freePort(t), freePort(t)
	loadgen := filepath.Join(root(), "bin", "loadgen")
	// A copy under a name of its own, so that the child can be found among all processes.
	data, err := os.ReadFile(loadgen)
	if err != nil {
		t.Fatal(err)
	}
	child := filepath.Join(dir, "loadgen-of-this-test")
	if err := os.WriteFile(child, data, 0o700); err != nil {
		t.Fatal(err)
	}
	background(t, nil, loadgen, "sink", "--addr", sink)
	said := background(t, []string{
		"PATH=" + os.Getenv("PATH"), "LISTEN_ADDR=" + api, "DATA_DIR=" + filepath.Join(dir, "data"), "RUNTIME=process",
		"LOADGEN_BIN=" + child, "PRESETS_DIR=" + filepath.Join(root(), "presets"), "CONTROL_UI_API_KEY=" + key,
		"LOG_LEVEL=DEBUG",
	}, filepath.Join(root(), "bin", "controller"), "serve")
	p := product{
		dir: dir, api: "http://" + api, sink: "http://" + sink, tracker: "http://" + sink + "/matomo.php",
		kill: func(t *testing.T) {
			pid := pidOf(t, child)
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
		},
		killJob: func(t *testing.T, j backfill) {
			pid, err := strconv.Atoi(j.ContainerID)
			if err != nil {
				t.Fatal(err)
			}
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
		},
	}
	await(t, "the controller answers", func() bool { var v any; return getJSON(t, p.api+"/health", &v) })
	journey(t, p)
	exact(t, p)
	backfills(t, p)
	keepsSecrets(t, p, map[string]string{"the controller's output": said.String()})
}
