package run

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
	"github.com/puttrix/trafficinator/controller/internal/record"
	"github.com/puttrix/trafficinator/shared/endreason"
	"github.com/puttrix/trafficinator/shared/exitcode"
	"github.com/puttrix/trafficinator/shared/phase"
	"github.com/puttrix/trafficinator/shared/runsummary"
	"github.com/puttrix/trafficinator/shared/status"
)

// adoptLastRun makes a run the current one: the one that the loadgen sends, otherwise the last one. It closes all other
// open runs, because there is only one loadgen.
func (m *Manager) adoptLastRun(ctx context.Context) error {
	runs, err := m.c.Repository.Runs(ctx, record.Query{NoJobs: true, Limit: 1})
	if err != nil {
		return fmt.Errorf("read the last run: %w", err)
	}
	open, err := m.c.Repository.Runs(ctx, record.Query{NoJobs: true, Open: true})
	if err != nil {
		return fmt.Errorf("read the open runs: %w", err)
	}
	_, p := m.refresh(ctx)
	var last *record.Run
	if len(runs) > 0 {
		last = &runs[0]
	}
	for _, r := range open {
		if r.ID == p.Run.RunID && isSending(p) {
			last = &r
		}
	}
	for _, r := range open {
		if r.ID != last.ID {
			_ = m.c.Close(ctx, &r, launcher.Status{}, "", nil) // is retried
		}
	}
	m.update(func(s *Status) { s.Run = last })
	m.refresh(ctx)
	return nil
}

// Watch refreshes the status every second, restarts a crashed loadgen, records the end of runs that end by themselves
// and retries what a stop could not do, until ctx is done.
func (m *Manager) Watch(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		l, p := m.refresh(ctx)
		if ctx.Err() != nil {
			return
		}
		m.reportSnapshot(l, p)
		m.retry(ctx, l)
		m.c.RecordAgain(ctx)
		switch active := m.Status().Active(); {
		case active && (hasEnded(l.State) || isIdle(l, p)):
			m.recover(ctx, "recover")
		case !active && isSending(p):
			m.recover(ctx, "adopt")
		}
	}
}

// reportSnapshot calls OnSnapshot, unless the loadgen runs but does not answer: then it is starting or ending.
func (m *Manager) reportSnapshot(l launcher.Status, p *status.Snapshot) {
	switch {
	case m.c.OnSnapshot == nil:
	case p.Phase != "":
		m.c.OnSnapshot(p)
	case l.State != launcher.Running:
		m.c.OnSnapshot(nil)
	}
}

func hasEnded(s launcher.State) bool {
	return s == launcher.Exited || s == launcher.Missing || s == launcher.Created || s == launcher.Dead ||
		s == launcher.Foreign // ours is gone, and its name is taken
}

// isSending reports whether a loadgen sends a run.
func isSending(p *status.Snapshot) bool { return p.Run.RunID != "" && p.Phase.Sending() }

// isIdle reports whether a loadgen runs but sends nothing.
func isIdle(l launcher.Status, p *status.Snapshot) bool {
	return l.State == launcher.Running && p.Phase == phase.Idle
}

// recover handles unexpected states: a loadgen that is gone; one that was restarted outside of the controller, for
// example with `docker compose up`, and idles although its run has not ended, because each start counts once; and a run
// that was not started here, for example before this controller.
func (m *Manager) recover(ctx context.Context, name string) {
	ctx, end, err := m.begin(ctx, name, 0, make(chan struct{}))
	if err != nil {
		return // the current operation changes the state
	}
	defer end()
	l, p := m.refresh(ctx)
	var fallback string
	var messages []string
	switch st := m.Status(); {
	case !st.Active():
		if isSending(p) {
			m.adopt(ctx, l, p)
		}
		return
	case hasEnded(l.State):
		if m.restartCrashed(ctx, l, st) {
			return
		}
		if l.State == launcher.Exited && l.ExitCode != exitcode.OK && l.ExitCode != exitcode.Interrupted {
			messages = ErrorLines(ctx, m.c.Runtime, l.Started)
		}
	case isIdle(l, p):
		fallback = string(endreason.Interrupted)
		messages = []string{
			"run " + st.Run.ID + " was interrupted: its loadgen was restarted outside of the controller; " +
				"nothing is sent until you start a run",
		}
	default:
		return
	}
	m.update(func(s *Status) { s.Messages = messages })
	m.close(ctx, l, fallback)
	if err := m.idle(ctx); err != nil {
		m.c.Log.Error("a loadgen started by hand would repeat the ended run", "err", err)
	}
}

// restartCrashed restarts the crashed loadgen of a run. It returns true too if the engine is unavailable, which the
// next refresh shows, or if a stop takes over.
func (m *Manager) restartCrashed(ctx context.Context, l launcher.Status, st Status) bool {
	restarts := st.Restarts
	if !m.c.ShouldRestart(st.Run.ID, l, &restarts) {
		return false
	}
	m.update(func(s *Status) { s.Restarts = restarts })
	err := m.c.Publisher.StartAgain(ctx)
	if err == nil {
		err = m.c.Runtime.Start(ctx)
	}
	switch {
	case err == nil:
		m.refresh(ctx)
		return true
	case errors.Is(err, launcher.ErrUnavailable) || ctx.Err() != nil:
		return true
	}
	m.c.Log.ErrorContext(ctx, "cannot restart the loadgen", "run_id", st.Run.ID, "err", err)
	return false
}

// adopt makes the run that the loadgen sends the current one.
func (m *Manager) adopt(ctx context.Context, l launcher.Status, p *status.Snapshot) {
	r := record.Run{Head: record.Head{ID: p.Run.RunID, Kind: runsummary.Live, PlanHash: p.Run.PlanHash,
		Started: l.Started}}
	if last := m.Status().Run; last != nil && last.ID == r.ID {
		r = reopen(*last)
	}
	m.open(ctx, r)
}

// reopen returns a run without its end.
func reopen(r record.Run) record.Run {
	r.Ended, r.Reason, r.ExitCode, r.Summary = nil, "", nil, nil
	return r
}
