package docker

import (
	"cmp"
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

// Engine is a Docker or Podman engine and how to connect to it.
type Engine struct {
	Host   string             // its address, as in DOCKER_HOST
	Source string             // where the address comes from, for people
	TLS    *tlsconfig.Options // nil for a connection without TLS
	// Rootless reports that an ordinary user owns its socket. Podman does not report it otherwise.
	Rootless bool
}

// Discovery holds the inputs of FindEngine. The first five fields are the variables of the docker command.
type Discovery struct {
	Host, Context, ConfigDir, TLSVerify, CertPath string
	// Home and RuntimeDir are HOME and XDG_RUNTIME_DIR, UID is the user's ID.
	Home, RuntimeDir, UID string
	FS                    afero.Fs
	// Dial returns an error if a socket does not accept connections.
	Dial func(socket string) error
}

// FindEngine finds the engine in the order of the docker command (DOCKER_HOST, DOCKER_CONTEXT, the current context of
// config.json), then the first socket of Docker, rootless Docker, Docker Desktop or Podman that accepts connections. If
// none does, it returns Docker's default, which may be started later. The error names a context that cannot be used.
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
	s.ConfigDir = cmp.Or(s.ConfigDir, filepath.Join(s.Home, ".docker"))
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
	if name == "" { // the one that `docker context use` selected, if any
		var config struct{ CurrentContext string }
		err := readJSON(s.FS, filepath.Join(s.ConfigDir, "config.json"), &config)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return Engine{}, fmt.Errorf("the docker command's settings: %w", err)
		}
		name, source = config.CurrentContext, "the current context of "+s.ConfigDir
	}
	if name != "" && name != "default" {
		return s.context(name, source)
	}
	return s.socket(), nil
}

// context reads a context from where the docker command stores it (docker/cli, cli/context/store).
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
		return Engine{}, fmt.Errorf("the Docker context %q (%s) does not exist; `docker context ls` lists the "+
			"existing ones", name, source)
	}
	if err != nil {
		return Engine{}, fmt.Errorf("the Docker context %q (%s): %w", name, source, err)
	}
	d := meta.Endpoints.Docker
	e := Engine{Host: d.Host, Source: fmt.Sprintf("the Docker context %s, from %s", name, source)}
	folder := filepath.Join(s.ConfigDir, "contexts", "tls", id, "docker")
	if exists, err := afero.DirExists(s.FS, folder); err == nil && exists || d.SkipTLSVerify {
		e.TLS = certificates(s.FS, folder)
		e.TLS.InsecureSkipVerify = d.SkipTLSVerify
	}
	return e, nil
}

// socket returns the first socket that accepts connections.
func (s Discovery) socket() Engine {
	s.RuntimeDir = cmp.Or(s.RuntimeDir, "/run/user/"+s.UID)
	var tried []string
	for _, at := range []struct{ path, owner string }{
		{"/var/run/docker.sock", "Docker"},
		{filepath.Join(s.RuntimeDir, "docker.sock"), "rootless Docker"},
		{filepath.Join(s.Home, ".docker", "run", "docker.sock"), "Docker Desktop"},
		{"/run/podman/podman.sock", "Podman"},
		{filepath.Join(s.RuntimeDir, "podman", "podman.sock"), "rootless Podman"},
	} {
		err := s.Dial(at.path)
		if err == nil {
			return Engine{Host: "unix://" + at.path, Source: "the socket of " + at.owner}
		}
		if !errors.Is(err, fs.ErrNotExist) {
			tried = append(tried, err.Error())
		}
	}
	e := Engine{Host: client.DefaultDockerHost,
		Source: "the default, because no socket of Docker or Podman accepts connections"}
	if len(tried) > 0 {
		e.Source += " (" + strings.Join(tried, ", ") + ")"
	}
	return e
}

// certificates returns the TLS options for the certificates that exist in a folder.
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

// connect returns a client of the engine.
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
		return nil, fmt.Errorf("the Docker engine at %q (%s): %w; use unix:///path or tcp://host:port", e.Host,
			e.Source, err)
	}
	return api, nil
}
