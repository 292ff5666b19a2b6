package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/loadgen/internal/backfill"
	"github.com/puttrix/trafficinator/loadgen/internal/capacity"
	"github.com/puttrix/trafficinator/loadgen/internal/engine"
	"github.com/puttrix/trafficinator/loadgen/internal/plan"
	"github.com/puttrix/trafficinator/loadgen/internal/state"
	"github.com/puttrix/trafficinator/loadgen/internal/telemetry"
	"github.com/puttrix/trafficinator/loadgen/internal/tracking"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/runid"
	"github.com/puttrix/trafficinator/shared/spec"
)

// load makes the plan of the environment and the file of LOADGEN_ENV_FILE, over which flags win, with the merged
// settings and the keys that came from that file. The plan is nil where a problem refuses it.
func load(h host, flags map[string]string) (p *plan.Plan, env map[string]string, fromFile []string,
	problems problem.List) {
	env, fromFile, problems = plan.Settings(h.fs, h.env)
	maps.Copy(env, flags)
	p, more := plan.Load(h.fs, env, draw)
	problems = append(problems, more...)
	if problems.Err() == nil {
		return p, env, fromFile, problems
	}
	// The days of a backfill follow from a plan. Where there is none what is wrong with them is told with the rest.
	if s, _ := spec.Parse(env, func(path string) ([]byte, error) {
		return exchange.Read(h.fs, path)
	}); s.BackfillEnabled {
		_, more = s.Backfill(h.now())
		problems = append(problems, more...)
	}
	return nil, env, fromFile, problems
}

// draw makes a seed and a run id.
func draw() (uint64, string) {
	return runid.NewSeed(), runid.New(time.Now())
}

func tell(h host, problems problem.List) {
	for _, p := range problems {
		_, _ = fmt.Fprintf(h.stderr, "%s: %s\n", p.Severity, p)
	}
}

// tellRun prints what makes the same visits again.
func tellRun(h host, p *plan.Plan) {
	_, _ = fmt.Fprintf(h.stderr, "RUN_SEED=%d RUN_ID=%s\n", p.Seed, p.RunID)
}

// newLog writes the log, and its warnings and errors to problems too.
func newLog(h host, s spec.Spec, problems io.Writer) *slog.Logger {
	levels := map[string]slog.Level{"DEBUG": slog.LevelDebug, "INFO": slog.LevelInfo, "WARNING": slog.LevelWarn,
		"ERROR": slog.LevelError}
	o := &slog.HandlerOptions{Level: levels[s.LogLevel]}
	var log slog.Handler = slog.NewTextHandler(h.stderr, o)
	if s.LogFormat == "json" {
		log = slog.NewJSONHandler(h.stderr, o)
	}
	return slog.New(slog.NewMultiHandler(log,
		slog.NewTextHandler(problems, &slog.HandlerOptions{Level: slog.LevelWarn})))
}

// answerTime is how long a request may take. A backfill's carries hundreds of hits, so that where nothing is set it
// gets the five minutes that Matomo's own import of logs gives one.
func answerTime(k spec.Spec) time.Duration {
	if k.BackfillEnabled && !k.Set["REQUEST_TIMEOUT"] {
		return 5 * time.Minute
	}
	return seconds(k.RequestTimeout)
}

