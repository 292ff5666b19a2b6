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

func command(args ...string) (string, error) {
	name := os.Getenv("DOCKER")
	if name == "" {
		name = "docker"
	}
	cmd := exec.Command(name, args...)
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

// stack brings docker-compose.webui.yml up beside a sink.
func stack(t *testing.T) (p product, loadgen string, compose func(args ...string) string) {
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
	dir, name := folders(t), fmt.Sprintf("trafficinator-test-webui-%d", os.Getpid())
	loadgen = name + "-loadgen"
	env := filepath.Join(dir, "settings.env")
	text := fmt.Sprintf("TRAFFICINATOR_UID=%d\nTRAFFICINATOR_GID=%d\nDOCKER_GID=%d\nDOCKER_SOCKET=%s\nCONTROLLER_PORT=0\nLOADGEN_CONTAINER=%s\nCONTROL_UI_API_KEY=%s\n",
		os.Getuid(), os.Getgid(), group, path, loadgen, key)
	if err := os.WriteFile(env, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	compose = func(args ...string) string {
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
	p = product{
		api: "http://" + compose("port", "controller", "8000"), sink: "http://" + docker(t, "port", name+"-sink", "8080/tcp"),
		tracker: "http://sink:8080/matomo.php", kill: func(t *testing.T) { docker(t, "kill", loadgen) },
	}
	await(t, "the controller answers", func() bool { var v any; return getJSON(t, p.api+"/health", &v) })
	await(t, "the loadgen idles", func() bool { return p.status(t).Phase == "idle" })
	return p, loadgen, compose
}

func TestAPersonsWayWithContainers(t *testing.T) {
	t.Parallel()
	p, loadgen, compose := stack(t)
	journey(t, p)

	for what, hurt := range map[string]func(){
		"removed": func() { docker(t, "rm", "--force", loadgen) },
		"never started": func() {
			docker(t, "rm", "--force", loadgen)
			compose("create", "--no-build", "loadgen")
		},
	} {
		hurt()
		await(t, "the controller sees that it was "+what, func() bool { return p.status(t).Container.Healable })
		p.call(t, "POST", "/api/heal", nil, 200)
		if s := p.status(t); s.Container.State != "running" {
			t.Errorf("%s: after healing it should run: %+v", what, s.Container)
		}
	}
	if everything := docker(t, "inspect", loadgen, strings.TrimSuffix(loadgen, "-loadgen")+"-controller-1"); strings.Contains(everything, key) {
		t.Error("the key can be read by whoever may inspect the containers")
	}
}
