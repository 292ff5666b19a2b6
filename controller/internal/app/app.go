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
	"sync"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/controller/internal/api"
	"github.com/puttrix/trafficinator/controller/internal/benchmark"
	"github.com/puttrix/trafficinator/controller/internal/disk"
	"github.com/puttrix/trafficinator/controller/internal/launcher"
	"github.com/puttrix/trafficinator/controller/internal/ledgers"
	"github.com/puttrix/trafficinator/controller/internal/live"
	"github.com/puttrix/trafficinator/controller/internal/preview"
	"github.com/puttrix/trafficinator/controller/internal/reconcile"
	"github.com/puttrix/trafficinator/controller/internal/run"
	"github.com/puttrix/trafficinator/controller/internal/run/job"
	"github.com/puttrix/trafficinator/controller/internal/security"
	"github.com/puttrix/trafficinator/controller/internal/settings"
	"github.com/puttrix/trafficinator/controller/internal/setup"
	"github.com/puttrix/trafficinator/controller/internal/setup/folder"
	"github.com/puttrix/trafficinator/controller/internal/store"
	"github.com/puttrix/trafficinator/controller/internal/webui"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/matomo"
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

	jobs      *job.Queue
	control   *run.Control
	live      *live.Live
	hub       *live.Hub
	guard     *security.Guard
	disk      *disk.Watch
	ledgers   *ledgers.Reader
	publisher *folder.Publisher
	handler   http.Handler
	closers   []func() error
}

// port is a runtime of both the loadgen and jobs.
type port interface {
	launcher.Port
	launcher.Jobs
}

// ErrBadSetting marks a setting that does not fit this machine.
var ErrBadSetting = errors.New("a setting does not fit this machine")

// examineTimeout bounds one request of a connection test; the API bounds the whole.
const examineTimeout = time.Minute

// New puts a controller together; Close undoes it.
func New(ctx context.Context, h Host, s settings.Settings, log *slog.Logger) (a *App, err error) {
	a = &App{host: h, settings: s, log: log, hub: live.NewHub(time.Now())}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.Close())
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
	lib := setup.New(a.store, h.FS, s.PresetsDir, s.ControllerDir())
	a.warnOfPresets(lib)
	publisher := folder.New(lib, a.store, h.FS, s.ExchangeDir)
	a.publisher = publisher
	a.disk = disk.NewWatch(log, func([]disk.Fault) { a.tellState(a.control.Status()) },
		disk.Folder(h.FS, filepath.Dir(s.DBPath)), a.store.Probe, disk.Folder(h.FS, s.ExchangeDir))
	scrapes := &http.Client{Timeout: 2 * time.Second}
	a.ledgers = ledgers.New(h.FS, s.StateDir)
	machine := target.Machine{ReadFile: func(path string) ([]byte, error) {
		return exchange.Read(h.FS, path)
	}, Env: h.Env}
	prover := reconcile.NewKeeper(reconcile.Config{Matomo: matomo.NewClient(examineTimeout, machine), Store: a.store,
		Ledger: a.ledgers.Read, Readers: lib.Readers, Log: log})
	a.closers = append(a.closers, prover.Close)
	a.control, err = run.New(ctx, run.Config{
		Port: a.port, Why: a.runtimeReason, Publisher: publisher, Book: run.Stored{Store: a.store},
		Probe:  probe(scrapes),
		Ledger: a.ledgers.Read, Look: prover.Look, Draw: run.Draw, Changed: a.tellState, Log: log,
	})
	if err != nil {
		return a, err
	}
	a.jobs = job.New(job.Config{
		Port: a.port, Library: lib, Publisher: publisher, Store: a.store, Book: run.Stored{Store: a.store},
		Ledger: a.ledgers.Read, Look: prover.Look, Draw: run.Draw, Now: time.Now, Log: log,
	})
	a.closers = append(a.closers, func() error {
		ctx, cancel := context.WithTimeout(context.Background(), 2*run.DefaultTimeout)
		defer cancel()
		return a.jobs.End(ctx)
	})
	a.live = live.New(live.Config{
		Where: a.telemetry, ByLedger: a.byLedger, Client: scrapes, Settings: a.settingsOf, Ledger: a.ledgers.Read,
		Cap:   a.ledgers.Cap,
		Scale: a.scale, Keep: a.keepInterval, Hub: a.hub, Log: log,
	})
	benchmarks := benchmark.NewKeeper(benchmark.Config{
		Matomo: matomo.NewClient(benchmark.MaxTimeout, machine), Store: a.store, Single: lib.SingleTarget,
		Targets: lib.SavedTargets, Sending: a.sending, Log: log,
	})
	a.closers = append(a.closers, benchmarks.Close)
	a.guard, err = security.New(ctx, security.Config{
		Key: key, Hosts: s.AllowedHosts, Public: s.Public(), Origins: s.CORSOrigins, Proxies: s.ProxyNetworks(),
		PerMinute: s.RateLimit, Now: time.Now,
		Book: sessionBook{a.store}, Log: log,
	})
	if err != nil {
		return a, err
	}
	a.handler = api.Below(s.Public().Path, api.New(api.Deps{
		Guard: a.guard, Store: a.store, Library: lib, Publisher: publisher, Runs: a.control, Jobs: a.jobs, Live: a.live,
		Hub:     a.hub,
		Preview: preview.New(lib, a.port, runid.NewSeed),
		Logs:    a.port, Doctor: matomo.NewClient(examineTimeout, machine), Proof: prover, Reports: benchmarks,
		Ledger: a.ledgers.Read, Disk: a.disk, Audit: a.audit, Log: log, Version: h.Version, Now: time.Now,
	}, webui.New(h.Bundle)))
	return a, nil
}

