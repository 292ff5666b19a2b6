package docker

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/docker/docker/client"
	"github.com/docker/go-connections/tlsconfig"
	"github.com/spf13/afero"
)

// Engine is a Docker engine, or Podman, as it is reached.
type Engine struct {
	// Host is its address, as in DOCKER_HOST.
	Host string
	// Source says where the address comes from, for people.
	Source string
	// TLS is how it is reached; nil is without.
	TLS *tlsconfig.Options
	// Rootless says that its socket belongs to an ordinary user. Podman tells it in no other way.
	Rootless bool
}

// Search says where an engine is looked for. The first six are the variables of the docker command.
type Discovery struct {
	Host, Context, ConfigDir, TLSVerify, CertPath string
	// Home and RuntimeDir are HOME and XDG_RUNTIME_DIR of the user, UID the number of the user.
	Home, RuntimeDir, UID string
	FS                    afero.Fs
	// Listens reports why nobody takes connections at a socket, nil where somebody does.
	Listens func(socket string) error
}

// Find looks for the engine in the order of the docker command (DOCKER_HOST, DOCKER_CONTEXT, the current context of its
// config.json), then at the sockets of Docker, rootless Docker, Docker Desktop and Podman, where the first one that
// takes connections is taken. Where none does it is Docker's own, which may be started later. The error names a context
// that cannot be used.
func FindEngine(s Discovery) (Engine, error) {
	e, err := s.find()
	if socket, ok := strings.CutPrefix(e.Host, "unix://"); ok && err == nil {
		if info, err := s.FS.Stat(socket); err == nil {
			owner, ok := info.Sys().(*syscall.Stat_t)
			e.Rootless = ok && owner.Uid != 0
		}
	}
	return e, err
}

func (s Discovery) find() (Engine, error) {
	if s.ConfigDir == "" {
		s.ConfigDir = filepath.Join(s.Home, ".docker")
	}
	if s.Host != "" {
		e := Engine{Host: s.Host, Source: "DOCKER_HOST"}
		if s.CertPath == "" && s.TLSVerify != "" {
			s.CertPath = s.ConfigDir
		}
		if s.CertPath != "" {
			e.TLS = certificates(s.FS, s.CertPath)
			e.TLS.InsecureSkipVerify = s.TLSVerify == ""
		}
		return e, nil
	}
	name, source := s.Context, "DOCKER_CONTEXT"
	if name == "" {
		var err error
		if name, err = s.current(); err != nil {
			return Engine{}, err
		}
		source = "the current context of " + s.ConfigDir
	}
	if name != "" && name != "default" {
		return s.context(name, source)
	}
	return s.socket(), nil
}

// current is the context that `docker context use` has chosen, empty for none.
func (s Discovery) current() (string, error) {
	var config struct{ CurrentContext string }
	err := readJSON(s.FS, filepath.Join(s.ConfigDir, "config.json"), &config)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("the docker command's settings: %w", err)
	}
	return config.CurrentContext, nil
}

// context reads a context where the docker command stores it (docker/cli, cli/context/store).
func (s Discovery) context(name, source string) (Engine, error) {
	id := fmt.Sprintf("%x", sha256.Sum256([]byte(name)))
	var meta struct {
		Endpoints struct {
			Docker struct {
				Host          string
				SkipTLSVerify bool
			} `json:"docker"`
		}
	}
	err := readJSON(s.FS, filepath.Join(s.ConfigDir, "contexts", "meta", id, "meta.json"), &meta)
	if errors.Is(err, fs.ErrNotExist) {
		return Engine{}, fmt.Errorf("the Docker context %q (%s) does not exist; `docker context ls` lists those "+
			"that do", name, source)
	}
	if err != nil {
		return Engine{}, fmt.Errorf("the Docker context %q (%s): %w", name, source, err)
	}
	d := meta.Endpoints.Docker
	e := Engine{Host: d.Host, Source: fmt.Sprintf("the Docker context %s, by %s", name, source)}
	folder := filepath.Join(s.ConfigDir, "contexts", "tls", id, "docker")
	if there, err := afero.DirExists(s.FS, folder); err == nil && there || d.SkipTLSVerify {
		e.TLS = certificates(s.FS, folder)
		e.TLS.InsecureSkipVerify = d.SkipTLSVerify
	}
	return e, nil
}

// socket is the first that takes connections.
func (s Discovery) socket() Engine {
	if s.RuntimeDir == "" {
		s.RuntimeDir = "/run/user/" + s.UID
	}
	var tried []string
	for _, at := range []struct{ path, whose string }{
		{"/var/run/docker.sock", "Docker"},
		{filepath.Join(s.RuntimeDir, "docker.sock"), "rootless Docker"},
		{filepath.Join(s.Home, ".docker", "run", "docker.sock"), "Docker Desktop"},
		{"/run/podman/podman.sock", "Podman"},
		{filepath.Join(s.RuntimeDir, "podman", "podman.sock"), "rootless Podman"},
	} {
		err := s.Listens(at.path)
		if err == nil {
			return Engine{Host: "unix://" + at.path, Source: "the socket of " + at.whose}
		}
		if !errors.Is(err, fs.ErrNotExist) {
			tried = append(tried, err.Error())
		}
	}
	e := Engine{Host: client.DefaultDockerHost,
		Source: "the default, because no socket of Docker or Podman takes connections"}
	if len(tried) > 0 {
		e.Source += " (" + strings.Join(tried, ", ") + ")"
	}
	return e
}

// certificates are those of a folder that are there.
func certificates(fsys afero.Fs, folder string) *tlsconfig.Options {
	file := func(name string) string {
		path := filepath.Join(folder, name)
		if _, err := fsys.Stat(path); err != nil {
			return ""
		}
		return path
	}
	return &tlsconfig.Options{CAFile: file("ca.pem"), CertFile: file("cert.pem"), KeyFile: file("key.pem"),
		ExclusiveRootPools: true}
}

func readJSON(fsys afero.Fs, path string, v any) error {
	data, err := afero.ReadFile(fsys, path)
	if err != nil {
		return fmt.Errorf("read: %w", err)
	}
	if err := json.Unmarshal(data, v); err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	return nil
}

// connect makes the client of an engine.
func (e Engine) connect() (*client.Client, error) {
	options := []client.Opt{client.WithAPIVersionNegotiation()}
	if e.TLS != nil {
		config, err := tlsconfig.Client(*e.TLS)
		if err != nil {
			return nil, fmt.Errorf("the certificates for the Docker engine at %s: %w", e.Host, err)
		}
		options = append(options, client.WithHTTPClient(&http.Client{
			Transport: &http.Transport{TLSClientConfig: config}, CheckRedirect: client.CheckRedirect,
		}))
	}
	if e.Host != "" {
		options = append(options, client.WithHost(e.Host))
	}
	api, err := client.NewClientWithOpts(options...)
	if err != nil {
		return nil, fmt.Errorf("the Docker engine at %q (%s): %w; write unix:///path or tcp://host:port", e.Host,
			e.Source, err)
	}
	return api, nil
}
