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

// Start starts a run with the saved settings and the request's. Errors: *Busy, *Failed, those of publishing and of
// the port.
func (k *Control) Start(ctx context.Context, q Request) (Result, error) {
	return k.start(ctx, "start", q)
}

// Restart ends the run that goes on, if any, whose open visits have timeout to end (0 is FinishTime), and starts
// another with the saved settings.
func (k *Control) Restart(ctx context.Context, timeout time.Duration) (Result, error) {
	return k.start(ctx, "restart", Request{Timeout: timeout, RestartIfRunning: true})
}

func (k *Control) start(ctx context.Context, name string, q Request) (Result, error) {
	ctx, end, err := k.begin(ctx, name, q.finishing())
	if err != nil {
		return Result{}, err
	}
	defer end()
	if r, runs, err := k.goesOn(ctx); (runs || err != nil) && !q.RestartIfRunning {
		if runs && len(q.Overrides) > 0 {
			r.Warnings.Warn("config", "", "is not used, because a run is running already",
				"stop it, or set restart_if_running")
		}
		return r, err
	}
	warnings, err := k.launch(ctx, q, k.saved(q))
	return k.started(ctx, warnings, err)
}

// goesOn tells whether a run does, with the answer to a start beside it. The error is that of one that is frozen.
func (k *Control) goesOn(ctx context.Context) (Result, bool, error) {
	l, _ := k.refresh(ctx)
	switch st := k.Status(); {
	case !st.Active():
		return Result{}, false, nil
	case l.State == launcher.Running:
		return Result{Already: true, Message: "run " + st.Run.ID + " is running already"}.at(k), true, nil
	case l.State == launcher.Paused:
		return Result{}.at(k), false, fmt.Errorf("%w: run %s is frozen: %s", launcher.ErrStuck, st.Run.ID, l.Reason)
	default:
		return Result{}, false, nil
	}
}

// started is the result of a launch.
func (k *Control) started(ctx context.Context, warnings problem.List, err error) (Result, error) {
	if err != nil {
		var failed *Failed
		if errors.As(err, &failed) {
			err = errors.Join(err, k.idle(ctx))
		}
		return Result{}.at(k), givenUp(ctx, err)
	}
	r := Result{Restarted: true, Warnings: warnings}.at(k)
	r.Message = "run " + r.Status.Run.ID + " started"
	return r, nil
}

// idle publishes that the loadgen shall idle, so that one started by hand does not repeat what failed. It does so also
// where the operation's time is up; where it fails Watch tries it again.
func (k *Control) idle(ctx context.Context) error {
	err := k.c.Publisher.Stop(context.WithoutCancel(ctx))
	k.mu.Lock()
	defer k.mu.Unlock()
	if err != nil {
		k.restless = time.Now()
		return fmt.Errorf("publish the stop: %w", err)
	}
	k.restless = time.Time{}
	return nil
}

// Apply brings the draft into force, or where it is nil the saved settings; timeout is that of Restart. While nothing
// runs it saves and publishes; else it starts a new run, and where the loadgen does not take it it puts the previous
// settings back and lets their run continue. A draft is saved once its run is running, so that one that is refused
// leaves what is saved alone.
func (k *Control) Apply(ctx context.Context, timeout time.Duration, draft *Draft) (Result, error) {
	q := Request{Timeout: timeout}
	save := k.c.Publisher.Publish
	var saved *setup.Config
	if draft != nil {
		q.Overrides = setup.Replacing(draft.Config)
		save = func(ctx context.Context) error {
			c, err := k.c.Publisher.SaveConfig(ctx, draft.Config, draft.Revision)
			if err == nil {
				saved = &c
			}
			return err
		}
	}
	ctx, end, err := k.begin(ctx, "apply", q.finishing())
	if err != nil {
		return Result{}, err
	}
	defer end()
	k.refresh(ctx)
	before := k.Status()
	if !before.Active() {
		if err := save(ctx); err != nil {
			return Result{}.at(k), err
		}
		return Result{Saved: saved, Message: "saved; nothing runs, so nothing was restarted"}.at(k), nil
	}
	files, err := k.c.Publisher.Published(ctx)
	if err != nil {
		return Result{}.at(k), fmt.Errorf("keep the previous settings: %w", err)
	}
	warnings, err := k.launch(ctx, q, k.saved(q))
	if err == nil && draft != nil {
		if unsaved := save(ctx); unsaved != nil {
			warnings.Warn("configuration", "", "is running, but could not be saved: "+unsaved.Error(), "save it again")
		}
	}
	var failed *Failed
	if !errors.As(err, &failed) {
		r, err := k.started(ctx, warnings, err)
		r.Saved = saved
		return r, err
	}
	if err := k.back(ctx, files, before); err != nil {
		return Result{}.at(k), givenUp(ctx, errors.Join(failed, fmt.Errorf("put the previous settings back: %w", err)))
	}
	failed.RolledBack = true
	return Result{}.at(k), failed
}

// back publishes files again and lets their run go on, as it was steered before it was asked to finish.
func (k *Control) back(ctx context.Context, files map[string][]byte, before Status) error {
	if err := k.c.Publisher.Restore(ctx, files); err != nil {
		return err
	}
	r, steering := reopened(*before.Run), before.Steering
	steering.FinishSeconds = 0
	if _, err := k.steer(r.ID, func(c *exchange.Control) { *c = steering }); err != nil {
		return err
	}
	if err := k.c.Port.Restart(ctx, DefaultTimeout); err != nil {
		return err
	}
	k.open(ctx, r)
	_, err := k.await(ctx, r.ID)
	k.refresh(ctx)
	return err
}

// Heal puts right what is wrong with the container. Errors: launcher.ErrHealthy and the others of the port.
func (k *Control) Heal(ctx context.Context) (Result, error) {
	ctx, end, err := k.begin(ctx, "heal", 0)
	if err != nil {
		return Result{}, err
	}
	defer end()
	l, _ := k.refresh(ctx)
	if ended(l.State) {
		k.close(ctx, l, "")
	}
	if !k.Status().Active() {
		if err := k.idle(ctx); err != nil {
			return Result{}.at(k), err
		}
	}
	did, err := k.c.Port.Heal(ctx)
	k.refresh(ctx)
	if err != nil {
		return Result{}.at(k), givenUp(ctx, err)
	}
	return Result{Message: did}.at(k), nil
}

// at fills in the status.
func (r Result) at(k *Control) Result {
	r.Status = k.Status()
	return r
}
