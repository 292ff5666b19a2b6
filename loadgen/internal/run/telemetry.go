package run

import (
	"sync/atomic"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/engine"
	"github.com/puttrix/trafficinator/loadgen/internal/ledger"
	"github.com/puttrix/trafficinator/loadgen/internal/plan"
	"github.com/puttrix/trafficinator/loadgen/internal/routing"
	"github.com/puttrix/trafficinator/loadgen/internal/telemetry"
)

// watched is what telemetry shows: a loadgen that stands still, then its run.
type watched struct {
	source atomic.Pointer[telemetry.Source]
}

func (w *watched) show(s telemetry.Source) { w.source.Store(&s) }

func (w *watched) now() telemetry.Source { return *w.source.Load() }

// Counts implements telemetry.Source.
func (w *watched) Counts() ledger.Counts { return w.now().Counts() }

// Targets implements telemetry.Source.
func (w *watched) Targets() []string { return w.now().Targets() }

// Health implements telemetry.Source.
func (w *watched) Health(target int) routing.Health { return w.now().Health(target) }

// Phase implements telemetry.Source.
func (w *watched) Phase() string { return w.now().Phase() }

// Pause implements telemetry.Source.
func (w *watched) Pause() string { return w.now().Pause() }

// FinishBy implements telemetry.Source.
func (w *watched) FinishBy() time.Time { return w.now().FinishBy() }

// RunID implements telemetry.Source.
func (w *watched) RunID() string { return w.now().RunID() }

// PlanHash implements telemetry.Source.
func (w *watched) PlanHash() string { return w.now().PlanHash() }

// still is a loadgen that sends nothing.
type still struct {
	plan  *plan.Plan
	phase engine.Phase
}

// Counts implements telemetry.Source.
func (s still) Counts() ledger.Counts { return ledger.New(len(s.plan.Targets)).Counts() }

// Targets implements telemetry.Source.
func (s still) Targets() []string { return s.plan.Names() }

// Health implements telemetry.Source.
func (s still) Health(int) routing.Health { return routing.UnknownHealth }

// Phase implements telemetry.Source.
func (s still) Phase() string { return string(s.phase) }

// Pause implements telemetry.Source.
func (still) Pause() string { return "" }

// FinishBy implements telemetry.Source.
func (still) FinishBy() time.Time { return time.Time{} }

// RunID implements telemetry.Source.
func (s still) RunID() string { return s.plan.RunID }

// PlanHash implements telemetry.Source.
func (s still) PlanHash() string { return s.plan.Hash }

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

// Health implements telemetry.Source.
func (s *session) Health(target int) routing.Health {
	return s.router.Status(target, s.now()).Health
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

// FinishBy implements telemetry.Source.
func (s *session) FinishBy() time.Time {
	if s.engine == nil {
		return time.Time{}
	}
	return s.engine.FinishBy()
}

// RunID implements telemetry.Source.
func (s *session) RunID() string { return s.plan.RunID }

// PlanHash implements telemetry.Source.
func (s *session) PlanHash() string { return s.plan.Hash }
