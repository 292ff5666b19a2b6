package docstest

import (
	"context"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/puttrix/trafficinator/shared/testbed"
)

// block is a block of commands that can run here, marked as `sh run` or, with a controller, `sh run controller`.
var block = regexp.MustCompile("(?ms)^```sh run( controller)?\n(.*?)^```$")

// The addresses that the pages give to the sink and to the controller.
const sinkOfPages, controllerOfPages = "127.0.0.1:8080", "127.0.0.1:8000"

func TestTheCommandsOfThePagesRun(t *testing.T) {
	t.Parallel()
	m := machine(t)
	all, n := pages(t), 0
	for _, name := range slices.Sorted(maps.Keys(all)) {
		for _, b := range block.FindAllStringSubmatch(all[name], -1) {
			n++
			if out, err := m.run(t, b[2]); err != nil {
				t.Errorf("%s: %v\n%s\n%s", name, err, b[2], out)
			}
		}
	}
	if n < 12 {
		t.Errorf("ran %d blocks; want those of all pages", n)
	}
}

// place is where commands run: a folder like the root of the repository, a sink and a controller.
type place struct{ dir, sink, controller string }

func machine(t *testing.T) place {
	t.Helper()
	p := place{dir: t.TempDir(), sink: freeAddress(t), controller: freeAddress(t)}
	if err := os.Mkdir(filepath.Join(p.dir, "bin"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, file := range map[string]string{
		"bin/loadgen": testbed.Loadgen(t), "bin/controller": testbed.Controller(t),
		"presets": filepath.Join(testbed.Root(), "presets"), "examples": filepath.Join(testbed.Root(), "examples"),
	} {
		if err := os.Symlink(file, filepath.Join(p.dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	p.start(t, "bin/loadgen", "sink", "--quiet", "--addr", p.sink)
	p.start(t, "bin/controller", "serve")
	for _, url := range []string{"http://" + p.sink, "http://" + p.controller + "/health"} {
		testbed.WaitFor(t, url+" answers", func() bool {
			resp, err := http.Get(url) //nolint:gosec,noctx // of this test
			if err != nil {
				return false
			}
			return resp.Body.Close() == nil
		})
	}
	return p
}

func (p place) env() []string {
	return []string{
		"PATH=" + os.Getenv(
			"PATH",
		),
		"HOME=" + p.dir,
		"LISTEN_ADDR=" + p.controller,
		"RUNTIME=process",
		"TELEMETRY_ADDR=off",
	}
}

// start runs a program until the test ends.
func (p place) start(t *testing.T, bin string, args ...string) {
	t.Helper()
	cmd := exec.Command(filepath.Join(p.dir, bin), args...)
	cmd.Dir, cmd.Env = p.dir, p.env()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended
		_ = cmd.Wait()                          // nor does its end matter
	})
}

// run runs commands as a person would paste them, but for the addresses.
func (p place) run(t *testing.T, commands string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), testbed.WaitLimit)
	defer cancel()
	text := strings.NewReplacer(sinkOfPages, p.sink, controllerOfPages, p.controller).Replace(commands)
	cmd := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", text)
	cmd.Dir, cmd.Env = p.dir, p.env()
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// freeAddress is an address of this machine that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // only the address counts
	return l.Addr().String()
}
