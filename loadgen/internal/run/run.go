// Package run owns a run, from its place in the state folder to its written summary. It does not know the command line.
package run

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/loadgen/internal/console"
	"github.com/puttrix/trafficinator/loadgen/internal/engine"
	"github.com/puttrix/trafficinator/loadgen/internal/host"
	"github.com/puttrix/trafficinator/loadgen/internal/plan"
	"github.com/puttrix/trafficinator/loadgen/internal/sender"
	"github.com/puttrix/trafficinator/loadgen/internal/state"
	"github.com/puttrix/trafficinator/loadgen/internal/telemetry"
	"github.com/puttrix/trafficinator/loadgen/internal/tracking"
	"github.com/puttrix/trafficinator/shared/exitcode"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/spec"
)

// answerTime is how long a request may take. A backfill's carries hundreds of hits, so that where nothing is set it
// gets the five minutes that Matomo's own import of logs gives one.
func answerTime(k spec.Spec) time.Duration {
	if k.BackfillEnabled && !k.Set["REQUEST_TIMEOUT"] {
		return 5 * time.Minute
	}
	return seconds(k.RequestTimeout)
}

// Traffic sends the traffic of a plan, made with the merged settings env, and returns the exit code. Warnings were found
// on the way.
func Traffic(ctx context.Context, h host.Host, o Options, p *plan.Plan, env map[string]string, fromFile []string,
	warnings problem.List) int {
	lines := &logLines{}
	log := newLog(h, p.Spec, lines)
	for _, w := range warnings {
		log.Warn("check the settings", "problem", w.String())
	}
	log.Info("settings", "changed", strings.Join(p.Differences(env), " "), "from_file", strings.Join(fromFile, " "),
		"pages", p.Sources["pages"], "funnels", p.Sources["funnels"], "events", p.Sources["events"], "targets",
		p.Sources["targets"])

	starts, faults := startsNow(h, o, &p.Spec, log)
	if faults.Err() != nil {
		console.Problems(h.Stderr, faults)
		return exitcode.BadConfig
	}
	seen := &watched{}
	seen.show(still{p, engine.Idle})
	if starts {
		seen.show(still{p, engine.Starting})
	}
	if p.Spec.TelemetryAddr != "off" {
		server, err := telemetry.Listen(ctx, p.Spec.TelemetryAddr, h.Version, seen.now, log)
		if errors.Is(err, syscall.EADDRINUSE) && !p.Spec.Set["TELEMETRY_ADDR"] {
			log.Warn("check the settings", "problem", "TELEMETRY_ADDR is not set, and another program has "+
				p.Spec.TelemetryAddr+": the metrics are at a free port")
			server, err = telemetry.Listen(ctx, "127.0.0.1:0", h.Version, seen.now, log)
		}
		if err != nil {
			_, _ = fmt.Fprintf(h.Stderr, "error: TELEMETRY_ADDR=%q: %v; free the port, choose another, or set off\n",
				p.Spec.TelemetryAddr, err)
			return exitcode.BadConfig
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
	to, err := sender.New(p, h.Machine(env),
		tracking.Options{Timeout: answerTime(p.Spec), Pending: !p.Spec.BackfillEnabled})
	if err != nil {
		_, _ = fmt.Fprintf(h.Stderr, "error: %v\n", err)
		return exitcode.BadConfig
	}
	defer to.Close()
	s := newSession(h, o, env, p, to, log, lines)
	defer s.release()
	starts, faults = s.prepare(ctx)
	switch {
	case faults.Err() != nil:
		console.Problems(h.Stderr, faults)
		return exitcode.BadConfig
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
func idle(ctx context.Context, h host.Host) int {
	select {
	case <-h.Signals:
	case <-ctx.Done():
	}
	return exitcode.OK
}

// startsNow says whether the run begins at once, and refuses places where it cannot write. Where it does not the log
// says what the loadgen waits for.
func startsNow(h host.Host, o Options, k *spec.Spec, log *slog.Logger) (starts bool, faults problem.List) {
	if !k.AutoStart {
		log.Info("idle: AUTO_START is off")
		return false, nil
	}
	if faults = append(Places(h.FS, *k), o.places(h.FS)...); faults.Err() != nil || k.StartID == "" {
		return true, faults
	}
	again, err := startedBefore(h.FS, k)
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
