package run

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

const (
	// FinishTimeout is the default time that open visits have to finish.
	FinishTimeout = time.Minute
	// DrainTimeout is how long a loadgen may take to drain: its own 8 s and some more.
	DrainTimeout = 10 * time.Second
)

// StopOptions selects how to stop a run.
type StopOptions struct {
	// Now cuts off open visits. Otherwise they are finished, and no new ones start.
	Now bool
	// Timeout is how long open visits have to finish; 0 is FinishTimeout. With Now, the loadgen is killed after it; 0
	// is DrainTimeout.
	Timeout time.Duration
}

func (o StopOptions) timeout() time.Duration {
	if o.Now {
		return cmp.Or(max(0, o.Timeout), DrainTimeout)
	}
	return cmp.Or(max(0, o.Timeout), FinishTimeout)
}

// fasterThan reports whether o leaves less time than other; cutting visits off always does.
func (o StopOptions) fasterThan(other StopOptions) bool {
	if o.Now != other.Now {
		return o.Now
	}
	return o.timeout() < other.timeout()
}

// end stops the loadgen with status l. The warnings are why open visits were not finished. faster, which may be nil,
// receives options that leave less time. Errors are those of Runtime.
func (m *Manager) end(ctx context.Context, l launcher.Status, o StopOptions,
	faster <-chan StopOptions) (warnings problem.List, err error) {
	switch {
	case hasEnded(l.State):
		return nil, nil
	case l.State == launcher.Unavailable:
		return nil, unavailable(l)
	case !o.Now:
		var warning string
		o, warning, err = m.finish(ctx, o, faster)
		if warning != "" {
			m.c.Log.WarnContext(ctx, "open visits are cut off", "why", warning)
			warnings.Warn("open visits", "", "were cut off: "+warning, "")
		}
		if err != nil {
			return warnings, err
		}
	}
	return warnings, m.drain(ctx, o.timeout(), faster)
}

func unavailable(l launcher.Status) error {
	return fmt.Errorf("%w: %s", launcher.ErrUnavailable, l.Reason)
}

const (
	// finishPollInterval is the time between two refreshes while open visits finish.
	finishPollInterval = 250 * time.Millisecond
	// finishReactionTimeout is how long a loadgen may take to start finishing. It reads control.json once a second, but
	// its machine may be busy.
	finishReactionTimeout = 20 * time.Second
)

// finish requests the loadgen to finish its open visits and waits until it has ended. It returns how to stop it
// otherwise, with a warning if open visits cannot be finished.
func (m *Manager) finish(ctx context.Context, o StopOptions, faster <-chan StopOptions) (then StopOptions,
	warning string, err error) {
	then = StopOptions{Now: true}
	st := m.Status()
	if !st.Active() || st.Run.Kind == runsummary.BackfillJob { // which sends only complete visits
		return then, "", nil
	}
	requested, within := time.Now(), o.timeout()
	if err := m.requestFinish(st.Run.ID, within); err != nil {
		return then, err.Error(), nil
	}
	tick := time.NewTicker(finishPollInterval)
	defer tick.Stop()
	for {
		l, p := m.refresh(ctx)
		switch {
		case ctx.Err() != nil:
			return then, "", context.Cause(ctx)
		case hasEnded(l.State):
			return then, "", nil
		case l.State == launcher.Unavailable:
			return then, "", unavailable(l)
		case l.State == launcher.Paused:
			return then, "the generator's container is paused", nil
		case p.Run.FinishBy.IsZero() && time.Since(requested) > finishReactionTimeout:
			return then, "the generator did not start to finish within " + finishReactionTimeout.String(), nil
		case time.Since(requested) > within+DrainTimeout:
			return then, "the generator did not end in time", nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		case f := <-faster:
			if f.Now {
				return f, "", nil
			}
			if left := within - time.Since(requested); f.timeout() < left {
				requested, within = time.Now(), f.timeout()
				if err := m.requestFinish(st.Run.ID, within); err != nil {
					return then, err.Error(), nil
				}
			}
		}
	}
}

func (m *Manager) requestFinish(runID string, within time.Duration) error {
	_, err := m.steer(runID, func(c *exchange.Control) { c.FinishSeconds = within.Seconds() })
	return err
}

// drain stops the loadgen within the timeout, or within a shorter one of faster. The error wraps
// launcher.ErrUnavailable if the engine does not answer in time.
func (m *Manager) drain(ctx context.Context, timeout time.Duration, faster <-chan StopOptions) error {
	for {
		drainCtx, cancel := context.WithTimeout(ctx, timeout+engineTimeout)
		done := make(chan error, 1)
		go func() { done <- m.c.Runtime.Stop(drainCtx, timeout) }()
		shorter := timeout
		var err error
		for shorter == timeout && done != nil {
			select {
			case err = <-done:
				done = nil
			case f := <-faster:
				shorter = min(timeout, f.timeout())
			}
		}
		cancel()
		if done == nil {
			if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
				err = fmt.Errorf("%w: %w", launcher.ErrUnavailable, err)
			}
			return err
		}
		<-done //nolint:errcheck // canceled, or just ended: then the next Stop has nothing to do
		timeout = shorter
	}
}
