package main

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// client stands for the Docker client: it answers by the variables that a test sets and writes down what was asked of
// it.
const client = `#!/bin/sh
echo "$*" >>calls
case "$*" in
version*) [ -z "$NO_ENGINE" ] || [ "$DOCKER_HOST" = "${ANSWERS_AT:-none}" ] || { echo "cannot connect" >&2; exit 1; } ;;
"context inspect"*Name*) echo "${CONTEXT:-default}" ;;
"context inspect"*) echo "${DOCKER_HOST:-$ENDPOINT}" ;;
info*) echo "[name=seccomp,profile=default$SECURITY]" ;;
"compose version --short") [ -n "$COMPOSE" ] && echo "$COMPOSE" ;;
"buildx version") [ -n "$BUILDX" ] && echo "github.com/docker/buildx $BUILDX 28c90ea" ;;
"image inspect"*) [ -n "$IMAGES" ] && echo "$IMAGES" ;;
*"config --images") printf 'controller:local\nloadgen:local\n' ;;
*build) [ -z "$NO_REGISTRY" ] ;;
esac
`

// id and stat stand for an ordinary user, and a socket of the group 105.
const (
	id   = "#!/bin/sh\ncase $1 in -u) echo 1500 ;; -g) echo 1600 ;; esac\n"
	stat = "#!/bin/sh\ncase $3 in %u) echo ${OWNER:-0} ;; %g) echo 105 ;; esac\n"
)

// up runs what make up does, with such a client, and returns what it says, what it asked of the client, and .env.
func up(t *testing.T, written string, variables ...string) (code int, said, calls, env string) {
	t.Helper()
	dir := t.TempDir()
	script, err := os.ReadFile("up.sh")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"controller/up.sh": string(script), "docker": client, "id": id,
		"stat": stat, ".env": written} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("sh", filepath.Join(dir, "controller/up.sh"))
	cmd.Env = append([]string{
		"PATH=" + dir + ":" + os.Getenv("PATH"), "DOCKER=" + filepath.Join(dir, "docker"), "VERSION=v2",
		"COMPOSE=2.40.0", "ENDPOINT=unix:///var/run/docker.sock",
		"XDG_RUNTIME_DIR=" + dir,
	}, variables...)
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	read := func(name string) string {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		return string(data)
	}
	return cmd.ProcessState.ExitCode(), string(out), read("calls"), read(".env")
}

func TestUpStartsWithWhatTheMachineHasOrSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	const starts, builds = "docker-compose.webui.yml up --no-build", "docker-compose.webui.yml build"
	for name, c := range map[string]struct {
		machine []string
		said    string // or starts in silence
		asked   []string
	}{
		"buildx and no images":      {[]string{"BUILDX=v0.17.1"}, "", []string{builds, starts}},
		"images of another version": {[]string{"BUILDX=v0.24.0", "IMAGES=v1"}, "", []string{builds, starts}},
		"images of this version":    {[]string{"BUILDX=v0.17.1", "IMAGES=v2"}, "", []string{starts}},
		"images and no buildx": {[]string{"IMAGES=v1"}, "starts from the images that are there (v1)",
			[]string{starts}},
		"compose built by hand":     {[]string{"COMPOSE=dev", "IMAGES=v2"}, "", []string{starts}},
		"neither images nor buildx": {nil, "make them with `make images`", nil},
		"buildx that is too old":    {[]string{"BUILDX=v0.11.2"}, "of which it found 0.11.2", nil},
		"no registry": {[]string{"BUILDX=v0.17.1", "NO_REGISTRY=1"}, "up --no-build",
			[]string{builds}},
		"compose that is too old": {[]string{"COMPOSE=v2.20.3", "IMAGES=v2"},
			"compose v2.20.3 is too old, 2.23.1 is needed", nil},
		"no compose plugin": {[]string{"COMPOSE="},
			"docker-compose 1.x and podman-compose cannot read the file", nil},
		"no engine": {[]string{"NO_ENGINE=1"}, "no Docker engine answers: cannot connect", nil},
		"an engine on another machine": {[]string{"ENDPOINT=ssh://lab", "IMAGES=v2"},
			"the engine at ssh://lab is on another machine", nil},
		"a context that does not answer": {[]string{"NO_ENGINE=1", "CONTEXT=lab"}, "no Docker engine answers", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, said, calls, _ := up(t, "", c.machine...)
			started := strings.Contains(calls, starts)
			if !strings.Contains(said, c.said) || (code == 0) != started || code != 0 && code != 2 {
				t.Errorf("exit code %d: %s\n%s", code, said, calls)
			}
			for _, call := range []string{builds, starts} {
				if wanted := strings.Contains(strings.Join(c.asked, "\n"), call); strings.Contains(calls,
					call) != wanted {
					t.Errorf("%q asked for: want %t\n%s", call, wanted, calls)
				}
			}
		})
	}
}

func TestUpWritesWhatTheEngineNeedsToKnowOfThisMachine(t *testing.T) {
	t.Parallel()
	const (
		mine = "TRAFFICINATOR_UID=1500\nTRAFFICINATOR_GID=1600\nDOCKER_SOCKET=SOCKET\nDOCKER_GID=105\n"
		root = "TRAFFICINATOR_UID=0\nTRAFFICINATOR_GID=0\nDOCKER_SOCKET=SOCKET\nDOCKER_GID=0\n"
	)
	for name, c := range map[string]struct{ written, machine, env, said string }{
		"a context":                      {"", "CONTEXT=lab", mine, ""},
		"rootless Docker":                {"", "SECURITY= name=rootless", root, ""},
		"rootless Podman":                {"", "OWNER=1500", root, ""},
		"found by looking":               {"", "NO_ENGINE=1", mine, "export DOCKER_HOST=unix://SOCKET"},
		"a file without a last line end": {"CONTROLLER_PORT=8001", "CONTEXT=lab", "CONTROLLER_PORT=8001\n" + mine, ""},
		"a person's own": {
			"TRAFFICINATOR_UID=77\n", "CONTEXT=lab", strings.Replace(mine, "1500", "77", 1),
			".env has TRAFFICINATOR_UID=77; for this user and engine it would be TRAFFICINATOR_UID=1500",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			socket := filepath.Join(dir, "docker.sock") // rootless Docker's own place, where XDG_RUNTIME_DIR is dir
			l, err := net.Listen("unix", socket)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = l.Close() })
			variables := []string{"IMAGES=v2", c.machine, "ENDPOINT=unix://" + socket, "XDG_RUNTIME_DIR=" + dir,
				"ANSWERS_AT=unix://" + socket}
			code, said, calls, env := up(t, c.written, variables...)
			env = strings.ReplaceAll(env, socket, "SOCKET")
			if code != 0 || env != c.env || !strings.Contains(strings.ReplaceAll(said, socket, "SOCKET"), c.said) {
				t.Errorf("exit code %d: %s\n%s\n.env: %s", code, said, calls, env)
			}
		})
	}
}
