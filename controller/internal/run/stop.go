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
	// answerTime is how long an engine, or an operation that a stop interrupts, may take to answer.
	engineTimeout = 5 * time.Second
	// retryTime is the pause between two tries to publish that the loadgen shall idle.
	retryInterval = 5 * time.Second
)

// ErrStopped is the error of an operation that was given up because a stop was asked for.
var ErrStopped = fault.Conflict.New("given up because a stop was requested")

// Deferred is the error of a stop that waits for the engine; Watch carries it out.
type DeferredError struct {
	// Paused says that no visit begins meanwhile. Where it is false, Cause says why the run could not be paused; it is
	// nil where no run goes on.
	Paused bool
	Cause  error
}

// Error implements error.
func (d *DeferredError) Error() string {
	switch {
	case d.Paused:
		return "paused; the stop is carried out when the engine answers"
	case d.Cause != nil:
		return fmt.Sprintf("the run cannot be paused (%v); the stop is carried out when the engine answers", d.Cause)
	default:
		return "the stop is carried out when the engine answers"
	}
}

// Unwrap is its kind.
func (d *DeferredError) Unwrap() error { return fault.Unavailable }

// stopping is a stop under way.
type stopCall struct {
	// sooner reaches it while it waits for the loadgen.
	faster chan StopOptions
	// how is the quickest ending that was asked for; mu of the Manager guards it.
	options StopOptions
	// done is closed at its end; result and err are valid from then on.
	done   chan struct{}
	result Result
	err    error
}

// Stop ends the run that goes on. It interrupts whatever operation is under way, which then ends with ErrStopped; a
// stop that is under way is made quicker where how leaves less time, and both have the same result. What fails beside
// the end itself is a warning in the result and is tried again by Watch. Errors: *DeferredError and those of the port.
func (m *Manager) Stop(ctx context.Context, how StopOptions) (Result, error) {
	m.mu.Lock()
	s := m.pendingStopCall
	if s != nil {
		if how.fasterThan(s.options) {
			s.options = how
		}
		m.mu.Unlock()
		return s.join(ctx, how)
	}
	s = &stopCall{faster: make(chan StopOptions), options: how, done: make(chan struct{})}
	m.pendingStopCall = s
	interrupted := m.interrupt != nil
	if interrupted {
		m.interrupt(ErrStopped)
	}
	m.mu.Unlock()

	s.result, s.err = m.stop(ctx, s, interrupted)
	m.mu.Lock()
	m.pendingStopCall = nil
	m.mu.Unlock()
	close(s.done)
	return s.result, s.err
}

