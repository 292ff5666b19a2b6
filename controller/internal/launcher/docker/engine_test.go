package docker_test

import (
	"crypto/sha256"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
	"github.com/puttrix/trafficinator/controller/internal/launcher/docker"
)

// contextFolder is where the docker command stores a context.
func contextFolder(kind, name string) string {
	return fmt.Sprintf("/home/me/.docker/contexts/%s/%x", kind, sha256.Sum256([]byte(name)))
}

func TestEngineIsFoundLikeByTheDockerCommand(t *testing.T) {
	t.Parallel()
	fsys := afero.NewMemMapFs()
	for path, text := range map[string]string{
		contextFolder("meta", "lab") +
			"/meta.json": `{"Name":"lab","Endpoints":{"docker":{"Host":"unix:///srv/lab.sock","SkipTLSVerify":false}}}`,
		contextFolder("meta", "tls") +
			"/meta.json": `{"Name":"tls","Endpoints":{"docker":{"Host":"tcp://127.0.0.1:2376"}}}`,
		contextFolder("tls", "tls") + "/docker/ca.pem": "authority",
		"/current/config.json":                         `{"auths":{},"currentContext":"gone"}`,
		"/broken/config.json":                          `{`,
		"/home/me/.docker/config.json":                 `{"currentContext":"lab"}`,
		"/certs/ca.pem":                                "authority",
	} {
		if err := afero.WriteFile(fsys, path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		search     docker.Discovery
		listening  string // the sockets that accept connections
		host, from string
		ca         string
		unverified bool
		err        string
	}{
		"a host": {search: docker.Discovery{Host: "unix:///x.sock", Context: "lab"},
			host: "unix:///x.sock", from: "DOCKER_HOST"},
		"a host by TLS": {search: docker.Discovery{Host: "tcp://127.0.0.1:2376", CertPath: "/certs",
			TLSVerify: "1"}, host: "tcp://127.0.0.1:2376", from: "DOCKER_HOST", ca: "/certs/ca.pem"},
		"a host by unverified TLS": {search: docker.Discovery{Host: "tcp://127.0.0.1:2376", CertPath: "/certs"},
			host: "tcp://127.0.0.1:2376", from: "DOCKER_HOST", ca: "/certs/ca.pem", unverified: true},
		"a context": {search: docker.Discovery{Context: "tls"}, host: "tcp://127.0.0.1:2376",
			from: "the Docker context tls, from DOCKER_CONTEXT", ca: contextFolder("tls", "tls") + "/docker/ca.pem"},
		"the current context": {host: "unix:///srv/lab.sock",
			from: "the Docker context lab, from the current context of /home/me/.docker"},
		"a missing context": {search: docker.Discovery{ConfigDir: "/current"},
			err: `the Docker context "gone" (the current context of /current) does not exist`},
		"broken settings": {search: docker.Discovery{ConfigDir: "/broken"}, err: "read /broken/config.json"},
		"a root daemon": {search: docker.Discovery{Context: "default"},
			listening: "/var/run/docker.sock /run/user/1500/docker.sock", host: "unix:///var/run/docker.sock",
			from: "the socket of Docker"},
		"rootless Docker": {search: docker.Discovery{Context: "default"},
			listening: "/run/user/1500/docker.sock", host: "unix:///run/user/1500/docker.sock",
			from: "the socket of rootless Docker"},
		"rootless Docker elsewhere": {search: docker.Discovery{Context: "default", RuntimeDir: "/tmp/me"},
			listening: "/tmp/me/docker.sock", host: "unix:///tmp/me/docker.sock",
			from: "the socket of rootless Docker"},
		"Podman": {search: docker.Discovery{Context: "default"}, listening: "/run/podman/podman.sock",
			host: "unix:///run/podman/podman.sock", from: "the socket of Podman"},
		"rootless Podman": {search: docker.Discovery{Context: "default"},
			listening: "/run/user/1500/podman/podman.sock", host: "unix:///run/user/1500/podman/podman.sock",
			from: "the socket of rootless Podman"},
		"nothing": {search: docker.Discovery{Context: "default"}, host: "unix:///var/run/docker.sock",
			from: "no socket of Docker or Podman accepts connections (dial /var/run/docker.sock: permission denied)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.search.Home, c.search.UID, c.search.FS = "/home/me", "1500", fsys
			c.search.Dial = func(socket string) error {
				switch {
				case strings.Contains(" "+c.listening+" ", " "+socket+" "):
					return nil
				case socket == "/var/run/docker.sock":
					return fmt.Errorf("dial %s: %w", socket, fs.ErrPermission)
				default:
					return fs.ErrNotExist
				}
			}
			e, err := docker.FindEngine(c.search)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("want %q, got %v", c.err, err)
				}
				return
			}
			if err != nil || e.Host != c.host || !strings.Contains(e.Source, c.from) {
				t.Fatalf("got %+v, %v", e, err)
			}
			if e.TLS == nil && c.ca != "" || e.TLS != nil &&
				(e.TLS.CAFile != c.ca || e.TLS.InsecureSkipVerify != c.unverified) {
				t.Errorf("got the TLS options %+v", e.TLS)
			}
		})
	}
}

func TestEngineIsReachedByTLS(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // of rejected connections
	server.StartTLS()
	t.Cleanup(server.Close)
	dir := t.TempDir()
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(filepath.Join(dir, "ca.pem"), ca, 0o600); err != nil {
		t.Fatal(err)
	}
	at := "tcp://" + strings.TrimPrefix(server.URL, "https://")
	for name, c := range map[string]struct {
		search docker.Discovery
		good   bool
	}{
		"its CA":     {docker.Discovery{Host: at, CertPath: dir, TLSVerify: "1"}, true},
		"unverified": {docker.Discovery{Host: at, CertPath: t.TempDir()}, true},
		"another CA": {docker.Discovery{Host: at, ConfigDir: t.TempDir(), TLSVerify: "1"}, false},
		"no TLS":     {docker.Discovery{Host: at}, false},
	} {
		c.search.FS = afero.NewOsFs()
		e, err := docker.FindEngine(c.search)
		if err != nil {
			t.Fatal(err)
		}
		d, err := docker.New(docker.Config{Engine: e})
		if err != nil {
			t.Fatal(err)
		}
		if err := d.CheckUsable(t.Context()); (err == nil) != c.good || err != nil &&
			!errors.Is(err, launcher.ErrUnavailable) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Its containers would mount folders of that machine.
func TestEngineOnAnotherMachineIsRejected(t *testing.T) {
	t.Parallel()
	d, err := docker.New(docker.Config{Engine: docker.Engine{Host: "ssh://lab.example.test"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.CheckUsable(t.Context()); !errors.Is(err, docker.ErrRemoteEngine) {
		t.Errorf("got %v", err)
	}
}
