package run

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/fault"
	"github.com/puttrix/trafficinator/controller/internal/launcher"
	"github.com/puttrix/trafficinator/shared/endreason"
	"github.com/puttrix/trafficinator/shared/exchange"
)

const (
	// engineTimeout is how long an engine, or a canceled operation, may take to respond.
	engineTimeout = 5 * time.Second
	// idleRetryInterval is the time between two attempts to publish that a started loadgen idles.
	idleRetryInterval = 5 * time.Second
)

// DeferredError is the error of a stop that waits for the engine; Watch carries it out.
type DeferredError struct {
	// Paused reports that no new visits start meanwhile. Otherwise Cause is why the run could not be paused, nil if no
	// run is in progress.
	Paused bool
	Cause  error
}

// Error implements error.
func (e *DeferredError) Error() string {
	const deferred = "the run is stopped when the engine answers"
	switch {
	case e.Paused:
		return "paused; " + deferred
	case e.Cause != nil:
		return fmt.Sprintf("the run cannot be paused (%v); %s", e.Cause, deferred)
	default:
		return deferred
	}
}

// Unwrap returns its kind.
func (e *DeferredError) Unwrap() error { return fault.Unavailable }

// stopCall is a stop in progress.
type stopCall struct {
	faster  chan StopOptions // receives the options of later calls while it waits for the loadgen
	options StopOptions      // the fastest that were requested; guarded by Manager.mu
	done    chan struct{}    // closed at the end; then result and err are valid
	result  Result
	err     error
}

// Stop stops the current run. It cancels the current operation, which returns ErrStopped. If another Stop is in
// progress, o can only make it faster, and both return the same result. Other failures than those of the stop are
// warnings, and Watch retries them. Errors: *DeferredError and those of Runtime.
func (m *Manager) Stop(ctx context.Context, o StopOptions) (Result, error) {
	m.mu.Lock()
	s := m.stopCall
	if s != nil {
		if o.fasterThan(s.options) {
			s.options = o
		}
		m.mu.Unlock()
		return s.join(ctx, o)
	}
	s = &stopCall{faster: make(chan StopOptions), options: o, done: make(chan struct{})}
	m.stopCall = s
	canceled := m.interrupt != nil
	if canceled {
		m.interrupt(ErrStopped)
	}
	m.mu.Unlock()

	s.result, s.err = m.stop(ctx, s, canceled)
	s.result.Status = m.Status()
	m.mu.Lock()
	m.stopCall = nil
	m.mu.Unlock()
	close(s.done)
	return s.result, s.err
}

// join passes options to a stop in progress and waits for its end.
func (s *stopCall) join(ctx context.Context, o StopOptions) (Result, error) {
	select {
	case s.faster <- o:
	case <-s.done:
	case <-ctx.Done():
		return Result{}, ctx.Err()
	}
	select {
	case <-s.done:
		return s.result, s.err
	case <-ctx.Done():
		return Result{}, ctx.Err()
	}
}

// fastest returns the fastest options that were requested of a stop.
func (m *Manager) fastest(s *stopCall) StopOptions {
	m.mu.Lock()
	defer m.mu.Unlock()
	return s.options
}

