package run

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
	"github.com/puttrix/trafficinator/controller/internal/setup"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

// Start starts a run with the saved settings and the request's overrides. Errors: *BusyError, *StartError, and those of
// Publisher and Runtime.
func (m *Manager) Start(ctx context.Context, q Request) (Result, error) {
	return m.start(ctx, "start", q)
}

// Restart stops the current run, if any, and starts a run with the saved settings. Open visits have timeout to finish;
// 0 is FinishTimeout.
func (m *Manager) Restart(ctx context.Context, timeout time.Duration) (Result, error) {
	return m.start(ctx, "restart", Request{Timeout: timeout, RestartIfRunning: true})
}

func (m *Manager) start(ctx context.Context, name string, q Request) (Result, error) {
	return m.operate(ctx, name, q.finishTimeout(), func(ctx context.Context) (Result, error) {
		if r, err := m.inProgress(ctx); (r.Unchanged || err != nil) && !q.RestartIfRunning {
			if r.Unchanged && len(q.Overrides) > 0 {
				r.Warnings.Warn("config", "", "was ignored because a run is in progress",
					"stop it, or set restart_if_running")
			}
			return r, err
		}
		return m.launchOrIdle(ctx, q, m.publishSaved(q))
	})
}

// Rerun starts a recorded run again with the same files and seed and a new ID. It ignores the request's overrides; the
// default of its labels is those of the recorded run. Errors: fault.NotFound, ErrNoFiles, ErrJob, *plan.MissingSecrets,
// *folder.Conflict, and those of Start.
func (m *Manager) Rerun(ctx context.Context, id string, q Request) (Result, error) {
	return m.operate(ctx, "rerun", q.finishTimeout(), func(ctx context.Context) (Result, error) {
		before, err := m.c.Repository.Run(ctx, id)
		if err != nil {
			return Result{}, err
		}
		files, err := m.c.Repository.KeptFiles(ctx, id)
		switch {
		case err != nil:
			return Result{}, err
		case before.Kind == runsummary.BackfillJob:
			return Result{}, ErrJob
		case len(files) == 0:
			return Result{}, ErrNoFiles
		}
		if r, err := m.inProgress(ctx); (r.Unchanged || err != nil) && !q.RestartIfRunning {
			return r, err
		}
		q.Note = cmp.Or(q.Note, "rerun of "+id)
		if q.Labels == nil {
			q.Labels = before.Labels
		}
		return m.launchOrIdle(ctx, q, func(ctx context.Context) (Identity, error) {
			rerun := Identity{ID: m.c.NewIdentity().ID, Seed: before.Seed}
			return rerun, m.c.Publisher.PublishRerun(ctx, files, rerun)
		})
	})
}

// inProgress returns an Unchanged result if a run is in progress, and an error if its container is paused.
func (m *Manager) inProgress(ctx context.Context) (Result, error) {
	l, _ := m.refresh(ctx)
	switch st := m.Status(); {
	case !st.Active():
	case l.State == launcher.Running:
		return Result{Unchanged: true, Message: "run " + st.Run.ID + " is already running"}, nil
	case l.State == launcher.Paused:
		return Result{}, fmt.Errorf("%w: run %s is paused: %s", launcher.ErrInvalidState, st.Run.ID, l.Reason)
	}
	return Result{}, nil
}

// launchOrIdle launches a run. After a *StartError, a started loadgen idles.
func (m *Manager) launchOrIdle(ctx context.Context, q Request, publish publishFunc) (Result, error) {
	r, err := m.launch(ctx, q, publish)
	if failed := (*StartError)(nil); errors.As(err, &failed) {
		err = errors.Join(err, m.idle(ctx))
	}
	return r, err
}

// idle publishes that a started loadgen idles, so that one started by hand does not repeat the last run. It works after
// the operation's timeout too, and Watch retries it.
func (m *Manager) idle(ctx context.Context) error {
	err := m.c.Publisher.Stop(context.WithoutCancel(ctx))
	m.mu.Lock()
	defer m.mu.Unlock()
	if err != nil {
		m.idleFailed = time.Now()
		return fmt.Errorf("publish the stop: %w", err)
	}
	m.idleFailed = time.Time{}
	return nil
}

