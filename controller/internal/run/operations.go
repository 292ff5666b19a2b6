package run

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/runtime"
)

// Start starts a run with the saved settings and the request's. Errors: *Busy, *Failed, those of publishing and of
// the port.
func (k *Control) Start(ctx context.Context, q Request) (Result, error) {
	ctx, end, err := k.begin(ctx, "start")
	if err != nil {
		return Result{}, err
	}
	defer end()
	if r, runs := k.goesOn(ctx); runs && !q.RestartIfRunning {
		return r, nil
	}
	return k.started(ctx, k.launch(ctx, q, k.saved(q)))
}

// goesOn tells whether a run does, with the answer to a start beside it.
func (k *Control) goesOn(ctx context.Context) (Result, bool) {
	l, _ := k.look(ctx)
	st := k.Status()
	if !st.Active() || l.State != runtime.Running {
		return Result{}, false
	}
	return Result{Already: true, Message: "run " + st.Run.ID + " goes on already"}.at(k), true
}

// Restart ends the run that goes on, if any, and starts another with the saved settings.
func (k *Control) Restart(ctx context.Context, timeout time.Duration) (Result, error) {
	ctx, end, err := k.begin(ctx, "restart")
	if err != nil {
		return Result{}, err
	}
	defer end()
	return k.started(ctx, k.launch(ctx, Request{Timeout: timeout}, k.saved(Request{})))
}

func (k *Control) started(ctx context.Context, err error) (Result, error) {
	if err != nil {
		var failed *Failed
		if errors.As(err, &failed) {
			err = errors.Join(err, k.idle(ctx))
		}
		return Result{}.at(k), err
	}
	r := Result{Restarted: true}.at(k)
	r.Message = "run " + r.Status.Run.ID + " started"
	return r, nil
}

// idle publishes that the loadgen shall idle, so that one started by hand does not repeat what failed. It does so also
// where the operation's time is up.
func (k *Control) idle(ctx context.Context) error {
	if err := k.c.Publisher.Stop(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("publish the stop: %w", err)
	}
	return nil
}

// Stop drains the loadgen and ends it. One that is asked for while another drains, with less time, makes that one quick
// and does not wait for it.
func (k *Control) Stop(ctx context.Context, timeout time.Duration) (Result, error) {
	ctx, end, err := k.begin(ctx, "stop")
	if err != nil {
		if timeout = patient(timeout); timeout < DefaultTimeout {
			select {
			case k.hurry <- timeout:
				return Result{Message: "stopping within " + timeout.String()}.at(k), nil
			default: // nothing drains
			}
		}
		return Result{}, err
	}
	defer end()
	l, _ := k.look(ctx)
	// First, so that a loadgen that comes back from whatever happens now does not send again.
	if err := k.idle(ctx); err != nil {
		return Result{}.at(k), err
	}
	if ended(l.State) {
		k.close(ctx, l, "")
		return Result{Already: true, Message: "nothing was running"}.at(k), nil
	}
	if err := k.drain(ctx, patient(timeout)); err != nil {
		return Result{}.at(k), err
	}
	l, _ = k.look(ctx)
	k.close(ctx, l, "stopped")
	return Result{Message: "stopped"}.at(k), nil
}

// drain ends the loadgen within the timeout, or within that of whoever is in a hurry.
func (k *Control) drain(ctx context.Context, timeout time.Duration) error {
	draining, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- k.c.Port.Stop(draining, timeout) }()
	select {
	case err := <-done:
		return err
	case shorter := <-k.hurry:
		cancel()
		<-done //nolint:errcheck // given up, or ended just now: then there is nothing left to stop
		return k.c.Port.Stop(ctx, shorter)
	}
}

// Apply brings the saved settings into force. While nothing runs it only publishes them; else it starts them as a new
// run, and where the loadgen does not take them it puts the previous ones back and lets their run go on.
func (k *Control) Apply(ctx context.Context) (Result, error) {
	ctx, end, err := k.begin(ctx, "apply")
	if err != nil {
		return Result{}, err
	}
	defer end()
	k.look(ctx)
	before := k.Status()
	if !before.Active() {
		if err := k.c.Publisher.Saved(ctx); err != nil {
			return Result{}.at(k), err
		}
		return Result{Message: "saved and published; nothing runs, so nothing was restarted"}.at(k), nil
	}
	files, err := k.c.Publisher.Published(ctx)
	if err != nil {
		return Result{}.at(k), fmt.Errorf("keep the previous settings: %w", err)
	}
	err = k.launch(ctx, Request{}, k.saved(Request{}))
	var failed *Failed
	if !errors.As(err, &failed) {
		return k.started(ctx, err)
	}
	if err := k.back(ctx, files, *before.Run); err != nil {
		return Result{}.at(k), errors.Join(failed, fmt.Errorf("put the previous settings back: %w", err))
	}
	failed.RolledBack = true
	return Result{}.at(k), failed
}

// back publishes files again and lets their run go on.
func (k *Control) back(ctx context.Context, files map[string][]byte, r Run) error {
	if err := k.c.Publisher.Restore(ctx, files); err != nil {
		return err
	}
	if err := k.c.Port.Restart(ctx, DefaultTimeout); err != nil {
		return err
	}
	r.Ended, r.Reason, r.Summary = time.Time{}, "", nil
	k.open(ctx, r)
	_, err := k.await(ctx, r.ID)
	k.look(ctx)
	return err
}

// Heal puts right what is wrong with the container. Errors: runtime.ErrHealthy and the others of the port.
func (k *Control) Heal(ctx context.Context) (Result, error) {
	ctx, end, err := k.begin(ctx, "heal")
	if err != nil {
		return Result{}, err
	}
	defer end()
	l, _ := k.look(ctx)
	if ended(l.State) {
		k.close(ctx, l, "")
	}
	if !k.Status().Active() {
		if err := k.idle(ctx); err != nil {
			return Result{}.at(k), err
		}
	}
	did, err := k.c.Port.Heal(ctx)
	k.look(ctx)
	if err != nil {
		return Result{}.at(k), err
	}
	return Result{Message: did}.at(k), nil
}

// at fills in the status.
func (r Result) at(k *Control) Result {
	r.Status = k.Status()
	return r
}
