package run

import (
	"context"
	"errors"
	"reflect"
	"sync"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
	"github.com/puttrix/trafficinator/controller/internal/record"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/phase"
	"github.com/puttrix/trafficinator/shared/status"
)

// Config configures a Manager.
type Config struct {
	Runtime       launcher.Runtime
	RuntimeReason string // see Status
	Publisher     Publisher
	*Supervisor
	Probe Probe
	// NewIdentity returns the identity of a run whose settings have none.
	NewIdentity func() Identity
	// OnChange is called with every new Status, in order. It must not call the Manager.
	OnChange func(Status)
	// OnSnapshot is called once a second with the loadgen's status, nil if none runs. It must not block.
	OnSnapshot func(*status.Snapshot)
	// StartTimeout is how long a loadgen may take to report a new plan; 0 is 30 s.
	StartTimeout time.Duration
}

// Manager runs one loadgen at a time and records its runs. It is safe for concurrent use.
type Manager struct {
	c Config
	// turn holds one token; operations take it.
	turn chan struct{}

	mu     sync.Mutex // guards what follows
	status Status
	// The following are nil or zero for none.
	interrupt    context.CancelCauseFunc // cancels the operation that has the turn
	stopCall     *stopCall               // the stop that has the turn or waits for it
	ownDone      chan struct{}           // closed when the operation ends, if the controller started it
	deferredStop *StopOptions            // a stop to retry
	idleFailed   time.Time               // the last failure to publish that a started loadgen idles
	// refreshes counts refreshes; newestRefresh is the one that set the status.
	refreshes, newestRefresh uint64

	notifying sync.Mutex // orders OnChange
	steering  sync.Mutex // orders changes of control.json
}

// New returns a Manager that continues with the last run, and closes earlier runs that were left open.
func New(ctx context.Context, c Config) (*Manager, error) {
	if c.StartTimeout == 0 {
		c.StartTimeout = 30 * time.Second
	}
	m := &Manager{c: c, turn: make(chan struct{}, 1),
		status: Status{Runtime: c.Runtime.Name(), RuntimeReason: c.RuntimeReason}}
	m.turn <- struct{}{}
	return m, m.adoptLastRun(ctx)
}

// Status returns the current status.
func (m *Manager) Status() Status {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.status
	if s.Run != nil {
		r := *s.Run
		s.Run = &r
	}
	return s
}

// update changes the status and reports the change.
func (m *Manager) update(change func(*Status)) {
	m.notifying.Lock()
	defer m.notifying.Unlock()
	before := m.Status()
	m.mu.Lock()
	change(&m.status)
	m.mu.Unlock()
	if after := m.Status(); m.c.OnChange != nil && !reflect.DeepEqual(before, after) {
		m.c.OnChange(after)
	}
}

// operationTimeout limits an operation, besides the time for open visits, so that a hanging engine does not block the
// turn forever. The longest operation, an apply that is rolled back, waits for two starts and three drains.
const operationTimeout = 3 * time.Minute

// operate takes the turn for an operation that a person requested, which may wait finishing for open visits; if it is
// taken, the error is a *BusyError. It waits up to engineTimeout for an operation that the controller started. A stop
// cancels the operation's context, and its error is ErrStopped then.
func (m *Manager) operate(ctx context.Context, name string, finishing time.Duration,
	do func(context.Context) (Result, error)) (Result, error) {
	timer := time.NewTimer(engineTimeout)
	defer timer.Stop()
	for {
		opCtx, end, err := m.begin(ctx, name, finishing, nil)
		if err == nil {
			defer end()
			r, err := do(opCtx)
			if err != nil && wasStopped(opCtx) {
				err = ErrStopped
			}
			r.Status = m.Status()
			return r, err
		}
		var busy *BusyError
		if !errors.As(err, &busy) || busy.done == nil {
			return Result{}, err
		}
		select {
		case <-busy.done:
		case <-timer.C:
			return Result{}, err
		case <-ctx.Done():
			return Result{}, ctx.Err()
		}
	}
}

// begin takes the turn, or returns a *BusyError. ownDone is not nil for an operation that the controller starts by
// itself.
func (m *Manager) begin(ctx context.Context, name string, finishing time.Duration,
	ownDone chan struct{}) (_ context.Context, end func(), err error) {
	m.mu.Lock()
	if err := m.takeTurn(name); err != nil {
		m.mu.Unlock()
		return ctx, nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, operationTimeout+finishing)
	ctx, m.interrupt = context.WithCancelCause(ctx)
	m.ownDone = ownDone
	m.mu.Unlock()
	m.update(func(s *Status) { s.Operation = &Operation{name, time.Now().UTC()} })
	return ctx, func() {
		cancel()
		m.endOperation()
	}, nil
}