// Apply applies the draft, or the saved settings if it is nil; timeout is that of Restart. If no run is in progress, it
// saves and publishes them. Otherwise it starts a new run, and if the loadgen rejects the settings, restores the
// previous settings and their run. A draft is saved only once its run is running.
func (m *Manager) Apply(ctx context.Context, timeout time.Duration, draft *Draft) (Result, error) {
	q := Request{Timeout: timeout}
	if draft != nil {
		q.Overrides = setup.FullOverrides(draft.Config)
	}
	return m.operate(ctx, "apply", q.finishTimeout(), func(ctx context.Context) (Result, error) {
		m.refresh(ctx)
		before := m.Status()
		if !before.Active() {
			saved, err := m.save(ctx, draft)
			return Result{Saved: saved, Message: "saved; no run is in progress, so nothing was restarted"}, err
		}
		files, err := m.c.Publisher.Published(ctx)
		if err != nil {
			return Result{}, fmt.Errorf("read the previous settings: %w", err)
		}
		r, err := m.launch(ctx, q, m.publishSaved(q))
		if err == nil && draft != nil {
			var unsaved error
			if r.Saved, unsaved = m.save(ctx, draft); unsaved != nil {
				r.Warnings.Warn("configuration", "", "is running, but could not be saved: "+unsaved.Error(),
					"save it again")
			}
		}
		var failed *StartError
		if !errors.As(err, &failed) {
			return r, err
		}
		if err := m.rollBack(ctx, files, before); err != nil {
			return Result{}, errors.Join(failed, fmt.Errorf("restore the previous settings: %w", err))
		}
		failed.RolledBack = true
		return Result{}, failed
	})
}

// save saves and publishes a draft, or publishes the saved settings if it is nil.
func (m *Manager) save(ctx context.Context, draft *Draft) (*setup.Config, error) {
	if draft == nil {
		return nil, m.c.Publisher.Publish(ctx)
	}
	c, err := m.c.Publisher.SaveConfig(ctx, draft.Config, draft.Revision)
	if err != nil {
		return nil, err
	}
	return &c, nil
}

// rollBack publishes files again and restarts their run, steered as before.
func (m *Manager) rollBack(ctx context.Context, files map[string][]byte, before Status) error {
	if err := m.c.Publisher.Restore(ctx, files); err != nil {
		return err
	}
	r, steering := reopen(*before.Run), before.Steering
	steering.FinishSeconds = 0
	if _, err := m.steer(r.ID, func(c *exchange.Control) { *c = steering }); err != nil {
		return err
	}
	if err := m.c.Runtime.Stop(ctx, DrainTimeout); err != nil {
		return err
	}
	if err := m.c.Runtime.Start(ctx); err != nil {
		return err
	}
	m.open(ctx, r)
	_, err := m.awaitStart(ctx, r.ID)
	m.refresh(ctx)
	return err
}

// Heal repairs the container. Errors: launcher.ErrNothingToHeal and others of Runtime.
func (m *Manager) Heal(ctx context.Context) (Result, error) {
	return m.operate(ctx, "heal", 0, func(ctx context.Context) (Result, error) {
		l, _ := m.refresh(ctx)
		if hasEnded(l.State) {
			m.close(ctx, l, "")
		}
		if !m.Status().Active() {
			if err := m.idle(ctx); err != nil {
				return Result{}, err
			}
		}
		message, err := m.c.Runtime.Heal(ctx)
		m.refresh(ctx)
		return Result{Message: message}, err
	})
}

// Steer pauses or resumes the current run, or scales its rate; nil leaves a value unchanged. The loadgen follows within
// about a second. The error is ErrNothingRuns if no run is in progress.
func (m *Manager) Steer(ctx context.Context, paused *bool, scale *float64) (exchange.Control, error) {
	st := m.Status()
	if !st.Active() {
		return exchange.Control{}, ErrNothingRuns
	}
	c, err := m.steer(st.Run.ID, func(c *exchange.Control) {
		if paused != nil {
			c.Paused = *paused
		}
		if scale != nil {
			c.Scale = *scale
		}
	})
	if err == nil {
		m.c.Log.InfoContext(ctx, "run steered", "run_id", c.RunID, "paused", c.Paused, "scale", c.Scale)
	}
	return c, err
}

// steer changes control.json for a run.
func (m *Manager) steer(runID string, change func(*exchange.Control)) (exchange.Control, error) {
	m.steering.Lock()
	defer m.steering.Unlock()
	c := m.c.Publisher.Steering(runID)
	change(&c)
	if err := m.c.Publisher.Steer(c); err != nil {
		return c, err
	}
	m.update(func(s *Status) {
		if s.Active() && s.Run.ID == runID {
			s.Steering = c
		}
	})
	return c, nil
}
