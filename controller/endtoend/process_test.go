package endtoend

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

	"github.com/puttrix/trafficinator/shared/testbed"
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

// product runs a controller that starts the program loadgen, and a sink.
func product(t *testing.T, loadgen string, sinkFlags ...string) (p Product, said *output) {
	t.Helper()
	dir, sink, api := Folders(t), freePort(t), freePort(t)
	background(t, nil, testbed.Loadgen(t),
		append([]string{"sink", "--quiet", "--addr", sink, "--token", Token}, sinkFlags...)...)
	said = background(t, []string{
		"PATH=" + os.Getenv("PATH"), "LISTEN_ADDR=" + api, "DATA_DIR=" + filepath.Join(dir, "data"), "RUNTIME=process",
		"LOADGEN_BIN=" + loadgen, "PRESETS_DIR=" + filepath.Join(testbed.Root(), "presets"),
		"CONTROL_UI_API_KEY=" + Key,
		"LOG_LEVEL=DEBUG",
	}, testbed.Controller(t), "serve")
	p = Product{API: "http://" + api, Dir: dir, Tracker: "http://" + sink + "/matomo.php", Sink: "http://" + sink}
	p.Answers(t)
	return p, said
}

func TestAPersonsWayWithProcesses(t *testing.T) {
	t.Parallel()
	// A copy under a name of its own, so that the child can be found among all processes.
	child := filepath.Join(t.TempDir(), "loadgen-of-this-test")
	data, err := os.ReadFile(testbed.Loadgen(t))
	if err == nil {
		err = os.WriteFile(child, data, 0o700)
	}
	if err != nil {
		t.Fatal(err)
	}
	p, said := product(t, child)
	p.Kill = func(t *testing.T) { kill(t, pidOf(t, child)) }
	p.KillJob = func(t *testing.T, j Backfill) {
		pid, err := strconv.Atoi(j.ContainerID)
		if err != nil {
			t.Fatal(err)
		}
		kill(t, pid)
	}
	p.Walk(t)
	p.Counts(t)
	p.Backfills(t)
	p.KeepsSecrets(t, map[string]string{"the controller's output": said.String()})
}

func kill(t *testing.T, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}

// pidOf finds the process that runs the program bin.
func pidOf(t *testing.T, bin string) int {
	t.Helper()
	links, err := filepath.Glob("/proc/[0-9]*/exe")
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range links {
		if target, err := os.Readlink(link); err == nil && target == bin {
			pid, err := strconv.Atoi(filepath.Base(filepath.Dir(link)))
			if err != nil {
				t.Fatal(err)
			}
			return pid
		}
	}
	t.Fatalf("no process runs %s", bin)
	return 0
}
