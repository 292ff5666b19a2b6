package run

import (
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
	// FinishTimeout is how long open visits have to end where nothing else is asked for.
	FinishTimeout = time.Minute
	// DefaultTimeout is how long a loadgen may drain: its own 8 s and some.
	DrainTimeout = 10 * time.Second
)

// Ending says how a loadgen is to end.
type StopOptions struct {
	// Now cuts open visits off. Without it they are finished, and none begins.
	Now bool
	// Timeout is how long open visits have to end, FinishTimeout where it is 0. With Now it is how long the loadgen may
	// drain until it is killed, DefaultTimeout where it is 0.
	Timeout time.Duration
}

func (e StopOptions) timeout() time.Duration {
	switch {
	case e.Timeout > 0:
		return e.Timeout
	case e.Now:
		return DrainTimeout
	default:
		return FinishTimeout
	}
}

// quicker tells whether an ending leaves less time than another: one that cuts visits off always does so.
func (e StopOptions) fasterThan(than StopOptions) bool {
	if e.Now != than.Now {
		return e.Now
	}
	return e.timeout() < than.timeout()
}

// end ends the loadgen that stands as l says. The warnings say why open visits were not finished though that was asked
// for. sooner, which may be nil, brings ends that leave less time. Errors are those of the port.
func (m *Manager) end(
	ctx context.Context,
	l launcher.Status,
	how StopOptions,
	sooner <-chan StopOptions,
) (warnings problem.List,
	err error) {
	switch {
	case hasEnded(l.State):
		return nil, nil
	case l.State == launcher.Unavailable:
		return nil, fmt.Errorf("%w: %s", launcher.ErrUnavailable, l.Reason)
	case !how.Now:
		var warning string
		how, warning, err = m.finish(ctx, how, sooner)
		if warning != "" {
			m.c.Log.WarnContext(ctx, "open visits are cut off", "why", warning)
			warnings.Warn("open visits", "", "were cut off: "+warning, "")
		}
		if err != nil {
			return warnings, err
		}
	}
	return warnings, m.drain(ctx, how.timeout(), sooner)
}

const (
	// finishPollInterval is the pause between two looks at a loadgen that finishes.
	finishPollInterval = 250 * time.Millisecond
	// heedTime is how long a loadgen may take to begin to finish. It looks at its file once a second, but its machine
	// may be busy.
	finishReactionTimeout = 20 * time.Second
)

// finish asks the loadgen to finish its open visits and waits until it has ended. then is how it is to be ended where
// it has not, and warning says why open visits cannot be finished.
func (m *Manager) finish(
	ctx context.Context,
	how StopOptions,
	sooner <-chan StopOptions,
) (then StopOptions, warning string,
	err error) {
	then = StopOptions{Now: true}
	st := m.Status()
	if !st.Active() || st.Run.Kind == runsummary.BackfillJob { // whose visits are sent whole
		return then, "", nil
	}
	asked, within := time.Now(), how.timeout()
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
			return then, "", fmt.Errorf("%w: %s", launcher.ErrUnavailable, l.Reason)
		case l.State == launcher.Paused:
			return then, "the generator is frozen", nil
		case p.FinishBy.IsZero() && time.Since(asked) > finishReactionTimeout:
			return then, "the generator did not begin to finish within " + finishReactionTimeout.String(), nil
		case time.Since(asked) > within+DrainTimeout:
			return then, "the generator did not end in time", nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		case s := <-sooner:
			if s.Now {
				return s, "", nil
			}
			if left := within - time.Since(asked); s.timeout() < left {
				asked, within = time.Now(), s.timeout()
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

// steer publishes what the run is wanted to do.
func (m *Manager) steer(runID string, alter func(*exchange.Control)) (exchange.Control, error) {
	m.steering.Lock()
	defer m.steering.Unlock()
	c := m.c.Publisher.Steering(runID)
	alter(&c)
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

// drain has the loadgen end within the timeout, or within that of whoever comes with less. The error wraps
// launcher.ErrUnavailable where the engine does not answer in time.
func (m *Manager) drain(ctx context.Context, timeout time.Duration, sooner <-chan StopOptions) error {
	for {
		draining, cancel := context.WithTimeout(ctx, timeout+engineTimeout)
		done := make(chan error, 1)
		go func() { done <- m.c.Runtime.Stop(draining, timeout) }()
		shorter, err := waitOrFaster(done, sooner, timeout)
		cancel()
		if shorter == 0 {
			if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
				err = fmt.Errorf("%w: %w", launcher.ErrUnavailable, err)
			}
			return err
		}
		<-done //nolint:errcheck // given up, or ended just now: then there is nothing left to stop
		timeout = shorter
	}
}

// orSooner waits for done, or for an ending that leaves less time than timeout, which is returned.
func waitOrFaster(done <-chan error, sooner <-chan StopOptions, timeout time.Duration) (shorter time.Duration, err error) {
	for {
		select {
		case err := <-done:
			return 0, err
		case s := <-sooner:
			if s.timeout() < timeout {
				return s.timeout(), nil
			}
		}
	}
}