// Runtime names what the loadgen runs in: docker or process.
func (a *App) Runtime() string { return a.port.Name() }

// LoginCode makes a code that signs a browser in once, within 15 minutes.
func (a *App) LoginCode() secret.String { return a.guard.NewCode() }

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
func (a *App) warnOfPresets(lib *setup.Library) {
	files, err := lib.PresetSecrets()
	if err != nil {
		a.log.Warn("the built-in presets cannot be read", "err", err)
	}
	for _, file := range files {
		a.log.Warn("a preset holds a token; presets are made to be shared, move the token to the configuration or "+
			"to .env", "file", file)
	}
}

// telemetry is where the loadgen can be asked now.
func (a *App) telemetry() string {
	if l := a.control.Status().Loadgen; l.State == launcher.Running {
		return l.Telemetry
	}
	return ""
}

// byLedger is the run whose loadgen cannot be asked from here.
func (a *App) byLedger() string {
	if st := a.control.Status(); st.Active() && st.Loadgen.State == launcher.Running && st.Loadgen.Telemetry == "" {
		return st.Run.ID
	}
	return ""
}

// settingsOf are those of the run that goes on; one that was started by somebody else tells none.
func (a *App) settingsOf(runID string) (spec.Spec, bool) {
	r := a.control.Status().Run
	if r == nil || r.ID != runID {
		return spec.Spec{}, false
	}
	return r.Settings()
}

// Serve answers requests at listener until ctx is done, then ends in order.
func (a *App) Serve(ctx context.Context, listener net.Listener) error {
	watching, stop := context.WithCancel(context.WithoutCancel(ctx))
	var watchers sync.WaitGroup
	watchers.Go(func() { a.control.Watch(watching) })
	watchers.Go(func() { a.jobs.Watch(watching) })
	watchers.Go(func() { a.live.Watch(watching) })
	watchers.Go(func() { live.Follow(watching, a.port, a.hub) })
	watchers.Go(func() { a.publisher.Watch(watching, a.log) })
	watchers.Go(func() { a.disk.Run(watching) })
	watchers.Go(func() { a.guard.Run(watching) })
	watchers.Go(func() { a.purger().Watch(watching) })
	defer watchers.Wait()
	defer stop()

	server := api.Serve(a.handler)
	server.ErrorLog = slog.NewLogLogger(a.log.Handler(), slog.LevelDebug)
	served := make(chan error, 1)
	go func() { served <- server.Serve(security.Limit(listener, a.connections())) }()
	select {
	case err := <-served:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	a.log.Info("stopping")
	a.hub.Close() // before the server, which waits for its streams
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
}

// shutdownTime is how long requests may still take at the end.
const shutdownTime = 5 * time.Second

// Close ends what New has begun, the last first.
func (a *App) Close() error {
	var errs []error
	for i := len(a.closers) - 1; i >= 0; i-- {
		errs = append(errs, a.closers[i]())
	}
	return errors.Join(errs...)
}
