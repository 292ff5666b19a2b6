package run

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
	"github.com/puttrix/trafficinator/controller/internal/record"
	"github.com/puttrix/trafficinator/shared/endreason"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/exitcode"
	"github.com/puttrix/trafficinator/shared/phase"
)

// publishFunc writes the files of a start and returns the identity of its run.
type publishFunc func(context.Context) (Identity, error)

// publishSaved publishes the saved settings with the request's overrides.
func (m *Manager) publishSaved(q Request) publishFunc {
	return func(ctx context.Context) (Identity, error) {
		return m.c.Publisher.Start(ctx, q.Overrides, m.c.NewIdentity())
	}
}

// launch publishes, stops the current run, starts the loadgen and waits until it reports that the plan runs. Open
// visits of the current run are finished first; the warnings are why they were not. If a stop cancels it, the stop
// records the end of the run.
func (m *Manager) launch(ctx context.Context, q Request, publish publishFunc) (r Result, err error) {
	before, err := m.c.Publisher.Published(ctx)
	if err != nil {
		return r, fmt.Errorf("read the previous settings: %w", err)
	}
	id, err := publish(ctx)
	if err != nil {
		return r, fmt.Errorf("publish: %w", err)
	}
	l, _ := m.refresh(ctx)
	if r.Warnings, err = m.end(ctx, l, StopOptions{Timeout: q.Timeout}, nil); err != nil {
		return r, errors.Join(fmt.Errorf("stop the current run: %w", err), m.restorePublished(ctx, before))
	}
	l, _ = m.refresh(ctx)
	m.close(ctx, l, string(endreason.Killed))

	files, err := m.c.Publisher.Published(ctx)
	if err != nil {
		return r, errors.Join(fmt.Errorf("read the published settings: %w", err), m.idle(ctx))
	}
	// The file may be of an earlier run with the same ID.
	if err := m.c.Publisher.Steer(exchange.NoOverride(id.ID)); err != nil {
		return r, errors.Join(err, m.idle(ctx))
	}
	m.clearRetries()
	started := record.Run{Head: record.Head{ID: id.ID, Seed: id.Seed, Started: time.Now().UTC(), Note: q.Note,
		Labels: q.Labels}}
	started.Config, started.Kind = Configuration(files)
	m.update(func(s *Status) {
		starting := started
		s.Restarts, s.Messages, s.Steering, s.Run = 0, nil, exchange.NoOverride(id.ID), &starting
	})
	if err := m.c.Begin(ctx, started, files, m.c.Runtime.Start); err != nil {
		if wasStopped(ctx) {
			return r, err
		}
		l, _ := m.refresh(ctx)
		m.close(ctx, l, string(endreason.Failed))
		return r, errors.Join(err, m.idle(ctx))
	}
	started.PlanHash, err = m.awaitStart(ctx, id.ID)
	if wasStopped(ctx) {
		return r, ErrStopped
	}
	l, _ = m.refresh(ctx)
	if err != nil {
		if l.State == launcher.Running || l.State == launcher.Restarting {
			if err := m.c.Runtime.Stop(ctx, DrainTimeout); err != nil {
				m.c.Log.Error("cannot stop the loadgen that did not report its plan", "err", err)
			}
			l, _ = m.refresh(ctx)
		}
		m.close(ctx, l, string(endreason.Failed))
		return r, err
	}
	m.open(ctx, started)
	m.c.Log.Info("run started", "run_id", id.ID, "seed", id.Seed, "plan", started.PlanHash)
	r.Restarted, r.Message = true, "run "+id.ID+" started"
	return r, nil
}

// restorePublished undoes the publishing for a start that failed. A run in progress gets its own files back, because a
// restart after a crash uses them, and is no longer asked to finish. Otherwise a started loadgen idles.
func (m *Manager) restorePublished(ctx context.Context, before map[string][]byte) error {
	st := m.Status()
	if !st.Active() {
		return m.idle(ctx)
	}
	_, err := m.steer(st.Run.ID, func(c *exchange.Control) { c.FinishSeconds = 0 })
	if err := errors.Join(err, m.c.Publisher.Restore(context.WithoutCancel(ctx), before)); err != nil {
		return fmt.Errorf("restore the previous settings: %w", err)
	}
	return nil
}

// startPollInterval is the time between two refreshes while a loadgen starts.
const startPollInterval = 100 * time.Millisecond

// awaitStart waits until the loadgen reports that it runs the plan of a run, and returns the plan's hash. While it
// reports that it is starting, only the operation's timeout applies. A run that has already ended left its ledger.
func (m *Manager) awaitStart(ctx context.Context, id string) (hash string, err error) {
	timer := time.NewTimer(m.c.StartTimeout)
	defer timer.Stop()
	tick := time.NewTicker(startPollInterval)
	defer tick.Stop()
	for {
		l, p := m.refresh(ctx)
		switch {
		case p.Run.RunID != id || p.Phase == phase.Idle:
		case p.Phase == phase.Starting: // scans its state folder, which can take long
			timer.Reset(m.c.StartTimeout)
		default:
			return p.Run.PlanHash, nil
		}
		if hasEnded(l.State) || l.State == launcher.Restarting { // by somebody's restart policy
			r, err := m.c.Ledger(id)
			if err == nil && r.Ended.After(l.Started) && (l.ExitCode == exitcode.OK || l.ExitCode == exitcode.Missed) {
				return r.PlanHash, nil
			}
			return "", m.startError(ctx, l, l.ExitCode)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return "", ctx.Err()
		case <-timer.C:
			return "", m.startError(ctx, l, -1)
		}
	}
}

func (m *Manager) startError(ctx context.Context, l launcher.Status, exitCode int) *StartError {
	e := &StartError{Messages: ErrorLines(ctx, m.c.Runtime, l.Started), ExitCode: exitCode}
	if l.Reason != "" { // for example out of memory, which the loadgen cannot log
		e.Messages = append([]string{l.Reason}, e.Messages...)
	}
	m.update(func(s *Status) { s.Messages = e.Messages })
	return e
}
