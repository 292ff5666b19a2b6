package endtoend

import (
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/puttrix/trafficinator/shared/testbed"
)

// socket is that of the engine, and who may use it.
func socket(t *testing.T) (path string, group uint32) {
	t.Helper()
	path = strings.TrimPrefix(os.Getenv("DOCKER_HOST"), "unix://")
	if path == "" {
		path = "/var/run/docker.sock"
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Skipf("the engine has no socket on this machine: %v", err)
	}
	return path, info.Sys().(*syscall.Stat_t).Gid
}

// webui is docker-compose.webui.yml, up beside a sink.
type webui struct {
	Product
	// controller and loadgen are the names of the two containers.
	controller, loadgen string
	project             string
	compose             func(args ...string) string
	// engine is what the controller has for the engine's socket.
	engine *gate
}

// stack brings the stack up.
func stack(t *testing.T) webui {
	t.Helper()
	testbed.NeedsImages(t)
	testbed.NeedsCompose(t)
	path, group := socket(t)
	engine, path := newGate(t, path, int(group))
	dir, name := Folders(t),
		fmt.Sprintf("trafficinator-test-webui-%d-%s", os.Getpid(), strings.ToLower(rand.Text()[:4]))
	loadgen := name + "-loadgen"
	env := filepath.Join(dir, "settings.env")
	text := fmt.Sprintf(
		"TRAFFICINATOR_UID=%d\nTRAFFICINATOR_GID=%d\nDOCKER_GID=%d\nDOCKER_SOCKET=%s\nCONTROLLER_PORT=0\nLOADGEN_CONTAINER=%s\nCONTROL_UI_API_KEY=%s\nLOG_LEVEL=DEBUG\n",
		os.Getuid(),
		os.Getgid(),
		group,
		path,
		loadgen,
		Key,
	)
	if err := os.WriteFile(env, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	compose := func(args ...string) string {
		return testbed.Docker(t, append([]string{
			"compose", "--project-directory", dir, "--project-name", name, "--env-file", env, "--file",
			filepath.Join(testbed.Root(), "docker-compose.webui.yml"),
		}, args...)...)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(compose("logs", "--tail", "60"))
		}
		testbed.Docker(t, "rm", "--force", "--volumes", name+"-sink")
		compose("down", "--volumes")
		if out, err := testbed.TryDocker("rm", "--force", loadgen); err != nil {
			t.Log(out, err)
		}
	})
	compose("up", "--no-build", "--detach")
	testbed.Docker(t, "run", "--detach", "--name", name+"-sink", "--network", name+"_default", "--network-alias",
		"sink", "--publish", "127.0.0.1::8080",
		"--no-healthcheck", testbed.LoadgenImage, "sink", "--addr", ":8080", "--token", Token)
	p := Product{
		Dir: dir, Sink: "http://" + testbed.Docker(t, "port", name+"-sink", "8080/tcp"),
		Tracker: "http://sink:8080/matomo.php", Kill: func(t *testing.T) { testbed.Docker(t, "kill", loadgen) },
		KillJob: func(t *testing.T, j Backfill) {
			if facts := testbed.Docker(t, "inspect", j.ContainerID); strings.Contains(facts, Token) ||
				!strings.Contains(facts, `"trafficinator.role": "backfill"`) {
				t.Errorf("the container should bear its label, and no token: %s", facts)
			}
			testbed.Docker(t, "kill", j.ContainerID)
		},
	}
	w := webui{p, name + "-controller-1", loadgen, name, compose, engine}
	w.API = w.address()
	w.Answers(t)
	testbed.WaitFor(t, "the loadgen idles", func() bool { return w.Status(t).Phase == "idle" })
	return w
}

// address is where the controller answers, since compose has made it last.
func (w webui) address() string { return "http://" + w.compose("port", "controller", "8000") }

func TestAPersonsWayWithContainers(t *testing.T) {
	t.Parallel()
	w := stack(t)
	w.Walk(t)
	for what, hurt := range map[string]func(){
		"removed": func() { testbed.Docker(t, "rm", "--force", w.loadgen) },
		"never started": func() {
			testbed.Docker(t, "rm", "--force", w.loadgen)
			w.compose("create", "--no-build", "loadgen")
		},
	} {
		hurt()
		testbed.WaitFor(
			t,
			"the controller sees that it was "+what,
			func() bool { return w.Status(t).Container.Healable },
		)
		w.Call(t, "POST", "/api/heal", nil, 200)
		if s := w.Status(t); s.Container.State != "running" {
			t.Errorf("%s: after healing it should run: %+v", what, s.Container)
		}
	}
	survivesTheEngine(t, w)
	w.Counts(t)
	w.Backfills(t)
	w.KeepsSecrets(t, map[string]string{
		"docker inspect":       testbed.Docker(t, "inspect", w.loadgen, w.controller),
		"docker top":           testbed.Docker(t, "top", w.controller),
		"the controller's log": logs(t, w.controller), "the loadgen's log": logs(t, w.loadgen),
	})
}

// survivesTheEngine has the engine go away in the middle of a run, come back, and go away again while the loadgen is
// killed, as with an engine that is restarted.
func survivesTheEngine(t *testing.T, w webui) {
	t.Helper()
	w.StartRun(t)
	run := w.Status(t).Run.ID
	w.engine.set(true)
	testbed.WaitFor(t, "the engine is missed", func() bool { return w.Status(t).Container.State == "unavailable" })
	w.Call(t, "POST", "/api/stop", nil, 503)
	if health := w.Health(t); health != "degraded" {
		t.Errorf("want a degraded controller, got %s", health)
	}
	w.engine.set(false)
	testbed.WaitFor(t, "the stop is carried out", func() bool {
		s := w.Status(t)
		return s.Run.ID == run && s.Run.Ended != nil && s.Container.State == "stopped"
	})

	w.Call(t, "POST", "/api/restart", nil, 200)
	run = w.Status(t).Run.ID
	w.engine.set(true)
	testbed.Docker(t, "kill", w.loadgen)
	testbed.WaitFor(
		t,
		"the engine is missed again",
		func() bool { return w.Status(t).Container.State == "unavailable" },
	)
	w.engine.set(false)
	w.Recovers(t, run, 1)
	w.Call(t, "POST", "/api/stop", nil, 200)
	if s := w.Status(t); s.Run.Ended == nil || s.Container.State != "stopped" {
		t.Errorf("want it stopped: %+v", s)
	}
	if up := testbed.Docker(t, "inspect", "--format", "{{.RestartCount}} {{.State.Status}}",
		w.controller); up != "0 running" {
		t.Errorf("the controller should have lived through it: %s", up)
	}
}

// logs are all that a container has written.
func logs(t *testing.T, container string) string {
	t.Helper()
	out, err := exec.Command(testbed.Client(), "logs", container).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}