func (m *Manager) stop(ctx context.Context, s *stopCall, canceled bool) (r Result, err error) {
	ctx, cancel := context.WithTimeout(ctx, operationTimeout+m.fastest(s).timeout())
	defer cancel()
	timer := time.NewTimer(engineTimeout)
	defer timer.Stop()
	select {
	case <-m.turn:
	case <-timer.C: // the canceled operation hangs
		return r, m.deferStop(ctx, m.fastest(s))
	}
	defer m.endOperation()
	m.update(func(s *Status) { s.Operation = &Operation{"stop", time.Now().UTC()} })

	l, p := m.refresh(ctx)
	if !m.Status().Active() && isSending(p) {
		m.adopt(ctx, l, p)
	}
	switch {
	case !hasEnded(l.State):
		warnings, err := m.end(ctx, l, m.fastest(s), s.faster)
		if errors.Is(err, launcher.ErrUnavailable) {
			err = m.deferStop(ctx, m.fastest(s))
		}
		if err != nil {
			return r, err
		}
		r = m.closeStopped(ctx, p.Run.OpenVisits)
		r.Warnings = warnings
	case canceled && m.Status().Active():
		m.close(ctx, l, "stopped")
		r.Message = "stopped"
	default: // it ended by itself, or the canceled operation had no run
		m.close(ctx, l, "")
		r.Message, r.Unchanged = "no run was in progress", true
	}
	m.clearRetries()
	if err := m.idle(ctx); err != nil {
		m.c.Log.WarnContext(ctx, "cannot publish the stop; retrying", "err", err)
		r.Warnings.Warn(exchange.EnvFile, "",
			fmt.Sprintf("a generator that is started by hand would send again: %v", err),
			"free disk space or fix the permissions; it is retried until it succeeds")
	}
	return r, nil
}

// closeStopped records the end of the stopped run; open is the number of visits that were open before.
func (m *Manager) closeStopped(ctx context.Context, open uint64) Result {
	active := m.Status().Active()
	l, _ := m.refresh(ctx)
	m.close(ctx, l, string(endreason.Killed))
	r := Result{Message: "stopped"}
	if !active {
		return r
	}
	r.VisitsCutOff = open
	if s := m.Status().Run.Summary; s != nil && s.Killed == 0 && !s.Ended.IsZero() {
		r.VisitsCutOff = s.CutVisits
	}
	switch r.VisitsCutOff {
	case 0:
		r.Message = "stopped; no visits were cut off"
	case 1:
		r.Message = "stopped; 1 open visit was cut off"
	default:
		r.Message = fmt.Sprintf("stopped; %d open visits were cut off", r.VisitsCutOff)
	}
	return r
}

// deferStop leaves a stop to Watch because the engine does not answer. Until then no new visits start, and the run even
// finishes: the loadgen reads that from control.json, without the engine.
func (m *Manager) deferStop(ctx context.Context, o StopOptions) error {
	m.mu.Lock()
	m.deferredStop = &o
	m.mu.Unlock()
	e := &DeferredError{}
	if st := m.Status(); st.Active() {
		within := time.Second
		if !o.Now {
			within = o.timeout()
		}
		_, e.Cause = m.steer(st.Run.ID, func(c *exchange.Control) {
			c.Paused, c.FinishSeconds = true, within.Seconds()
		})
		e.Paused = e.Cause == nil
	}
	m.c.Log.WarnContext(ctx, "the stop waits for the engine", "paused", e.Paused, "err", e.Cause)
	return e
}

// clearRetries forgets what Watch would retry: it succeeded, or something else was requested since.
func (m *Manager) clearRetries() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.deferredStop, m.idleFailed = nil, time.Time{}
}

// retry retries a deferred stop, or publishing that a started loadgen idles.
func (m *Manager) retry(ctx context.Context, l launcher.Status) {
	m.mu.Lock()
	deferred, idleFailed := m.deferredStop, m.idleFailed
	m.mu.Unlock()
	switch {
	case deferred != nil && l.State != launcher.Unavailable:
		_, err := m.Stop(ctx, *deferred)
		var again *DeferredError
		if err != nil && !errors.As(err, &again) {
			m.clearRetries()
			m.c.Log.ErrorContext(ctx, "cannot stop the run", "err", err)
		}
	case !idleFailed.IsZero() && time.Since(idleFailed) >= idleRetryInterval:
		ctx, end, err := m.begin(ctx, "stop", 0, make(chan struct{}))
		if err != nil {
			return // the current operation publishes
		}
		defer end()
		if err := m.idle(ctx); err == nil {
			m.c.Log.InfoContext(ctx, "the stop is published now")
		}
	}
}
