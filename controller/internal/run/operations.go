package run

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
	"github.com/puttrix/trafficinator/controller/internal/setup"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/problem"
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
	ctx, end, err := m.begin(ctx, name, q.finishTimeout())
	if err != nil {
		return Result{}, err
	}
	defer end()
	if r, running, err := m.inProgress(ctx); (running || err != nil) && !q.RestartIfRunning {
		if running && len(q.Overrides) > 0 {
			r.Warnings.Warn(
				"config",
				"",
				"was ignored because a run is in progress",
				"stop it, or set restart_if_running",
			)
		}
		return r, err
	}
	warnings, err := m.launch(ctx, q, m.publishSaved(q))
	return m.launched(ctx, warnings, err)
}

// Rerun starts a recorded run again with the same files and seed and a new ID. It ignores the request's overrides; the
// default of its labels is those of the recorded run. Errors: fault.NotFound, ErrNoFiles, ErrJob, *plan.MissingSecrets,
// *folder.Conflict, and those of Start.
func (m *Manager) Rerun(ctx context.Context, id string, q Request) (Result, error) {
	ctx, end, err := m.begin(ctx, "rerun", q.finishTimeout())
	if err != nil {
		return Result{}, err
	}
	defer end()
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
	if r, running, err := m.inProgress(ctx); (running || err != nil) && !q.RestartIfRunning {
		return r, err
	}
	if q.Note == "" {
		q.Note = "rerun of " + id
	}
	if q.Labels == nil {
		q.Labels = before.Labels
	}
	warnings, err := m.launch(ctx, q, func(ctx context.Context) (Identity, error) {
		rerun := Identity{ID: m.c.NewIdentity().ID, Seed: before.Seed}
		return rerun, m.c.Publisher.PublishRerun(ctx, files, rerun)
	})
	return m.launched(ctx, warnings, err)
}

// inProgress reports whether a run is in progress, with the result of a start in that case. The error is that of a
// paused container.
func (m *Manager) inProgress(ctx context.Context) (Result, bool, error) {
	l, _ := m.refresh(ctx)
	switch st := m.Status(); {
	case !st.Active():
		return Result{}, false, nil
	case l.State == launcher.Running:
		return Result{Unchanged: true, Message: "run " + st.Run.ID + " is already running"}.withStatus(m), true, nil
	case l.State == launcher.Paused:
		return Result{}.withStatus(
				m,
			), false, fmt.Errorf(
				"%w: run %s is paused: %s",
				launcher.ErrInvalidState,
				st.Run.ID,
				l.Reason,
			)
	default:
		return Result{}, false, nil
	}
}

// launched returns the result of launch.
func (m *Manager) launched(ctx context.Context, warnings problem.List, err error) (Result, error) {
	if err != nil {
		var failed *StartError
		if errors.As(err, &failed) {
			err = errors.Join(err, m.idle(ctx))
		}
		return Result{}.withStatus(m), stopError(ctx, err)
	}
	r := Result{Restarted: true, Warnings: warnings}.withStatus(m)
	r.Message = "run " + r.Status.Run.ID + " started"
	return r, nil
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
// saves and publishes them. Otherwise it starts a new run, and if the loadgen rejects the settings, restores the previous
// settings and their run. A draft is saved only once its run is running.
func (m *Manager) Apply(ctx context.Context, timeout time.Duration, draft *Draft) (Result, error) {
	q := Request{Timeout: timeout}
	save := m.c.Publisher.Publish
	var saved *setup.Config
	if draft != nil {
		q.Overrides = setup.FullOverrides(draft.Config)
		save = func(ctx context.Context) error {
			c, err := m.c.Publisher.SaveConfig(ctx, draft.Config, draft.Revision)
			if err == nil {
				saved = &c
			}
			return err
		}
	}
	ctx, end, err := m.begin(ctx, "apply", q.finishTimeout())
	if err != nil {
		return Result{}, err
	}
	defer end()
	m.refresh(ctx)
	before := m.Status()
	if !before.Active() {
		if err := save(ctx); err != nil {
			return Result{}.withStatus(m), err
		}
		return Result{
			Saved:   saved,
			Message: "saved; no run is in progress, so nothing was restarted",
		}.withStatus(
			m,
		), nil
	}
	files, err := m.c.Publisher.Published(ctx)
	if err != nil {
		return Result{}.withStatus(m), fmt.Errorf("read the previous settings: %w", err)
	}
	warnings, err := m.launch(ctx, q, m.publishSaved(q))
	if err == nil && draft != nil {
		if unsaved := save(ctx); unsaved != nil {
			warnings.Warn("configuration", "", "is running, but could not be saved: "+unsaved.Error(), "save it again")
		}
	}
	var failed *StartError
	if !errors.As(err, &failed) {
		r, err := m.launched(ctx, warnings, err)
		r.Saved = saved
		return r, err
	}
	if err := m.rollBack(ctx, files, before); err != nil {
		return Result{}.withStatus(m), stopError(ctx,
			errors.Join(failed, fmt.Errorf("restore the previous settings: %w", err)))
	}
	failed.RolledBack = true
	return Result{}.withStatus(m), failed
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
	if err := m.c.Runtime.Restart(ctx, DrainTimeout); err != nil {
		return err
	}
	m.open(ctx, r)
	_, err := m.awaitStart(ctx, r.ID)
	m.refresh(ctx)
	return err
}

// Heal repairs the container. Errors: launcher.ErrNothingToHeal and others of Runtime.
func (m *Manager) Heal(ctx context.Context) (Result, error) {
	ctx, end, err := m.begin(ctx, "heal", 0)
	if err != nil {
		return Result{}, err
	}
	defer end()
	l, _ := m.refresh(ctx)
	if hasEnded(l.State) {
		m.close(ctx, l, "")
	}
	if !m.Status().Active() {
		if err := m.idle(ctx); err != nil {
			return Result{}.withStatus(m), err
		}
	}
	message, err := m.c.Runtime.Heal(ctx)
	m.refresh(ctx)
	if err != nil {
		return Result{}.withStatus(m), stopError(ctx, err)
	}
	return Result{Message: message}.withStatus(m), nil
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
	if err != nil {
		return exchange.Control{}, err
	}
	m.c.Log.InfoContext(ctx, "run steered", "run_id", c.RunID, "paused", c.Paused, "scale", c.Scale)
	return c, nil
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
