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

// Config of a Manager.
type Config struct {
	Runtime launcher.Runtime
	// Why says for people why it is this port, and with which engine.
	RuntimeReason string
	Publisher     Publisher
	*Supervisor
	Probe Probe
	// Draw makes an identity for a run whose settings fix none.
	NewIdentity func() Identity
	// Changed is told every new Status, in order; it must not call the Manager.
	OnChange func(Status)
	// Seen is told once a second what the loadgen says; nil is that none runs. It must not block.
	OnSnapshot func(*status.Snapshot)
	// Patience is how long a loadgen may take to report a new plan; 0 is 30 s.
	StartTimeout time.Duration
}

// Manager runs one loadgen at a time and records its runs. It is safe for concurrent use.
type Manager struct {
	c Config
	// turn holds one token: who has it changes things.
	turn chan struct{}

	mu     sync.Mutex // guards what follows
	status Status
	// interrupt ends the operation that has the turn, nil for none, and stopping is a stop that waits for the turn or
	// has it.
	interrupt context.CancelCauseFunc
	pendingStopCall  *stopCall
	// brief is closed at the end of the operation that has the turn, where the controller itself began it; nil else.
	ownOperation chan struct{}
	// owed is a stop that could not be carried out yet, nil for none. restless is when it was tried last to publish
	// that the loadgen shall idle, zero where that succeeded.
	deferredStop     *StopOptions
	idleFailed time.Time
	// looks counts looks at the loadgen, and shown is the latest of which the status is.
	refreshes, newestRefresh uint64

	notifying sync.Mutex // orders Changed

	steering sync.Mutex // orders Steer
}

// New makes a Manager that knows the last run and ends those of which an end was missed; Watch keeps it informed.
func New(ctx context.Context, c Config) (*Manager, error) {
	if c.StartTimeout == 0 {
		c.StartTimeout = 30 * time.Second
	}
	m := &Manager{
		c:      c,
		turn:   make(chan struct{}, 1),
		status: Status{Runtime: c.Runtime.Name(), RuntimeReason: c.RuntimeReason},
	}
	m.turn <- struct{}{}
	return m, m.adoptLastRun(ctx)
}

// Status tells what is known.
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

// change alters the status and tells of it.
func (m *Manager) update(alter func(*Status)) {
	m.notifying.Lock()
	defer m.notifying.Unlock()
	before := m.Status()
	m.mu.Lock()
	alter(&m.status)
	m.mu.Unlock()
	if after := m.Status(); m.c.OnChange != nil && !reflect.DeepEqual(before, after) {
		m.c.OnChange(after)
	}
}

// operationTime bounds an operation beside the time that open visits have to end, so that an engine that hangs does not
// keep the turn for ever. The longest, an apply that is put back, takes two waits for a plan and three drains.
const operationTimeout = 3 * time.Minute

// begin takes the turn for an operation that a person asks for and that may wait so long for open visits, or says who
// has it. One that the controller began by itself, such as to book the end of a run, it lets end first, for answerTime
// at most. The context it returns is the operation's own; a stop ends it with the cause ErrStopped.
func (m *Manager) begin(ctx context.Context, name string, finishing time.Duration) (_ context.Context, end func(),
	err error) {
	patience := time.NewTimer(engineTimeout)
	defer patience.Stop()
	for {
		own, end, err := m.tryBegin(ctx, name, finishing, nil)
		var busy *BusyError
		if !errors.As(err, &busy) || busy.ownOperation == nil {
			return own, end, err
		}
		select {
		case <-busy.ownOperation:
		case <-patience.C:
			return ctx, nil, err
		case <-ctx.Done():
			return ctx, nil, ctx.Err()
		}
	}
}

// beginOwn is begin for an operation that the controller begins by itself: it is refused while another goes on.
func (m *Manager) beginOwn(ctx context.Context, name string) (_ context.Context, end func(), err error) {
	return m.tryBegin(ctx, name, 0, make(chan struct{}))
}

func (m *Manager) tryBegin(ctx context.Context, name string, finishing time.Duration,
	brief chan struct{}) (_ context.Context, end func(), err error) {
	m.mu.Lock()
	if err := m.takeTurn(name); err != nil {
		m.mu.Unlock()
		return ctx, nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, operationTimeout+finishing)
	ctx, m.interrupt = context.WithCancelCause(ctx)
	m.ownOperation = brief
	m.mu.Unlock()
	m.update(func(s *Status) { s.Operation = &Operation{name, time.Now().UTC()} })
	return ctx, func() {
		cancel()
		m.endOperation()
	}, nil
}