// takeTurn takes the turn. The caller holds mu.
func (m *Manager) takeTurn(name string) error {
	if m.stopCall != nil {
		return &BusyError{Operation: Operation{"stop", time.Now().UTC()}}
	}
	select {
	case <-m.turn:
		return nil
	default:
	}
	if o := m.status.Operation; o != nil {
		return &BusyError{*o, m.ownDone}
	}
	return &BusyError{Operation{name, time.Now().UTC()}, m.ownDone}
}

// endOperation returns the turn.
func (m *Manager) endOperation() {
	m.update(func(s *Status) { s.Operation = nil })
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.interrupt != nil {
		m.interrupt(nil)
		m.interrupt = nil
	}
	if m.ownDone != nil {
		close(m.ownDone)
		m.ownDone = nil
	}
	m.turn <- struct{}{} // never blocks
}

// wasStopped reports whether a stop canceled the operation of ctx.
func wasStopped(ctx context.Context) bool { return errors.Is(context.Cause(ctx), ErrStopped) }

// refresh gets the status of the runtime and of the loadgen, which is empty if the loadgen does not answer. Of
// overlapping refreshes the one that started last sets the Status: an earlier one may wait for the last answer of a
// loadgen until after that.
func (m *Manager) refresh(ctx context.Context) (launcher.Status, *status.Snapshot) {
	m.mu.Lock()
	m.refreshes++
	number := m.refreshes
	m.mu.Unlock()
	l := m.c.Runtime.Status(ctx)
	p := new(status.Snapshot)
	switch {
	case l.State != launcher.Running:
	case l.Telemetry == "":
		p = m.statusFromLedger(l)
	default:
		answer, err := m.c.Probe(ctx, l.Telemetry)
		switch {
		case err == nil:
			p = answer
		case errors.Is(err, launcher.ErrVersionMismatch):
			l.Reason = err.Error()
		} // otherwise it is starting or ending
	}
	var steering exchange.Control
	if st := m.Status(); st.Active() {
		steering = m.c.Publisher.Steering(st.Run.ID) // people can edit the file
		if (steering.Paused || steering.Scale != 1) && !st.Run.Steered {
			m.markSteered(ctx, st.Run.ID)
		}
	}
	m.update(func(s *Status) {
		if number < m.newestRefresh {
			return
		}
		m.newestRefresh = number
		s.Since = startedAt(s, l, time.Now())
		s.Loadgen, s.Phase, s.Pause, s.Finish = l, p.Phase, p.Pause, nil
		if !p.Run.FinishBy.IsZero() && p.Phase != phase.Ended {
			s.Finish = &Finish{p.Run.FinishBy, p.Run.OpenVisits}
		}
		if s.Active() && s.Run.ID == steering.RunID {
			s.Steering = steering
		}
	})
	return l, p
}

// startedAt returns when the running loadgen was started, as a monotonic time: its age is measured by the wall clock
// only once. A status without an answer of the engine does not count.
func startedAt(before *Status, l launcher.Status, now time.Time) time.Time {
	switch {
	case l.State == launcher.Unavailable:
		return before.Since
	case l.State != launcher.Running || l.Started.IsZero():
		return time.Time{}
	case before.Since.IsZero() || before.Loadgen.State == launcher.Running && !before.Loadgen.Started.Equal(l.Started):
		return now.Add(-max(0, now.Sub(l.Started)))
	default:
		return before.Since
	}
}

// markSteered records that a person changed the rate of the current run.
func (m *Manager) markSteered(ctx context.Context, id string) {
	if err := m.c.Repository.MarkSteered(ctx, id); err != nil {
		m.c.Log.Error("cannot record that the run was steered", "run_id", id, "err", err)
	}
	m.update(func(s *Status) {
		if s.Run != nil && s.Run.ID == id {
			r := *s.Run
			r.Steered = true
			s.Run = &r
		}
	})
}

// open records r and makes it the current run.
func (m *Manager) open(ctx context.Context, r record.Run) {
	_ = m.c.Record(ctx, r) // is retried: a failed write must not end a run
	m.update(func(s *Status) { s.Run = &r })
}

// close records the end of the current run, if there is one. fallback is the reason if its ledger has none.
func (m *Manager) close(ctx context.Context, l launcher.Status, fallback string) {
	st := m.Status()
	if !st.Active() {
		return
	}
	_ = m.c.Close(ctx, st.Run, l, fallback, m.c.Runtime) // is retried
	m.update(func(s *Status) { s.Run = st.Run })
}

// statusFromLedger returns the status of a loadgen whose telemetry is unreachable by the ledger of its run. An idle
// loadgen has no ledger.
func (m *Manager) statusFromLedger(l launcher.Status) *status.Snapshot {
	st := m.Status()
	if !st.Active() {
		return new(status.Snapshot)
	}
	r, err := m.c.Ledger(st.Run.ID)
	if err != nil || r.Started.Before(l.Started) || !r.Ended.IsZero() {
		return new(status.Snapshot) // of an earlier process, or of one that is ending
	}
	return &status.Snapshot{Phase: phase.Running, Life: r.Started, Run: *r}
}