// join makes a stop that is under way quicker, as far as how leaves less time, and waits for its end.
func (s *stopCall) join(ctx context.Context, how StopOptions) (Result, error) {
	select {
	case s.faster <- how:
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

// quickest is the ending of a stop that leaves the least time of those that were asked for.
func (m *Manager) fastest(s *stopCall) StopOptions {
	m.mu.Lock()
	defer m.mu.Unlock()
	return s.options
}

func (m *Manager) stop(ctx context.Context, s *stopCall, interrupted bool) (Result, error) {
	ctx, cancel := context.WithTimeout(ctx, operationTimeout+m.fastest(s).timeout())
	defer cancel()
	patience := time.NewTimer(engineTimeout)
	defer patience.Stop()
	select {
	case <-m.turn:
	case <-patience.C: // what was interrupted hangs
		return Result{}.withStatus(m), m.deferStop(ctx, m.fastest(s))
	}
	defer m.endOperation()
	m.update(func(s *Status) { s.Operation = &Operation{"stop", time.Now().UTC()} })

	l, p := m.refresh(ctx)
	if !m.Status().Active() && isSending(p) {
		m.attachRunning(ctx, l, p)
	}
	var r Result
	switch {
	case !hasEnded(l.State):
		warnings, err := m.end(ctx, l, m.fastest(s), s.faster)
		if errors.Is(err, launcher.ErrUnavailable) {
			return Result{}.withStatus(m), m.deferStop(ctx, m.fastest(s))
		}
		if err != nil {
			return Result{}.withStatus(m), err
		}
		r = m.closeStopped(ctx, p.OpenVisits)
		r.Warnings = warnings
	case interrupted && m.Status().Active():
		m.close(ctx, l, "stopped")
		r.Message = "stopped"
	default: // it ended by itself, or what was interrupted had no run
		m.close(ctx, l, "")
		r.Message, r.Unchanged = "nothing was running", true
	}
	m.clearRetries()
	if err := m.idle(ctx); err != nil {
		m.c.Log.WarnContext(ctx, "the loadgen would not idle when it is started by hand; this is tried again",
			"err", err)
		r.Warnings.Warn(exchange.EnvFile, "",
			fmt.Sprintf("the generator would send again where it is started by hand: %v", err),
			"make room or give access; it is tried again until it succeeds")
	}
	return r.withStatus(m), nil
}

// closeStopped books the end of the run that was stopped. open is how many visits were open before.
func (m *Manager) closeStopped(ctx context.Context, open uint64) Result {
	active := m.Status().Active()
	l, _ := m.refresh(ctx)
	m.close(ctx, l, string(endreason.Killed))
	r := Result{Message: "stopped"}
	if !active {
		return r
	}
	switch s := m.Status().Run.Summary; {
	case s != nil && s.Killed == 0 && !s.Ended.IsZero():
		r.VisitsCutOff = s.CutVisits
	default: // it was killed
		r.VisitsCutOff = open
	}
	switch r.VisitsCutOff {
	case 0:
		r.Message = "stopped; no visit was cut off"
	case 1:
		r.Message = "stopped; 1 open visit was cut off"
	default:
		r.Message = fmt.Sprintf("stopped; %d open visits were cut off", r.VisitsCutOff)
	}
	return r
}

// putOff keeps a stop for Watch to carry out, because the engine does not answer. Until then no visit begins: the
// loadgen reads that from its file, without the engine, and even ends by it.
func (m *Manager) deferStop(ctx context.Context, how StopOptions) error {
	m.mu.Lock()
	m.deferredStop = &how
	m.mu.Unlock()
	d := &DeferredError{}
	if st := m.Status(); st.Active() {
		within := time.Second
		if !how.Now {
			within = how.timeout()
		}
		_, d.Cause = m.steer(st.Run.ID, func(c *exchange.Control) {
			c.Paused, c.FinishSeconds = true, within.Seconds()
		})
		d.Paused = d.Cause == nil
	}
	m.c.Log.WarnContext(ctx, "the stop waits for the engine", "paused", d.Paused, "err", d.Cause)
	return d
}

// settled forgets what a stop could not do: it is done, or something else was asked for since.
func (m *Manager) clearRetries() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.deferredStop, m.idleFailed = nil, time.Time{}
}

// settle does what a stop could not: to end the loadgen, because the engine did not answer, or to publish that it shall
// idle.
func (m *Manager) retry(ctx context.Context, l launcher.Status) {
	m.mu.Lock()
	owed, restless := m.deferredStop, m.idleFailed
	m.mu.Unlock()
	switch {
	case owed != nil && l.State != launcher.Unavailable:
		_, err := m.Stop(ctx, *owed)
		var deferred *DeferredError
		if err != nil && !errors.As(err, &deferred) {
			m.clearRetries()
			m.c.Log.ErrorContext(ctx, "the stop cannot be carried out", "err", err)
		}
	case !restless.IsZero() && time.Since(restless) >= retryInterval:
		ctx, end, err := m.beginOwn(ctx, "stop")
		if err != nil {
			return // whoever is at work publishes
		}
		defer end()
		if err := m.idle(ctx); err == nil {
			m.c.Log.InfoContext(ctx, "a loadgen that is started by hand idles from now on")
		}
	}
}
