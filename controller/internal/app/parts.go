package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/api"
	"github.com/puttrix/trafficinator/controller/internal/launcher"
	"github.com/puttrix/trafficinator/controller/internal/launcher/docker"
	"github.com/puttrix/trafficinator/controller/internal/launcher/process"
	"github.com/puttrix/trafficinator/controller/internal/live"
	"github.com/puttrix/trafficinator/controller/internal/record"
	"github.com/puttrix/trafficinator/controller/internal/run"
	"github.com/puttrix/trafficinator/controller/internal/run/history"
	"github.com/puttrix/trafficinator/controller/internal/run/job"
	"github.com/puttrix/trafficinator/controller/internal/settings"
	"github.com/puttrix/trafficinator/shared/lifecycle"
	"github.com/puttrix/trafficinator/shared/spec"
	"github.com/puttrix/trafficinator/shared/status"
)

// choosePort takes the runtime that the settings name; auto is docker where an engine of this machine answers.
func (a *App) choosePort(ctx context.Context) error {
	s := a.settings
	if s.Runtime == "process" {
		a.runtimeReason = "RUNTIME=process"
	} else if err := a.chooseEngine(ctx); err != nil {
		return err
	}
	if a.port == nil {
		childLog := process.NewLogFile(filepath.Join(s.ControllerDir(), "loadgen.log"))
		a.parts.Add(lifecycle.Closer("log of the child", childLog.Close))
		a.port = process.New(a.host.FS, process.Config{
			Bin: s.LoadgenBin, Exchange: s.ExchangeDir, State: s.StateDir, Log: childLog,
			Env: process.Environment(a.host.Env),
		})
	}
	a.log.Info("runtime selected", "runtime", a.port.Name(), "why", a.runtimeReason)
	if a.port.Name() != "process" {
		a.warnOfOwnWays()
	}
	a.parts.Add(lifecycle.Closer("runtime", within(func(ctx context.Context) error {
		return a.port.Close(ctx, run.DrainTimeout)
	})))
	return nil
}

// ownWays are variables by which the controller reaches others and a container does not, with the setting for both.
var ownWays = map[string]string{
	"HTTP_PROXY": "PROXY_URL", "HTTPS_PROXY": "PROXY_URL", "http_proxy": "PROXY_URL", "https_proxy": "PROXY_URL",
	"SSL_CERT_FILE": "TLS_CA_FILE", "SSL_CERT_DIR": "TLS_CA_FILE",
}

// warnOfOwnWays says which variables let the controller's own questions through where the hits of a container are not.
func (a *App) warnOfOwnWays() {
	for _, key := range slices.Sorted(maps.Keys(ownWays)) {
		if a.host.Env[key] != "" {
			a.log.Warn("the environment variable is for the controller alone: the loadgen's container does not get it",
				"variable", key, "set", ownWays[key])
		}
	}
}

// warnOfRunSettings names settings of runs in the environment of the controller, where they have no effect.
func (a *App) warnOfRunSettings() {
	own := map[string]bool{}
	for _, f := range settings.Fields() {
		own[f.Key] = true
	}
	var found []string
	for _, key := range slices.Sorted(maps.Keys(a.host.Env)) {
		if a.host.Env[key] != "" && spec.IsKnown(key) && !spec.IsStackSetting(key) && !own[key] {
			found = append(found, key)
		}
	}
	if len(found) > 0 {
		a.log.Warn("settings of runs in the environment have no effect on the controller; save them in the interface "+
			"or by PATCH /api/config",
			"variables", strings.Join(found, " "))
	}
}

