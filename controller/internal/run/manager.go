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
	stopping  *stopping
	// brief is closed at the end of the operation that has the turn, where the controller itself began it; nil else.
	brief chan struct{}
	// owed is a stop that could not be carried out yet, nil for none. restless is when it was tried last to publish
	// that the loadgen shall idle, zero where that succeeded.
	owed     *StopOptions
	restless time.Time
	// looks counts looks at the loadgen, and shown is the latest of which the status is.
	looks, shown uint64

	telling sync.Mutex // orders Changed

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
	return m, m.takeStock(ctx)
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
func (m *Manager) change(alter func(*Status)) {
	m.telling.Lock()
	defer m.telling.Unlock()
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
const operationTime = 3 * time.Minute

// begin takes the turn for an operation that a person asks for and that may wait so long for open visits, or says who
// has it. One that the controller began by itself, such as to book the end of a run, it lets end first, for answerTime
// at most. The context it returns is the operation's own; a stop ends it with the cause ErrStopped.
func (m *Manager) begin(ctx context.Context, name string, finishing time.Duration) (_ context.Context, end func(),
	err error) {
	patience := time.NewTimer(answerTime)
	defer patience.Stop()
	for {
		own, end, err := m.tryBegin(ctx, name, finishing, nil)
		var busy *BusyError
		if !errors.As(err, &busy) || busy.brief == nil {
			return own, end, err
		}
		select {
		case <-busy.brief:
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
	if err := m.take(name); err != nil {
		m.mu.Unlock()
		return ctx, nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, operationTime+finishing)
	ctx, m.interrupt = context.WithCancelCause(ctx)
	m.brief = brief
	m.mu.Unlock()
	m.change(func(s *Status) { s.Operation = &Operation{name, time.Now().UTC()} })
	return ctx, func() {
		cancel()
		m.finished()
	}, nil
}

// take takes the turn; the caller holds mu.
func (m *Manager) take(name string) error {
	if m.stopping != nil {
		return &BusyError{Operation: Operation{"stop", time.Now().UTC()}}
	}
	select {
	case <-m.turn:
		return nil
	default:
	}
	if o := m.status.Operation; o != nil {
		return &BusyError{*o, m.brief}
	}
	return &BusyError{Operation{name, time.Now().UTC()}, m.brief}
}

// finished gives the turn back.
func (m *Manager) finished() {
	m.change(func(s *Status) { s.Operation = nil })
	m.mu.Lock()
	if m.interrupt != nil {
		m.interrupt(nil)
		m.interrupt = nil
	}
	if m.brief != nil {
		close(m.brief)
		m.brief = nil
	}
	m.turn <- struct{}{} // it has room for the one token
	m.mu.Unlock()
}

// stopped tells whether a stop has interrupted the operation of ctx.
func stopped(ctx context.Context) bool { return errors.Is(context.Cause(ctx), ErrStopped) }

// givenUp is the error of an operation: ErrStopped where a stop has interrupted it.
func givenUp(ctx context.Context, err error) error {
	if err != nil && stopped(ctx) {
		return ErrStopped
	}
	return err
}

// refresh asks the port and the loadgen how they are. Of looks that overlap the one that began last stays in the
// status, because one that waits for a loadgen's last answer ends after one that has seen it gone.
func (m *Manager) refresh(ctx context.Context) (launcher.Status, LoadgenStatus) {
	m.mu.Lock()
	m.looks++
	number := m.looks
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
		p = m.byLedger(l)
	}
	var steering exchange.Control
	if st := m.Status(); st.Active() {
		steering = m.c.Publisher.Steering(st.Run.ID) // people may write that file too
		if (steering.Paused || steering.Scale != 1) && !st.Run.Steered {
			m.steered(ctx, st.Run.ID)
		}
	}
	m.change(func(s *Status) {
		if number < m.shown {
			return
		}
		m.shown = number
		s.Since = since(s, l, time.Now())
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
func since(before *Status, l launcher.Status, now time.Time) time.Time {
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
func (m *Manager) steered(ctx context.Context, id string) {
	if err := m.c.Repository.MarkSteered(ctx, id); err != nil {
		m.c.Log.Error("it cannot be recorded that the run was steered", "run_id", id, "err", err)
	}
	m.change(func(s *Status) {
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
	m.change(func(s *Status) { s.Run = &r })
}

// close records the end of the current run, if one is running. instead is the reason where the ledger tells none.
func (m *Manager) close(ctx context.Context, l launcher.Status, instead string) {
	st := m.Status()
	if !st.Active() {
		return
	}
	_ = m.c.Close(ctx, st.Run, l, instead, m.c.Runtime.Logs) // it is tried again
	m.change(func(s *Status) { s.Run = st.Run })
}

// byLedger is what the ledger of the current run tells of a loadgen whose telemetry cannot be reached from here. One
// that idles has none.
func (m *Manager) byLedger(l launcher.Status) LoadgenStatus {
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
