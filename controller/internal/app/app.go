// Package app owns the wiring: it makes everything a controller is of, starts it, and ends it in order. It knows no
// rule of any part.
package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/controller/internal/api"
	"github.com/puttrix/trafficinator/controller/internal/benchmark"
	"github.com/puttrix/trafficinator/controller/internal/disk"
	"github.com/puttrix/trafficinator/controller/internal/launcher"
	"github.com/puttrix/trafficinator/controller/internal/live"
	"github.com/puttrix/trafficinator/controller/internal/preview"
	"github.com/puttrix/trafficinator/controller/internal/reconcile"
	"github.com/puttrix/trafficinator/controller/internal/reconcile/evidence"
	"github.com/puttrix/trafficinator/controller/internal/run"
	"github.com/puttrix/trafficinator/controller/internal/run/history"
	"github.com/puttrix/trafficinator/controller/internal/run/job"
	"github.com/puttrix/trafficinator/controller/internal/security"
	"github.com/puttrix/trafficinator/controller/internal/settings"
	"github.com/puttrix/trafficinator/controller/internal/setup"
	"github.com/puttrix/trafficinator/controller/internal/setup/folder"
	"github.com/puttrix/trafficinator/controller/internal/store"
	"github.com/puttrix/trafficinator/controller/internal/summaries"
	"github.com/puttrix/trafficinator/controller/internal/webui"
	"github.com/puttrix/trafficinator/shared/doctor"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/lifecycle"
	"github.com/puttrix/trafficinator/shared/runid"
	"github.com/puttrix/trafficinator/shared/secret"
	"github.com/puttrix/trafficinator/shared/spec"
	"github.com/puttrix/trafficinator/shared/target"
)

// Host is the machine as a controller meets it.
type Host struct {
	Env map[string]string
	FS  afero.Fs
	// Hostname and User (uid:gid) are the controller's own.
	Hostname, User string
	// Bundle is the root of the built user interface.
	Bundle  fs.FS
	Version string
}

// App is a controller that was put together.
type App struct {
	host     Host
	settings settings.Settings
	log      *slog.Logger
	store    *store.Store
	port     port
	// runtimeReason says why the port is the one that it is.
	runtimeReason string

	jobs    *job.Queue
	control *run.Manager
	live    *live.Monitor
	hub     *live.Hub
	guard   *security.Guard
	disk    *disk.Monitor
	ledgers *summaries.Reader
	setup   *setup.Service
	handler http.Handler
	parts   *lifecycle.Group
}

// port is a runtime of both the loadgen and jobs.
type port interface {
	launcher.Runtime
	launcher.JobRuntime
}

// ErrBadSetting marks a setting that does not fit this machine.
var ErrBadSetting = errors.New("a setting cannot be used on this machine")

// examineTimeout bounds one request of a connection test; the API bounds the whole.
const examineTimeout = time.Minute

// New puts a controller together. What it has opened is closed by Serve, or by itself where it fails.
func New(ctx context.Context, h Host, s settings.Settings, log *slog.Logger) (a *App, err error) {
	a = &App{host: h, settings: s, log: log, hub: live.NewHub(time.Now()), parts: lifecycle.NewGroup(log)}
	defer func() {
		if err != nil {
			a.parts.Stop()
		}
	}()
	if err := a.folders(); err != nil {
		return a, err
	}
	key := s.APIKey
	if key == "" {
		if key, err = security.LoadKey(h.FS, s.ControllerDir()); err != nil {
			return a, err
		}
	}
	a.sweep()
	if err := a.openStore(ctx); err != nil {
		return a, err
	}
	a.warnOfModes()
	a.warnOfRunSettings()
	if err := a.choosePort(ctx); err != nil {
		return a, err
	}
	a.setup = setup.New(a.store, folder.New(a.store, h.FS, s.ExchangeDir), h.FS, s.PresetsDir, s.ControllerDir())
	a.warnOfPresets()
	a.disk = disk.NewMonitor(log, func([]disk.Fault) { a.tellState(a.control.Status()) },
		disk.FolderProbe(h.FS, filepath.Dir(s.DBPath)), a.store.Probe, disk.FolderProbe(h.FS, s.ExchangeDir))
	a.ledgers = summaries.New(h.FS, s.StateDir)
	machine := target.Environment{ReadFile: func(path string) ([]byte, error) {
		return exchange.Read(h.FS, path)
	}, Env: h.Env}
	reconciler := reconcile.New(reconcile.Config{Matomo: evidence.NewClient(examineTimeout, machine), Store: a.store,
		Ledger: a.ledgers.Read, Readers: a.setup.ReportingTargets, Log: log})
	a.parts.Add(reconciler.Tasks.Service)
	supervisor := &run.Supervisor{Repository: a.store, Ledger: a.ledgers.Read, Log: log,
		TakeBaseline: reconciler.TakeBaseline}
	a.live = live.New(live.Config{
		Settings:     a.settingsOf,
		Ledger:       a.ledgers.Read,
		Cap:          a.ledgers.Cap,
		Scale:        a.scale,
		SaveInterval: a.keepInterval,
		Hub:          a.hub,
		Log:          log,
	})
	a.control, err = run.New(ctx, run.Config{
		Runtime:       a.port,
		RuntimeReason: a.runtimeReason,
		Publisher:     a.setup,
		Supervisor:    supervisor,
		Probe: probe(
			&http.Client{Timeout: 2 * time.Second},
		),
		OnSnapshot:  a.live.Observe,
		NewIdentity: run.NewIdentity,
		OnChange:    a.tellState,
	})
	if err != nil {
		return a, err
	}
	previews := preview.New(a.setup, a.port, runid.NewSeed)
	a.jobs = job.New(job.Config{
		Runtime: a.port, Setup: a.setup, Store: a.store, Supervisor: supervisor, NewIdentity: run.NewIdentity,
		Estimate: previews.EstimateDraft, Now: time.Now,
	})
	benchmarks := benchmark.New(benchmark.Config{
		Matomo: benchmark.NewClient(benchmark.MaxTimeout, machine), Store: a.store, Single: a.setup.SingleTarget,
		Targets: a.setup.SavedTargets, Sending: a.sending, Log: log,
	})
	a.parts.Add(benchmarks.Tasks.Service)
	a.guard, err = security.New(ctx, security.Config{
		Key: key, Hosts: s.AllowedHosts, Public: s.Public(), Origins: s.CORSOrigins, Proxies: s.ProxyNetworks(),
		PerMinute: s.RateLimit, Now: time.Now,
		Store: a.store, Log: log,
	})
	if err != nil {
		return a, err
	}
	a.handler = api.WithPrefix(s.Public().Path, api.New(api.Deps{
		Guard: a.guard, Backup: a.store.Backup, Setup: a.setup, Runs: a.control, Jobs: a.jobs, Live: a.live,
		Hub:     a.hub,
		Preview: previews,
		Logs:    a.port, Doctor: doctor.New(examineTimeout, machine), Reconciler: reconciler, Benchmarks: benchmarks,
		History: history.Reader{Store: a.store, Ledger: a.ledgers.Read, Now: time.Now},
		Disk:    a.disk, Log: log, Version: h.Version, Now: time.Now,
	}, webui.New(h.Bundle)))
	return a, nil
}

