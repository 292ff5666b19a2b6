package docker_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/docker/docker/pkg/stdcopy"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
	"github.com/puttrix/trafficinator/controller/internal/launcher/docker"
)

// fakeEngine is an engine with at most one container of ours.
type fakeEngine struct {
	// security is one of its security options, image the ID of the loadgen's image.
	security, image string
	log             string
	// refusal is its error for creating a container.
	refusal string

	mu        sync.Mutex
	container map[string]any // as inspected; nil is none
	calls     []string
	created   creation
}

// creation is the part of a request for a container that tests check.
type creation struct {
	User       string
	Env        []string
	HostConfig struct {
		PortBindings map[string][]struct{ HostIP, HostPort string }
		Memory       int64
		PidsLimit    *int64
		LogConfig    struct{ Config map[string]string }
	}
}

func (f *fakeEngine) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, path, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/v"), "/")
	if r.URL.Path == "/_ping" {
		w.Header().Set("Api-Version", "1.41")
		return
	}
	if r.Method != http.MethodGet {
		f.calls = append(f.calls, r.Method+" "+path)
	}
	answer := func(status int, v any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(v) // a client that is gone fails its test
	}
	gone := func() { answer(http.StatusNotFound, map[string]string{"message": "no such thing"}) }
	switch {
	case path == "info":
		answer(http.StatusOK, map[string]any{"OperatingSystem": "Debian",
			"SecurityOptions": []string{"name=seccomp", f.security}})
	case path == "containers/json":
		list := []any{}
		if f.container != nil {
			list = append(list, map[string]any{"Id": f.container["Id"], "Names": []string{"/x"}})
		}
		answer(http.StatusOK, list)
	case strings.HasPrefix(path, "images/"):
		answer(http.StatusOK, map[string]any{"Id": f.image})
	case strings.HasPrefix(path, "networks/"):
		answer(http.StatusOK, map[string]any{})
	case path == "containers/create" && f.refusal != "":
		answer(http.StatusBadRequest, map[string]string{"message": f.refusal})
	case path == "containers/create":
		if err := json.NewDecoder(r.Body).Decode(&f.created); err != nil {
			answer(http.StatusBadRequest, map[string]string{"message": err.Error()})
			return
		}
		f.container = container("made", "created", f.image)
		answer(http.StatusCreated, map[string]any{"Id": f.container["Id"]})
	case strings.HasSuffix(path, "/start"):
		f.container = container("made", "running", f.image)
		w.WriteHeader(http.StatusNoContent)
	case strings.HasSuffix(path, "/logs"):
		var framed bytes.Buffer
		_, _ = stdcopy.NewStdWriter(&framed, stdcopy.Stderr).Write([]byte(f.log)) // to memory
		_, _ = w.Write(framed.Bytes())
	case strings.HasSuffix(path, "/json") && f.container != nil && !strings.Contains(path, "me-myself"):
		answer(http.StatusOK, f.container)
	case r.Method == http.MethodGet:
		gone()
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

// container returns an inspected container with a published port.
func container(id, state, image string) map[string]any {
	bindings := map[string]any{"8010/tcp": []any{map[string]string{"HostIp": "127.0.0.1", "HostPort": "24599"}}}
	return map[string]any{
		"Id": fmt.Sprintf("%-16s", id), "Name": "/x", "Image": image,
		"State": map[string]any{"Status": state, "Running": state == "running", "ExitCode": 2,
			"StartedAt": "2026-01-02T00:00:00Z"},
		"Config": map[string]any{"Image": "loadgen:local", "Labels": map[string]string{},
			"Env": []string{"LOADGEN_ENV_FILE=/app/data/loadgen.env", "TRAFFICINATOR_LOG_LINES=json"}},
		"HostConfig": map[string]any{"PortBindings": bindings, "RestartPolicy": map[string]any{"Name": "always"}},
		"NetworkSettings": map[string]any{"Ports": bindings,
			"Networks": map[string]any{"bridge": map[string]any{"IPAddress": "172.17.0.2", "NetworkID": "n"}}},
	}
}

// at returns a runtime that uses the engine.
func (f *fakeEngine) at(t *testing.T) *docker.Docker {
	t.Helper()
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	d, err := docker.New(docker.Config{
		Engine: docker.Engine{Host: "tcp://" + strings.TrimPrefix(server.URL, "http://")}, Name: "x", Stack: "x",
		Image:    "loadgen:local",
		Hostname: "me-myself", Exchange: "/data/exchange", State: "/data/state", User: "1500:1500", Memory: 1 << 20,
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// In a container of a rootless engine the user of this machine is root, and its address is in another network.
func TestContainerSuitsTheKindOfEngine(t *testing.T) {
	t.Parallel()
	for security, user := range map[string]string{"name=rootless": "0:0", "name=apparmor": "1500:1500"} {
		f := &fakeEngine{security: security, image: "sha256:new"}
		d := f.at(t)
		if err := d.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if f.created.User != user {
			t.Errorf("%s: got the user %s", security, f.created.User)
		}
		h := f.created.HostConfig
		if b := h.PortBindings["8010/tcp"]; len(b) != 1 || b[0].HostIP != "127.0.0.1" {
			t.Errorf("%s: want a port published on loopback, got %+v", security, h)
		}
		if h.Memory != 1<<20 || h.PidsLimit == nil || *h.PidsLimit == 0 || h.LogConfig.Config["max-size"] == "" {
			t.Errorf("%s: want limits, got %+v", security, h)
		}
		if s := d.Status(t.Context()); s.Telemetry != "http://127.0.0.1:24599" {
			t.Errorf("%s: got the telemetry URL %s", security, s.Telemetry)
		}
	}
}

// A running container that was created by hand has no published port.
func TestUnreachableAddressIsNotUsed(t *testing.T) {
	t.Parallel()
	for security, want := range map[string]string{"name=rootless": "", "name=apparmor": "http://172.17.0.2:8010"} {
		f := &fakeEngine{security: security, image: "sha256:new",
			container: container("theirs", "running", "sha256:new")}
		f.container["NetworkSettings"].(map[string]any)["Ports"] = nil
		if s := f.at(t).Status(t.Context()); s.Telemetry != want {
			t.Errorf("%s: got the telemetry URL %q", security, s.Telemetry)
		}
	}
}

func TestNewImageIsReportedAndUsedAtTheNextStart(t *testing.T) {
	t.Parallel()
	f := &fakeEngine{image: "sha256:new", container: container("old", "running", "sha256:old")}
	d := f.at(t)
	if s := d.Status(t.Context()); s.State != launcher.Running ||
		s.Reason != "its image is older than loadgen:local; the next start recreates it" {
		t.Errorf("got the status %+v", s)
	}
	if err := d.Start(t.Context()); err != nil || len(f.calls) > 0 {
		t.Errorf("want a running container unchanged: %v, %v", f.calls, err)
	}
	f.container = container("old", "exited", "sha256:old")
	if err := d.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if did := strings.Join(f.calls, "\n"); !strings.Contains(did, "containers/create") ||
		!strings.Contains(did, "DELETE containers/old") {
		t.Errorf("got the calls\n%s", did)
	}
	if s := d.Status(t.Context()); s.State != launcher.Running || s.Reason != "" {
		t.Errorf("got the status %+v", s)
	}
}

func TestContainerOfAnOlderVersionIsRecreatedAtTheNextStart(t *testing.T) {
	t.Parallel()
	for _, missing := range []string{"LOADGEN_ENV_FILE=/app/data/loadgen.env", "TRAFFICINATOR_LOG_LINES=json"} {
		f := &fakeEngine{image: "sha256:new", container: container("old", "exited", "sha256:new")}
		config := f.container["Config"].(map[string]any)
		config["Env"] = slices.DeleteFunc(append(config["Env"].([]string), "MINE=1"), func(v string) bool {
			return v == missing
		})
		if err := f.at(t).Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(f.created.Env, missing) || !slices.Contains(f.created.Env, "MINE=1") ||
			!slices.ContainsFunc(
				f.calls,
				func(c string) bool { return strings.HasPrefix(c, "DELETE containers/old") },
			) {
			t.Errorf("without %s: want a new container with it, got %q after %q", missing, f.created.Env, f.calls)
		}
	}
}

func TestRestartPolicyIsReportedWithTheLastError(t *testing.T) {
	t.Parallel()
	f := &fakeEngine{
		image: "sha256:new", container: container("looping", "restarting", "sha256:new"),
		log: `2026-01-02T00:00:00Z {"time":"2026-01-02T00:00:00Z","level":"ERROR","msg":"PAGEVIEWS_MIN is below 1"}` +
			"\n2026-01-02T00:00:00Z the end\n",
	}
	s := f.at(t).Status(t.Context())
	for _, want := range []string{"code 2", "restart policy always", "docker update --restart=no x",
		"PAGEVIEWS_MIN"} {
		if !strings.Contains(s.Reason, want) {
			t.Errorf("the reason lacks %q: %s", want, s.Reason)
		}
	}
}

// A socket may lead to another machine, through a tunnel, or to a virtual one.
func TestEngineWithoutTheFoldersIsReported(t *testing.T) {
	t.Parallel()
	f := &fakeEngine{image: "sha256:new",
		refusal: `invalid mount config for type "bind": bind source path does not exist: /data/exchange`}
	err := f.at(t).Start(t.Context())
	if err == nil || !strings.Contains(err.Error(), "/data/exchange") ||
		!strings.Contains(err.Error(), "the folder does not exist where the engine runs") {
		t.Errorf("got %v", err)
	}
}