// take takes the turn; the caller holds mu.
func (m *Manager) takeTurn(name string) error {
	if m.pendingStopCall != nil {
		return &BusyError{Operation: Operation{"stop", time.Now().UTC()}}
	}
	select {
	case <-m.turn:
		return nil
	default:
	}
	if o := m.status.Operation; o != nil {
		return &BusyError{*o, m.ownOperation}
	}
	return &BusyError{Operation{name, time.Now().UTC()}, m.ownOperation}
}

// finished gives the turn back.
func (m *Manager) endOperation() {
	m.update(func(s *Status) { s.Operation = nil })
	m.mu.Lock()
	if m.interrupt != nil {
		m.interrupt(nil)
		m.interrupt = nil
	}
	if m.ownOperation != nil {
		close(m.ownOperation)
		m.ownOperation = nil
	}
	m.turn <- struct{}{} // it has room for the one token
	m.mu.Unlock()
}

// stopped tells whether a stop has interrupted the operation of ctx.
func wasStopped(ctx context.Context) bool { return errors.Is(context.Cause(ctx), ErrStopped) }

// givenUp is the error of an operation: ErrStopped where a stop has interrupted it.
func stopError(ctx context.Context, err error) error {
	if err != nil && wasStopped(ctx) {
		return ErrStopped
	}
	return err
}

// refresh asks the port and the loadgen how they are. Of looks that overlap the one that began last stays in the
// status, because one that waits for a loadgen's last answer ends after one that has seen it gone.
func (m *Manager) refresh(ctx context.Context) (launcher.Status, LoadgenStatus) {
	m.mu.Lock()
	m.refreshes++
	number := m.refreshes
	m.mu.Unlock()
	l := m.c.Runtime.Status(ctx)
	var p LoadgenStatus
	switch {
	case l.State != launcher.Running:
	case l.Telemetry != "":
		// A loadgen that does not answer is one that comes up or goes down; its phase is empty then.
		var err error
		if p, err = m.c.Probe(ctx, l.Telemetry); errors.Is(err, launcher.ErrVersionMismatch) {
			l.Reason = err.Error()
		}
	default:
		p = m.statusFromLedger(l)
	}
	var steering exchange.Control
	if st := m.Status(); st.Active() {
		steering = m.c.Publisher.Steering(st.Run.ID) // people may write that file too
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
		if !p.FinishBy.IsZero() && p.Phase != phase.Ended {
			s.Finish = &Finish{p.FinishBy, p.OpenVisits}
		}
		if s.Active() && s.Run.ID == steering.RunID {
			s.Steering = steering
		}
	})
	return l, p
}

// since is when a loadgen that runs was started, as a moment of now's clock: so long ago as it was when it was seen
// first, whatever the wall clock shows since. A look at an engine that did not answer in between does not count.
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

// steered remembers that the current run does not follow its plan alone.
func (m *Manager) markSteered(ctx context.Context, id string) {
	if err := m.c.Repository.MarkSteered(ctx, id); err != nil {
		m.c.Log.Error("it cannot be recorded that the run was steered", "run_id", id, "err", err)
	}
	m.update(func(s *Status) {
		if s.Run != nil && s.Run.ID == id {
			r := *s.Run
			r.Steered = true
			s.Run = &r
		}
	})
}

// open makes r the current run and records it.
func (m *Manager) open(ctx context.Context, r record.Run) {
	_ = m.c.Record(ctx, r) // it is tried again: what cannot be written must not end a run
	m.update(func(s *Status) { s.Run = &r })
}

// close records the end of the current run, if one is running. instead is the reason where the ledger tells none.
func (m *Manager) close(ctx context.Context, l launcher.Status, instead string) {
	st := m.Status()
	if !st.Active() {
		return
	}
	_ = m.c.Close(ctx, st.Run, l, instead, m.c.Runtime.Logs) // it is tried again
	m.update(func(s *Status) { s.Run = st.Run })
}

// byLedger is what the ledger of the current run tells of a loadgen whose telemetry cannot be reached from here. One
// that idles has none.
func (m *Manager) statusFromLedger(l launcher.Status) LoadgenStatus {
	st := m.Status()
	if !st.Active() {
		return LoadgenStatus{}
	}
	r, err := m.c.Ledger(st.Run.ID)
	if err != nil || r.Started.Before(l.Started) || !r.Ended.IsZero() {
		return LoadgenStatus{} // of an earlier life, or of one that ends
	}
	return StatusOf(&status.Snapshot{Phase: phase.Running, Life: r.Started, Run: *r})
}
