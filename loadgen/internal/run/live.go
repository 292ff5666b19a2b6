package run

import (
	"context"
	"fmt"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/engine"
	"github.com/puttrix/trafficinator/loadgen/internal/wakeup"
	"github.com/puttrix/trafficinator/shared/endreason"
	"github.com/puttrix/trafficinator/shared/phase"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

// liveMode sends visits at the rate of the load profile, as control.json changes it.
type liveMode struct {
	*deps
	first  uint64
	limit  *engine.Cap
	config engine.Config
	engine *engine.Engine
	ahead  reservations
}

// Prepare implements Mode. It finds the first visit and what is left of the daily cap.
func (l *liveMode) Prepare(context.Context) (Prepared, problem.List) {
	terms := l.newPrepared()
	first, killed, err := l.place.Resume(time.Now().UTC())
	if err != nil {
		return terms, l.stateProblem(err, "")
	}
	if killed {
		l.log.Warn("a run was killed; its ledger is closed", "run_id", l.plan.RunID)
	}
	if most := l.plan.Limits.PerDay; most > 0 {
		kept, err := l.folder.Cap()
		if err != nil {
			return terms, l.stateProblem(err, "")
		}
		l.limit = engine.NewCap(most, kept, l.folder.SaveCap)
	}
	l.first, l.ahead = first, reservations{plan: l.plan, router: l.router, first: first}
	terms.First, terms.Next, terms.Series = first, first, true
	s := &l.plan.Sending
	l.config = engine.Config{
		Visits:      l.plan.Visits,
		Sender:      l.sender,
		Router:      l.router,
		Ledger:      l.ledger,
		Log:         l.log,
		Timer:       wakeup.NewHighRes(),
		Clock:       l.clock,
		Load:        l.plan.Load,
		Random:      l.plan.Random(first),
		Concurrency: s.Concurrency,
		Batch:       s.Batch,
		BatchDelay:  s.BatchDelay,
		Live:        s.Live,
		Zone:        l.plan.Zone,
		FirstVisit:  first,
		Reserve:     l.reserve,
		StopAfter:   l.plan.Limits.StopAfter,
		AutoStop:    l.plan.Limits.AutoStop,
		Cap:         l.limit,
	}
	l.engine = engine.New(l.config)
	return terms, nil
}

// Run implements Mode.
func (l *liveMode) Run(drain, abort context.Context) End {
	defer l.followControl(drain, l.engine)()
	l.readClocks(drain)
	return l.send(drain, abort)
}

// send sends the visits of the plan.
func (l *liveMode) send(drain, abort context.Context) End {
	end := End{Reason: l.engine.Run(drain, abort)}
	if cut := l.engine.CutVisits(); end.Reason == endreason.Stopped && cut > 0 {
		end.Message = fmt.Sprintf("the time to finish open visits was over: %d of them were cut off", cut)
	}
	return end
}

// State implements Mode.
func (l *liveMode) State() State {
	s := State{Phase: visiblePhase(l.engine.Phase()), FinishBy: l.engine.FinishBy()}
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

// Fill implements Mode. What was reserved beyond the last visit is not wasted by an orderly end.
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
		return fmt.Errorf("the daily cap cannot be written: %w", err)
	}
	return nil
}
