package run

import (
	"context"
	"fmt"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/engine"
	"github.com/puttrix/trafficinator/loadgen/internal/search"
	"github.com/puttrix/trafficinator/loadgen/internal/stop"
	"github.com/puttrix/trafficinator/loadgen/internal/wakeup"
	"github.com/puttrix/trafficinator/shared/endreason"
	"github.com/puttrix/trafficinator/shared/phase"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

// liveMode sends visits at the rate of the load profile, scaled by control.json.
type liveMode struct {
	*deps
	first  uint64
	limit  *engine.Cap
	config engine.Config
	engine *engine.Engine
	ahead  reservations
}

// Prepare implements Mode. It determines the first visit and what is left of the daily cap.
func (l *liveMode) Prepare(context.Context) (Prepared, problem.List) {
	prepared := l.newPrepared()
	first, killed, err := l.place.Resume(time.Now().UTC())
	if err != nil {
		return prepared, l.stateProblem(err, "")
	}
	if killed {
		l.log.Warn("closed the ledger of a killed run", "run_id", l.plan.RunID)
	}
	if limit := l.plan.Limits.PerDay; limit > 0 {
		stored, err := l.folder.Cap()
		if err != nil {
			return prepared, l.stateProblem(err, "")
		}
		l.limit = engine.NewCap(limit, stored, l.folder.SaveCap)
	}
	l.first, l.ahead = first, reservations{plan: l.plan, router: l.router, first: first}
	prepared.First, prepared.Next, prepared.Series = first, first, true
	s := &l.plan.Sending
	l.config = engine.Config{
		Visits: l.plan.Visits, Sender: l.sender, Router: l.router, Ledger: l.ledger, Log: l.log,
		Timer: wakeup.NewHighRes(), Clock: l.clock, Load: l.plan.Load, Random: l.plan.Random(first),
		Concurrency: s.Concurrency, Batch: s.Batch, BatchDelay: s.BatchDelay, Live: s.Live, Zone: l.plan.Zone,
		FirstVisit: first, Reserve: l.reserve, StopAfter: l.plan.Limits.StopAfter, AutoStop: l.plan.Limits.AutoStop,
		Cap: l.limit,
	}
	l.engine = engine.New(l.config)
	return prepared, nil
}

// Run implements Mode.
func (l *liveMode) Run(drain, abort context.Context) End {
	defer l.followControl(drain, l.engine)()
	l.readClocks(drain)
	return l.send(drain, abort)
}

func (l *liveMode) send(drain, abort context.Context) End {
	end := End{Reason: l.engine.Run(drain, abort)}
	if cut := l.engine.CutVisits(); end.Reason == endreason.Stopped && cut > 0 {
		end.Message = fmt.Sprintf("%d open visits had not finished in time and were cut off", cut)
	}
	return end
}

// State implements Mode.
func (l *liveMode) State() State {
	s := State{Phase: visiblePhase(l.engine.Phase())}
	if s.Phase == phase.Paused {
		s.Pause = l.engine.PauseReason()
	}
	return s
}

// Ahead implements Mode.
func (l *liveMode) Ahead() uint64 {
	upTo := l.first + l.ledger.Counts().Planned + uint64(2*l.engine.Rate()) + 1
	if stop := l.plan.Limits.StopAfter; stop > 0 {
		upTo = min(upTo, stop)
	}
	return upTo
}

// Fill implements Mode. An orderly end returns the visit numbers reserved beyond the last visit.
func (l *liveMode) Fill(sum *runsummary.Summary) {
	sum.Kind, sum.FinishBy, sum.CutVisits = runsummary.Live, l.engine.FinishBy().UTC(), l.engine.CutVisits()
	next := sum.FirstVisit + sum.Visits.Planned
	if l.engine.Phase() == phase.Ended {
		sum.NextVisit = next
	}
	if sum.NextVisit > next {
		l.ahead.addTo(sum, next, sum.NextVisit, time.Now())
	}
}

// Close implements Mode.
func (l *liveMode) Close() error {
	if err := l.limit.Release(); err != nil {
		return fmt.Errorf("write the daily cap: %w", err)
	}
	return nil
}

// searchMode sends visits at the rates of a capacity search.
type searchMode struct {
	liveMode
	search *search.Search
}

// Prepare implements Mode. The search evaluates its steps itself: it misses thresholds on purpose.
func (s *searchMode) Prepare(ctx context.Context) (Prepared, problem.List) {
	prepared, problems := s.liveMode.Prepare(ctx)
	prepared.Thresholds, prepared.Stop = nil, stop.Conditions{}
	if problems.Err() == nil {
		s.search = search.New(s.plan, s.config, s.engine)
	}
	return prepared, problems
}

// Run implements Mode.
func (s *searchMode) Run(drain, abort context.Context) End {
	defer s.followControl(drain, fixedRate{s.engine})()
	s.readClocks(drain) // before the first step
	drain, finish := context.WithCancelCause(drain)
	defer finish(nil)
	stopSearch := s.goSupervised(drain, "capacity search", func(ctx context.Context) {
		if reason := s.search.Run(ctx); reason != "" {
			finish(reason)
		}
	})
	end := s.send(drain, abort)
	stopSearch()
	end.Message += s.search.Result().Void
	return end
}

// Fill implements Mode.
func (s *searchMode) Fill(sum *runsummary.Summary) {
	s.liveMode.Fill(sum)
	sum.Kind, sum.Capacity = runsummary.CapacitySearch, s.search.Result()
}