func runTraffic(ctx context.Context, h host, o options) int {
	p, env, fromFile, problems := load(h, o.settings)
	if p != nil {
		problems = append(problems, fit(p, h.descriptors)...)
	}
	if problems.Err() != nil {
		tell(h, problems)
		return exitConfig
	}
	lines := &logLines{}
	log := newLog(h, p.Spec, lines)
	for _, w := range problems {
		log.Warn("check the settings", "problem", w.String())
	}
	log.Info("settings", "changed", strings.Join(p.Differences(env), " "), "from_file", strings.Join(fromFile, " "),
		"pages", p.Sources["pages"], "funnels", p.Sources["funnels"], "events", p.Sources["events"], "targets",
		p.Sources["targets"])

	starts, faults := startsNow(h, o, &p.Spec, log)
	if faults.Err() != nil {
		tell(h, faults)
		return exitConfig
	}
	seen := &watched{}
	seen.show(still{p, engine.Idle})
	if starts {
		seen.show(still{p, engine.Starting})
	}
	if p.Spec.TelemetryAddr != "off" {
		server, err := telemetry.Listen(ctx, p.Spec.TelemetryAddr, seen, log)
		if errors.Is(err, syscall.EADDRINUSE) && !p.Spec.Set["TELEMETRY_ADDR"] {
			log.Warn("check the settings", "problem", "TELEMETRY_ADDR is not set, and another program has "+
				p.Spec.TelemetryAddr+": the metrics are at a free port")
			server, err = telemetry.Listen(ctx, "127.0.0.1:0", seen, log)
		}
		if err != nil {
			_, _ = fmt.Fprintf(h.stderr, "error: TELEMETRY_ADDR=%q: %v; free the port, choose another, or set off\n",
				p.Spec.TelemetryAddr, err)
			return exitConfig
		}
		defer func() {
			if err := server.Close(); err != nil {
				log.Warn("telemetry did not close well", "err", err)
			}
		}()
		log.Info("telemetry listens", "addr", server.Addr())
	}
	if !starts {
		return idle(ctx, h)
	}
	to, err := newSender(p, h.machine(env),
		tracking.Options{Timeout: answerTime(p.Spec), Pending: !p.Spec.BackfillEnabled})
	if err != nil {
		_, _ = fmt.Fprintf(h.stderr, "error: %v\n", err)
		return exitConfig
	}
	defer to.client.Close()
	s := newSession(h, o, env, p, to, log, lines)
	defer s.release()
	starts, faults = s.prepare(ctx)
	switch {
	case faults.Err() != nil:
		tell(h, faults)
		return exitConfig
	case !starts:
		s.release()
		warnStarted(log, &p.Spec)
		seen.show(still{p, engine.Idle})
		return idle(ctx, h)
	}
	seen.show(s)
	return s.run(ctx)
}

// idle sends nothing until it is told to end.
func idle(ctx context.Context, h host) int {
	select {
	case <-h.signals:
	case <-ctx.Done():
	}
	return exitOK
}

// startsNow says whether the run begins at once, and refuses places where it cannot write. Where it does not the log
// says what the loadgen waits for.
func startsNow(h host, o options, k *spec.Spec, log *slog.Logger) (starts bool, faults problem.List) {
	if !k.AutoStart {
		log.Info("idle: AUTO_START is off")
		return false, nil
	}
	if faults = append(places(h.fs, *k), o.places(h.fs)...); faults.Err() != nil || k.StartID == "" {
		return true, faults
	}
	again, err := startedBefore(h.fs, k)
	if err != nil {
		faults.Refuse("STATE_DIR", k.StateDir, err.Error(), "let this user read it")
	}
	if again {
		warnStarted(log, k)
	}
	return !again, faults
}

func warnStarted(log *slog.Logger, k *spec.Spec) {
	log.Warn("idle: this start was made before, and each counts once; start the run again to go on", "start_id",
		k.StartID, "run_id", k.RunID)
}

func startedBefore(fsys afero.Fs, k *spec.Spec) (bool, error) {
	folder, err := state.Open(fsys, k.StateDir)
	if err != nil {
		return false, err
	}
	return folder.Started(k.StartID)
}

// exitCode tells why the run ended. A run without one accepted hit has failed whatever ended it.
func exitCode(reason engine.Reason, accepted, tried uint64) int {
	switch {
	case reason == engine.NoTarget, accepted == 0 && tried > 0:
		return exitNoTarget
	case reason == engine.Interrupted:
		return exitInterrupted
	case reason == backfill.Broken:
		return exitInternal
	case reason == engine.Reason(capacity.None), reason == engine.Reason(capacity.Void):
		return exitThreshold
	default:
		return exitOK
	}
}
