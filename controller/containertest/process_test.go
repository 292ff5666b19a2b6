package containertest_test

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
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

// background runs a program until the test ends.
func background(t *testing.T, env []string, bin string, args ...string) {
	t.Helper()
	cmd := exec.Command(bin, args...)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.Env = &said, &said, env
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
	background(t, []string{
		"PATH=" + os.Getenv("PATH"), "LISTEN_ADDR=" + api, "DATA_DIR=" + filepath.Join(dir, "data"), "RUNTIME=process",
		"LOADGEN_BIN=" + child, "PRESETS_DIR=" + filepath.Join(root(), "presets"), "CONTROL_UI_API_KEY=" + key,
	}, filepath.Join(root(), "bin", "controller"), "serve")
	p := product{
		api: "http://" + api, sink: "http://" + sink, tracker: "http://" + sink + "/matomo.php",
		kill: func(t *testing.T) {
			pid := pidOf(t, child)
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
		},
	}
	await(t, "the controller answers", func() bool { var v any; return getJSON(t, p.api+"/health", &v) })
	journey(t, p)
}
