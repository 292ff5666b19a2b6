package containertest_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// docker runs the client that the Makefile chose, else the one in PATH.
func docker(t *testing.T, args ...string) string {
	t.Helper()
	out, err := command(args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func client() string {
	if name := os.Getenv("DOCKER"); name != "" {
		return name
	}
	return "docker"
}

func command(args ...string) (string, error) {
	cmd := exec.Command(client(), args...)
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, said.String())
	}
	return strings.TrimSpace(string(out)), nil
}

// socket is that of the engine, and who may use it.
func socket(t *testing.T) (path string, group uint32) {
	t.Helper()
	path = strings.TrimPrefix(os.Getenv("DOCKER_HOST"), "unix://")
	if path == "" {
		path = "/var/run/docker.sock"
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Skipf("LEFT OUT: the engine has no socket on this machine: %v", err)
	}
	return path, info.Sys().(*syscall.Stat_t).Gid
}

// webui is docker-compose.webui.yml, up beside a sink.
type webui struct {
	product
	// controller and loadgen are the names of the two containers.
	controller, loadgen string
	compose             func(args ...string) string
	// engine is what the controller has for the engine's socket.
	engine *gate
}

// stack brings the stack up.
func stack(t *testing.T) webui {
	t.Helper()
	if _, err := command("info"); err != nil {
		t.Skipf("LEFT OUT: no Docker engine answers: %v", err)
	}
	if _, err := command("compose", "version"); err != nil {
		t.Skip("LEFT OUT: the Docker client has no compose plugin")
	}
	if err := files(); err != nil {
		t.Fatal(err)
	}
	path, group := socket(t)
	engine, path := newGate(t, path, int(group))
	dir, name := folders(t), fmt.Sprintf("trafficinator-test-webui-%d", os.Getpid())
	loadgen := name + "-loadgen"
	env := filepath.Join(dir, "settings.env")
	text := fmt.Sprintf("TRAFFICINATOR_UID=%d\nTRAFFICINATOR_GID=%d\nDOCKER_GID=%d\nDOCKER_SOCKET=%s\nCONTROLLER_PORT=0\nLOADGEN_CONTAINER=%s\nCONTROL_UI_API_KEY=%s\nLOG_LEVEL=DEBUG\n",
		os.Getuid(), os.Getgid(), group, path, loadgen, key)
	if err := os.WriteFile(env, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	compose := func(args ...string) string {
		return docker(t, append([]string{
			"compose", "--project-directory", dir, "--project-name", name, "--env-file", env, "--file", filepath.Join(root(), "docker-compose.webui.yml"),
		}, args...)...)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(compose("logs", "--tail", "60"))
		}
		docker(t, "rm", "--force", "--volumes", name+"-sink")
		compose("down", "--volumes")
		if out, err := command("rm", "--force", loadgen); err != nil {
			t.Log(out, err)
		}
	})
	compose("up", "--no-build", "--detach")
	docker(t, "run", "--detach", "--name", name+"-sink", "--network", name+"_default", "--network-alias", "sink", "--publish", "127.0.0.1::8080",
		"--no-healthcheck", "trafficinator-loadgen:local", "sink", "--addr", ":8080")
	p := product{
		dir: dir, api: "http://" + compose("port", "controller", "8000"), sink: "http://" + docker(t, "port", name+"-sink", "8080/tcp"),
		tracker: "http://sink:8080/matomo.php", kill: func(t *testing.T) { docker(t, "kill", loadgen) },
		killJob: func(t *testing.T, j backfill) {
			if facts := docker(t, "inspect", j.ContainerID); strings.Contains(facts, token) || !strings.Contains(facts, `"trafficinator.role": "backfill"`) {
				t.Errorf("the container should bear its label, and no token: %s", facts)
			}
			docker(t, "kill", j.ContainerID)
		},
	}
	await(t, "the controller answers", func() bool { var v any; return getJSON(t, p.api+"/health", &v) })
	await(t, "the loadgen idles", func() bool { return p.status(t).Phase == "idle" })
	return webui{p, name + "-controller-1", loadgen, compose, engine}
}

func TestAPersonsWayWithContainers(t *testing.T) {
	t.Parallel()
	w := stack(t)
	journey(t, w.product)
	for what, hurt := range map[string]func(){
		"removed": func() { docker(t, "rm", "--force", w.loadgen) },
		"never started": func() {
			docker(t, "rm", "--force", w.loadgen)
			w.compose("create", "--no-build", "loadgen")
		},
	} {
		hurt()
		await(t, "the controller sees that it was "+what, func() bool { return w.status(t).Container.Healable })
		w.call(t, "POST", "/api/heal", nil, 200)
		if s := w.status(t); s.Container.State != "running" {
			t.Errorf("%s: after healing it should run: %+v", what, s.Container)
		}
	}
	survivesTheEngine(t, w)
	exact(t, w.product)
	backfills(t, w.product)
	keepsSecrets(t, w.product, map[string]string{
		"docker inspect": docker(t, "inspect", w.loadgen, w.controller), "docker top": docker(t, "top", w.controller),
		"the controller's log": logs(t, w.controller), "the loadgen's log": logs(t, w.loadgen),
	})
}

// survivesTheEngine has the engine go away in the middle of a run, come back, and go away again while the loadgen is
// killed, as with an engine that is restarted.
func survivesTheEngine(t *testing.T, w webui) {
	t.Helper()
	w.starts(t)
	run := w.status(t).Run.ID
	w.engine.set(true)
	await(t, "the engine is missed", func() bool { return w.status(t).Container.State == "unavailable" })
	w.call(t, "POST", "/api/stop", nil, 503)
	var health struct{ Status string }
	if !getJSON(t, w.api+"/health", &health) || health.Status != "degraded" {
		t.Errorf("want a degraded controller, got %+v", health)
	}
	w.engine.set(false)
	await(t, "the run is found again", func() bool { s := w.status(t); return s.Phase == "running" && s.Run.ID == run && s.Run.Ended == nil })

	// The stop that failed was meant: nothing may start by itself now, so the run is begun anew.
	w.call(t, "POST", "/api/restart", nil, 200)
	run = w.status(t).Run.ID
	w.engine.set(true)
	docker(t, "kill", w.loadgen)
	await(t, "the engine is missed again", func() bool { return w.status(t).Container.State == "unavailable" })
	w.engine.set(false)
	w.goesOn(t, run, 1)
	w.call(t, "POST", "/api/stop", nil, 200)
	if s := w.status(t); s.Run.Ended == nil || s.Container.State != "exited" {
		t.Errorf("want it stopped: %+v", s)
	}
	if up := docker(t, "inspect", "--format", "{{.RestartCount}} {{.State.Status}}", w.controller); up != "0 running" {
		t.Errorf("the controller should have lived through it: %s", up)
	}
}

// logs are all that a container has written.
func logs(t *testing.T, container string) string {
	t.Helper()
	out, err := exec.Command(client(), "logs", container).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}