// Runtime names what the loadgen runs in: docker or process.
func (a *App) Runtime() string { return a.port.Name() }

// LoginCode makes a code that signs a browser in once, within 15 minutes.
func (a *App) LoginCode() secret.String { return a.guard.NewSignInCode() }

// folders are all the controller's own: only its user may read what lies in them.
func (a *App) folders() error {
	for _, dir := range []string{a.settings.ControllerDir(), a.settings.ExchangeDir, a.settings.StateDir} {
		if err := a.host.FS.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("make folder: %w; give this user (%s) write access to it, or set TRAFFICINATOR_UID and "+
				"TRAFFICINATOR_GID in .env", err, a.host.User)
		}
	}
	return nil
}

// warnOfPresets tells which preset files hold a token.
func (a *App) warnOfPresets() {
	files, err := a.setup.PresetsWithTokens()
	if err != nil {
		a.log.Warn("cannot read the built-in presets", "err", err)
	}
	for _, file := range files {
		a.log.Warn("a preset holds a token; presets are made to be shared, move the token to the configuration or "+
			"to .env", "file", file)
	}
}

// settingsOf are those of the run that goes on; one that was started by somebody else tells none.
func (a *App) settingsOf(runID string) (spec.Spec, bool) {
	r := a.control.Status().Run
	if r == nil || r.ID != runID {
		return spec.Spec{}, false
	}
	return r.Settings()
}

// Serve answers requests at listener until ctx is done or a part fails, and then ends in order: listener, streams,
// watchers, and what New has opened. It is false where something failed, which the log tells.
func (a *App) Serve(ctx context.Context, listener net.Listener) bool {
	a.parts.Add(a.watchers()...)
	a.parts.Add(a.server(listener))
	return a.parts.Run(ctx)
}

// watchers are what runs beside the requests.
func (a *App) watchers() []*lifecycle.Service {
	return []*lifecycle.Service{
		lifecycle.Loop("backfill jobs", a.jobs.Watch).OnStop(within(a.jobs.End)),
		lifecycle.Loop("runs", a.control.Watch),
		lifecycle.Loop("live numbers", a.live.Watch),
		lifecycle.Loop("log of the loadgen", func(ctx context.Context) { live.Follow(ctx, a.port, a.hub) }),
		lifecycle.Loop("exchange folder", func(ctx context.Context) { a.setup.Watch(ctx, a.log) }),
		lifecycle.Loop("disk", a.disk.Run),
		lifecycle.Loop("sessions", a.guard.Run),
		lifecycle.Loop("deleted runs", a.purger().Watch),
	}
}

// shutdownTime is how long requests may still take at the end.
const shutdownTime = 5 * time.Second

// server answers requests at listener. Its end ends the streams, which it would wait for.
func (a *App) server(listener net.Listener) *lifecycle.Service {
	server := api.NewServer(a.handler)
	server.ErrorLog = slog.NewLogLogger(a.log.Handler(), slog.LevelDebug)
	server.RegisterOnShutdown(a.hub.Close)
	return lifecycle.New("listener", func(ctx context.Context) error {
		served := make(chan error, 1)
		go func() { served <- server.Serve(security.LimitConnections(listener, a.connections())) }()
		select {
		case err := <-served:
			return err
		case <-ctx.Done():
		}
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
		defer cancel()
		err := server.Shutdown(grace)
		if errors.Is(err, context.DeadlineExceeded) {
			err = server.Close()
		}
		if ended := <-served; !errors.Is(ended, http.ErrServerClosed) {
			err = errors.Join(err, ended)
		}
		return err
	})
}

// within gives an end the time that a loadgen may take for its own. Nothing else cancels it: it is the end.
func within(end func(context.Context) error) func() error {
	return func() error {
		ctx, cancel := context.WithTimeout(context.Background(), 2*run.DrainTimeout)
		defer cancel()
		return end(ctx)
	}
}
