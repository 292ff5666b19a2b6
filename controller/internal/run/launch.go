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
	"github.com/puttrix/trafficinator/shared/problem"
)

// publishing writes the files of a start and returns what fixes the run.
type publishFunc func(context.Context) (Identity, error)

// saved publishes the saved settings with the request's.
func (m *Manager) publishSaved(q Request) publishFunc {
	return func(ctx context.Context) (Identity, error) {
		return m.c.Publisher.Start(ctx, q.Overrides, m.c.NewIdentity())
	}
}

// launch publishes, ends what runs, starts the loadgen and waits for its word that the plan runs. Open visits of what
// runs are finished first; the warnings say why they were not. A stop that interrupts it leaves the run as it is, for
// the stop to book.
func (m *Manager) launch(ctx context.Context, q Request, publish publishFunc) (warnings problem.List, err error) {
	before, err := m.c.Publisher.Published(ctx)
	if err != nil {
		return nil, fmt.Errorf("keep the previous settings: %w", err)
	}
	id, err := publish(ctx)
	if err != nil {
		return nil, fmt.Errorf("publish: %w", err)
	}
	l, _ := m.refresh(ctx)
	if warnings, err = m.end(ctx, l, StopOptions{Timeout: q.Timeout}, nil); err != nil {
		return nil, errors.Join(fmt.Errorf("stop what runs: %w", err), m.restorePublished(ctx, before))
	}
	l, _ = m.refresh(ctx)
	m.close(ctx, l, string(endreason.Killed))

	files, err := m.c.Publisher.Published(ctx)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("read what was published: %w", err), m.idle(ctx))
	}
	// The file may be of an earlier life of a run of the same id.
	if err := m.c.Publisher.Steer(exchange.NoOverride(id.ID)); err != nil {
		return nil, errors.Join(err, m.idle(ctx))
	}
	m.clearRetries()
	r := record.Run{Head: record.Head{ID: id.ID, Seed: id.Seed, Started: time.Now().UTC(), Note: q.Note,
		Labels: q.Labels}}
	r.Config, r.Kind = Configuration(files)
	begun := r
	m.update(func(s *Status) { s.Restarts, s.Messages, s.Steering, s.Run = 0, nil, exchange.NoOverride(r.ID), &begun })
	if err := m.c.Begin(ctx, r, files, m.c.Runtime.Start); err != nil {
		if wasStopped(ctx) {
			return nil, err
		}
		l, _ := m.refresh(ctx)
		m.close(ctx, l, string(endreason.Failed))
		return nil, errors.Join(err, m.idle(ctx))
	}
	hash, err := m.awaitStart(ctx, r.ID)
	if wasStopped(ctx) {
		return nil, ErrStopped
	}
	l, _ = m.refresh(ctx)
	if err != nil {
		if l.State == launcher.Running || l.State == launcher.Restarting {
			// One that neither reports the plan nor ends must not go on unseen.
			if err := m.c.Runtime.Stop(ctx, DrainTimeout); err != nil {
				m.c.Log.Error("the loadgen that did not report its plan cannot be stopped", "err", err)
			}
			l, _ = m.refresh(ctx)
		}
		m.close(ctx, l, string(endreason.Failed))
		return nil, err
	}
	r.PlanHash = hash
	m.open(ctx, r)
	m.c.Log.Info("run started", "run_id", r.ID, "seed", r.Seed, "plan", hash)
	return warnings, nil
}

// unpublish takes back what was published for a start that did not come to it: a run that goes on gets its own files
// back, because one that crashed would be started again with them, and is no longer asked to finish; else nothing shall
// start by itself.
func (m *Manager) restorePublished(ctx context.Context, before map[string][]byte) error {
	st := m.Status()
	if !st.Active() {
		return m.idle(ctx)
	}
	_, err := m.steer(st.Run.ID, func(c *exchange.Control) { c.FinishSeconds = 0 })
	if err := errors.Join(err, m.c.Publisher.Restore(context.WithoutCancel(ctx), before)); err != nil {
		return fmt.Errorf("put the running settings back: %w", err)
	}
	return nil
}

// pollInterval is the pause between two looks at a loadgen that starts.
const pollInterval = 100 * time.Millisecond

// await waits until the loadgen says that it runs id's plan and returns the plan's hash. One that says that it is
// starting is given the time of the whole operation. A run so short that it has ended by then has left its ledger.
func (m *Manager) awaitStart(ctx context.Context, id string) (hash string, err error) {
	patience := time.NewTimer(m.c.StartTimeout)
	defer patience.Stop()
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		l, p := m.refresh(ctx)
		switch {
		case p.RunID != id || p.Phase == phase.Idle:
		case p.Phase == phase.Starting: // it looks at its state folder, which can take longer than a start may
			patience.Reset(m.c.StartTimeout)
		default:
			return p.Hash, nil
		}
		if hasEnded(l.State) || l.State == launcher.Restarting { // by a restart policy that is not ours
			// A ledger of this life, not of an earlier one of the same run.
			r, err := m.c.Ledger(id)
			if err == nil && r.Ended.After(l.Started) && (l.ExitCode == 0 || l.ExitCode == exitcode.Missed) {
				return r.PlanHash, nil
			}
			return "", m.startError(ctx, l, l.ExitCode)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return "", ctx.Err()
		case <-patience.C:
			return "", m.startError(ctx, l, -1)
		}
	}
}

func (m *Manager) startError(ctx context.Context, l launcher.Status, code int) *StartError {
	f := &StartError{Messages: Logs(m.c.Runtime.Logs).ErrorLines(ctx, l.Started), ExitCode: code}
	if l.Reason != "" { // such as memory that ran out, of which the loadgen itself says nothing
		f.Messages = append([]string{l.Reason}, f.Messages...)
	}
	m.update(func(s *Status) { s.Messages = f.Messages })
	return f
}
