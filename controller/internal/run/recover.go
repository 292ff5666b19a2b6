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
)

// takeStock makes a run the current one: the one that the loadgen says it sends, else the one recorded last. All others
// whose end nobody recorded have ended: there is one loadgen.
func (m *Manager) adoptLastRun(ctx context.Context) error {
	runs, err := m.c.Repository.Runs(ctx, record.Query{NoJobs: true, Limit: 1})
	if err != nil {
		return fmt.Errorf("read the last run: %w", err)
	}
	open, err := m.c.Repository.Runs(ctx, record.Query{NoJobs: true, Open: true})
	if err != nil {
		return fmt.Errorf("read the runs without an end: %w", err)
	}
	_, p := m.refresh(ctx)
	var last *record.Run
	if len(runs) > 0 {
		last = &runs[0]
	}
	for _, r := range open {
		if r.ID == p.RunID && isSending(p) {
			last = &r
		}
	}
	for _, r := range open {
		if r.ID != last.ID {
			_ = m.c.Close(ctx, &r, launcher.Status{}, "", nil) // it is tried again
		}
	}
	m.update(func(s *Status) { s.Run = last })
	m.refresh(ctx)
	return nil
}

// Watch keeps the status fresh each second, starts a loadgen that crashed again, records the end of runs that end by
// themselves and does what a stop could not, until ctx is done.
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
		m.publishSnapshot(l, p)
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

// seen hands on what a loadgen says. One that runs and does not answer comes up or goes down.
func (m *Manager) publishSnapshot(l launcher.Status, p LoadgenStatus) {
	if m.c.OnSnapshot != nil && (p.Status != nil || l.State != launcher.Running) {
		m.c.OnSnapshot(p.Status)
	}
}

func hasEnded(s launcher.State) bool {
	return s == launcher.Exited || s == launcher.Missing || s == launcher.Created || s == launcher.Dead ||
		s == launcher.Foreign // ours is gone, and its name taken
}

// sends tells whether a loadgen sends a run.
func isSending(p LoadgenStatus) bool {
	return p.RunID != "" && p.Phase.Sending()
}

// idles tells whether a loadgen is up and sends nothing.
func isIdle(l launcher.Status, p LoadgenStatus) bool {
	return l.State == launcher.Running && p.Phase == phase.Idle
}

// recover deals with what nobody asked for: a loadgen that is gone; one that was started again by somebody else, such
// as by `docker compose up` after a `down`, which idles although its run has not ended, because each start counts once;
// and a run that is running without having been started here, such as one of before a restart.
func (m *Manager) recover(ctx context.Context, name string) {
	ctx, end, err := m.beginOwn(ctx, name)
	if err != nil {
		return // whoever is at work changes it
	}
	defer end()
	l, p := m.refresh(ctx)
	var reason string
	var messages []string
	switch st := m.Status(); {
	case !st.Active():
		if isSending(p) {
			m.attachRunning(ctx, l, p)
		}
		return
	case hasEnded(l.State):
		if m.restartCrashed(ctx, l, st) {
			return
		}
		if l.State == launcher.Exited && l.ExitCode != exitcode.OK && l.ExitCode != exitcode.Interrupted {
			messages = Logs(m.c.Runtime.Logs).ErrorLines(ctx, l.Started)
		}
	case isIdle(l, p):
		reason = string(endreason.Interrupted)
		messages = []string{"run " + st.Run.ID +
			" was interrupted: its loadgen was ended and started again without a start of the run; nothing is sent " +
			"until you start one"}
	default:
		return
	}
	m.update(func(s *Status) { s.Messages = messages })
	m.close(ctx, l, reason)
	if err := m.idle(ctx); err != nil {
		m.c.Log.Error("a loadgen started by hand would go on with the ended run", "err", err)
	}
}

// restarted starts the loadgen of a run again that crashed. It is true too where the engine is away, which the next
// look says, or where a stop takes over.
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
	if err == nil {
		m.refresh(ctx)
		return true
	}
	if errors.Is(err, launcher.ErrUnavailable) || ctx.Err() != nil {
		return true
	}
	m.c.Log.ErrorContext(ctx, "the loadgen cannot be started again", "run_id", st.Run.ID, "err", err)
	return false
}

// attachRunning makes the run that the loadgen sends the current one.
func (m *Manager) attachRunning(ctx context.Context, l launcher.Status, p LoadgenStatus) {
	r := record.Run{Head: record.Head{ID: p.RunID, Kind: runsummary.Live, PlanHash: p.Hash, Started: l.Started}}
	if last := m.Status().Run; last != nil && last.ID == r.ID {
		r = reopen(*last)
	}
	m.open(ctx, r)
}

// reopened is a run that goes on after its end was recorded.
func reopen(r record.Run) record.Run {
	r.Ended, r.Reason, r.ExitCode, r.Summary = nil, "", nil, nil
	return r
}
