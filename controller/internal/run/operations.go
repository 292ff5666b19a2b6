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
)

// Start starts a run with the saved settings and the request's. Errors: *BusyError, *StartError, those of publishing and of
// the port.
func (m *Manager) Start(ctx context.Context, q Request) (Result, error) {
	return m.start(ctx, "start", q)
}

// Restart ends the run that goes on, if any, whose open visits have timeout to end (0 is FinishTimeout), and starts
// another with the saved settings.
func (m *Manager) Restart(ctx context.Context, timeout time.Duration) (Result, error) {
	return m.start(ctx, "restart", Request{Timeout: timeout, RestartIfRunning: true})
}

func (m *Manager) start(ctx context.Context, name string, q Request) (Result, error) {
	ctx, end, err := m.begin(ctx, name, q.finishTimeout())
	if err != nil {
		return Result{}, err
	}
	defer end()
	if r, runs, err := m.inProgress(ctx); (runs || err != nil) && !q.RestartIfRunning {
		if runs && len(q.Overrides) > 0 {
			r.Warnings.Warn("config", "", "is not used, because a run is running already",
				"stop it, or set restart_if_running")
		}
		return r, err
	}
	warnings, err := m.launch(ctx, q, m.publishSaved(q))
	return m.started(ctx, warnings, err)
}

// goesOn tells whether a run does, with the answer to a start beside it. The error is that of one that is frozen.
func (m *Manager) inProgress(ctx context.Context) (Result, bool, error) {
	l, _ := m.refresh(ctx)
	switch st := m.Status(); {
	case !st.Active():
		return Result{}, false, nil
	case l.State == launcher.Running:
		return Result{Unchanged: true, Message: "run " + st.Run.ID + " is running already"}.withStatus(m), true, nil
	case l.State == launcher.Paused:
		return Result{}.withStatus(
				m,
			), false, fmt.Errorf(
				"%w: run %s is frozen: %s",
				launcher.ErrInvalidState,
				st.Run.ID,
				l.Reason,
			)
	default:
		return Result{}, false, nil
	}
}

// started is the result of a launch.
func (m *Manager) started(ctx context.Context, warnings problem.List, err error) (Result, error) {
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

// idle publishes that the loadgen shall idle, so that one started by hand does not repeat what failed. It does so also
// where the operation's time is up; where it fails Watch tries it again.
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

// Apply brings the draft into force, or where it is nil the saved settings; timeout is that of Restart. While nothing
// runs it saves and publishes; else it starts a new run, and where the loadgen does not take it it puts the previous
// settings back and lets their run continue. A draft is saved once its run is running, so that one that is refused
// leaves what is saved alone.
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
		return Result{Saved: saved, Message: "saved; nothing runs, so nothing was restarted"}.withStatus(m), nil
	}
	files, err := m.c.Publisher.Published(ctx)
	if err != nil {
		return Result{}.withStatus(m), fmt.Errorf("keep the previous settings: %w", err)
	}
	warnings, err := m.launch(ctx, q, m.publishSaved(q))
	if err == nil && draft != nil {
		if unsaved := save(ctx); unsaved != nil {
			warnings.Warn("configuration", "", "is running, but could not be saved: "+unsaved.Error(), "save it again")
		}
	}
	var failed *StartError
	if !errors.As(err, &failed) {
		r, err := m.started(ctx, warnings, err)
		r.Saved = saved
		return r, err
	}
	if err := m.rollBack(ctx, files, before); err != nil {
		return Result{}.withStatus(m), stopError(ctx, errors.Join(failed, fmt.Errorf("put the previous settings back: %w", err)))
	}
	failed.RolledBack = true
	return Result{}.withStatus(m), failed
}

// back publishes files again and lets their run go on, as it was steered before it was asked to finish.
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

// Heal puts right what is wrong with the container. Errors: launcher.ErrNothingToHeal and the others of the port.
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
	did, err := m.c.Runtime.Heal(ctx)
	m.refresh(ctx)
	if err != nil {
		return Result{}.withStatus(m), stopError(ctx, err)
	}
	return Result{Message: did}.withStatus(m), nil
}

// at fills in the status.
func (r Result) withStatus(m *Manager) Result {
	r.Status = m.Status()
	return r
}
