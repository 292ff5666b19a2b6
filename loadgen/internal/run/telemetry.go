package run

import (
	"sync/atomic"

	"github.com/puttrix/trafficinator/loadgen/internal/engine"
	"github.com/puttrix/trafficinator/loadgen/internal/ledger"
	"github.com/puttrix/trafficinator/loadgen/internal/plan"
	"github.com/puttrix/trafficinator/loadgen/internal/routing"
	"github.com/puttrix/trafficinator/loadgen/internal/telemetry"
	"github.com/puttrix/trafficinator/shared/record"
)

// watched is what telemetry shows: a loadgen that stands still, then its run.
type watched struct {
	source atomic.Pointer[telemetry.Source]
}

func (w *watched) show(s telemetry.Source) { w.source.Store(&s) }

func (w *watched) now() telemetry.Source { return *w.source.Load() }

// still is a loadgen that sends nothing.
type still struct {
	plan  *plan.Plan
	phase engine.Phase
}

// Counts implements telemetry.Source.
func (s still) Counts() ledger.Counts { return ledger.New(len(s.plan.Targets)).Counts() }

// Targets implements telemetry.Source.
func (s still) Targets() []string { return s.plan.Names() }

// Phase implements telemetry.Source.
func (s still) Phase() string { return string(s.phase) }

// Pause implements telemetry.Source.
func (still) Pause() string { return "" }

// Summary implements telemetry.Source.
func (s still) Summary() record.Summary {
	out := record.Summary{RunID: s.plan.RunID, PlanHash: s.plan.Hash, Targets: map[string]record.Target{}}
	for _, name := range s.plan.Names() {
		out.Targets[name] = record.Target{Health: string(routing.UnknownHealth)}
	}
	return out
}

// A session is the source of telemetry once it runs.

// Counts implements telemetry.Source. A backfill has no schedule: a visit is due when its turn has come.
func (s *session) Counts() ledger.Counts {
	c := s.ledger.Counts()
	if s.past != nil {
		c.Due = c.Planned
	}
	return c
}

// Targets implements telemetry.Source.
func (s *session) Targets() []string {
	return s.plan.Names()
}

// Phase implements telemetry.Source. Before the first visit the targets are asked for their clocks, which can take
// seconds.
func (s *session) Phase() string {
	var phase engine.Phase
	if s.past != nil {
		phase = s.past.job.Phase()
	} else {
		phase = s.engine.Phase()
	}
	if phase == engine.Idle {
		phase = engine.Starting
	}
	return string(phase)
}

// Pause implements telemetry.Source.
func (s *session) Pause() string {
	if s.engine == nil || s.engine.Phase() != engine.Paused {
		return ""
	}
	return s.engine.PauseReason()
}