// chooseEngine takes the engine that is found. One that does not answer is waited for where RUNTIME=docker asks for it;
// one that is of no use here is refused then.
func (a *App) chooseEngine(ctx context.Context) error {
	s := a.settings
	required := s.Runtime == "docker"
	// The engine mounts them by their whole paths.
	exchange, err := filepath.Abs(s.ExchangeDir)
	if err != nil {
		return fmt.Errorf("find the exchange folder: %w", err)
	}
	state, err := filepath.Abs(s.StateDir)
	if err != nil {
		return fmt.Errorf("find the state folder: %w", err)
	}
	uid, _, _ := strings.Cut(a.host.User, ":")
	engine, err := docker.FindEngine(docker.Discovery{
		Host: s.DockerHost, Context: s.DockerContext, ConfigDir: s.DockerConfig, TLSVerify: s.DockerTLSVerify,
		CertPath: s.DockerCertPath,
		Home:     a.host.Env["HOME"], RuntimeDir: a.host.Env["XDG_RUNTIME_DIR"], UID: uid, FS: a.host.FS,
		Dial: listens,
	})
	var d *docker.Docker
	if err == nil {
		memory, _ := s.MemoryLimit() // checked with the settings
		d, err = docker.New(docker.Config{
			Engine: engine, Name: s.LoadgenName, Image: s.LoadgenImage, Stack: s.Stack, Memory: memory,
			Hostname: a.host.Hostname, Exchange: exchange, State: state, User: a.host.User,
		})
	}
	if err == nil {
		err = d.CheckUsable(ctx)
	}
	where := fmt.Sprintf("the engine at %s, from %s", engine.Host, engine.Source)
	if engine.Host == "" {
		where = "no engine"
	}
	switch {
	case err == nil:
		a.port, a.runtimeReason = d, where
	case required && errors.Is(err, launcher.ErrUnavailable):
		a.port, a.runtimeReason = d, where+", which does not answer yet"
		a.log.WarnContext(ctx, "the Docker engine does not answer", "engine", engine.Host, "err", err)
	case required:
		return fmt.Errorf("%w: RUNTIME=docker: %s: %w", ErrBadSetting, where, err)
	default:
		a.runtimeReason = fmt.Sprintf("RUNTIME=auto: containers are not available: %s: %v", where, err)
		if d != nil {
			return d.Close(ctx, 0)
		}
	}
	return nil
}

// listens tells why nobody takes connections at a socket, nil where somebody does.
func listens(socket string) error {
	conn, err := net.DialTimeout("unix", socket, time.Second)
	if err != nil {
		return err
	}
	return conn.Close()
}

// probe asks a loadgen for its status.
func probe(client *http.Client) run.Probe {
	return func(ctx context.Context, telemetry string) (*status.Snapshot, error) {
		return live.Read(ctx, client, telemetry)
	}
}

// sending is the id of the run that sends now, else of the backfill that does, empty where nothing does.
func (a *App) sending(ctx context.Context) string {
	if st := a.control.Status(); st.Active() {
		return st.Run.ID
	}
	jobs, err := a.jobs.Jobs(ctx)
	if err != nil {
		a.log.Error("jobs cannot be read", "err", err)
	}
	for _, j := range jobs {
		if j.State == job.Running {
			return j.RunID
		}
	}
	return ""
}

// tellState hands a new state to the listeners.
func (a *App) tellState(st run.Status) {
	data, err := json.Marshal(api.StateEvent(st, a.disk.Faults(), time.Now()))
	if err != nil {
		a.log.Error("a state cannot be written", "err", err)
		return
	}
	a.hub.Send(live.StateEvent, data)
}

// scale is what the rate of the run is multiplied by now.
func (a *App) scale() float64 {
	c := a.control.Status().Steering
	if c.Paused || c.FinishSeconds > 0 {
		return 0
	}
	return c.Scale
}

func (a *App) keepInterval(ctx context.Context, i live.Interval) error {
	data, err := json.Marshal(i)
	if err != nil {
		return fmt.Errorf("encode interval: %w", err)
	}
	return a.store.SaveInterval(ctx, i.RunID, record.Interval{At: i.At, Body: data})
}

// purger removes deleted runs for good.
func (a *App) purger() history.Purger {
	return history.Purger{
		Store: a.store, Log: a.log, Delete: func(runs map[string]time.Time) error {
			return a.setup.Delete(runs, a.ledgers.Has)
		},
	}
}

const (
	// maxConnections is how many connections can be open, most of them streams.
	maxConnections = 10_000
	// keptDescriptors are for the database, files, children and requests to them.
	keptDescriptors = 64
	// fewDescriptors is a limit that is told: an ordinary machine has 1024 or more.
	fewDescriptors = 1024
)

// connections is how many can be open at once, by what the process may have open; a low limit is told.
func (a *App) connections() int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return fewDescriptors - keptDescriptors
	}
	n := int(min(limit.Cur, maxConnections+keptDescriptors)) - keptDescriptors
	if limit.Cur < fewDescriptors {
		a.log.Warn("the limit of open files is low; raise ulimit -n to 1024 or more", "limit",
			limit.Cur, "connections", max(n, 0))
	}
	return n
}
