package run

import (
	"context"
	"errors"
	"syscall"

	"github.com/puttrix/trafficinator/loadgen/internal/ledger"
	"github.com/puttrix/trafficinator/loadgen/internal/routing"
	"github.com/puttrix/trafficinator/loadgen/internal/telemetry"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

// Counts implements telemetry.Source.
func (r *Run) Counts() ledger.Counts { return r.ledger.Counts() }

// Targets implements telemetry.Source.
func (r *Run) Targets() []string { return r.plan.TargetNames() }

// Phase implements telemetry.Source.
func (r *Run) Phase() string { return string(r.current().State().Phase) }

// Pause implements telemetry.Source.
func (r *Run) Pause() string { return r.current().State().Pause }

// Summary implements telemetry.Source.
func (r *Run) Summary() runsummary.Summary {
	if r.current().HasLedger {
		return r.summary(0)
	}
	sum := runsummary.Summary{RunID: r.plan.RunID, PlanHash: r.plan.Hash, Targets: map[string]runsummary.Target{}}
	for _, name := range r.plan.TargetNames() {
		sum.Targets[name] = runsummary.Target{Health: string(routing.Unknown)}
	}
	return sum
}

func (r *Run) listen(ctx context.Context) (stop func(), err error) {
	w := r.plan.Observability
	if w.Addr == "" {
		return func() {}, nil
	}
	server, err := telemetry.Listen(ctx, w.Addr, r.host.Version, r, r.log)
	if errors.Is(err, syscall.EADDRINUSE) && !w.Chosen {
		r.log.Warn("check the settings", "problem", "TELEMETRY_ADDR is not set and "+w.Addr+
			" is in use: telemetry listens on a free port")
		server, err = telemetry.Listen(ctx, "127.0.0.1:0", r.host.Version, r, r.log)
	}
	if err != nil {
		return nil, err
	}
	r.log.Info("telemetry listening", "addr", server.Addr.String())
	return r.supervise(ctx, server.Service), nil
}
