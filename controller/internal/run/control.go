package run

import (
	"context"
	"errors"
	"reflect"
	"sync"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
	"github.com/puttrix/trafficinator/controller/internal/store"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/phase"
	"github.com/puttrix/trafficinator/shared/status"
)

// Config of a Control.
type Config struct {
	Port launcher.Port
	// Why says for people why it is this port, and with which engine.
	Why       string
	Publisher Publisher
	*Supervisor
	Probe Probe
	// Draw makes an identity for a run whose settings fix none.
	Draw func() Identity
	// Changed is told every new Status, in order; it must not call the Control.
	Changed func(Status)
	// Seen is told once a second what the loadgen says; nil is that none runs. It must not block.
	Seen func(*status.Snapshot)
	// Patience is how long a loadgen may take to report a new plan; 0 is 30 s.
	Patience time.Duration
}

// Control is the state machine. It is safe for concurrent use.
type Control struct {
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
	owed     *Ending
	restless time.Time
	// looks counts looks at the loadgen, and shown is the latest of which the status is.
	looks, shown uint64

	telling sync.Mutex // orders Changed

	steering sync.Mutex // orders Steer
}

// New makes a Control that knows the last run and ends those of which an end was missed; Watch keeps it informed.
func New(ctx context.Context, c Config) (*Control, error) {
	if c.Patience == 0 {
		c.Patience = 30 * time.Second
	}
	k := &Control{c: c, turn: make(chan struct{}, 1), status: Status{Runtime: c.Port.Name(), RuntimeReason: c.Why}}
	k.turn <- struct{}{}
	return k, k.takeStock(ctx)
}

// Status tells what is known.
func (k *Control) Status() Status {
	k.mu.Lock()
	defer k.mu.Unlock()
	s := k.status
	if s.Run != nil {
		r := *s.Run
		s.Run = &r
	}
	return s
}

// change alters the status and tells of it.
func (k *Control) change(alter func(*Status)) {
	k.telling.Lock()
	defer k.telling.Unlock()
	before := k.Status()
	k.mu.Lock()
	alter(&k.status)
	k.mu.Unlock()
	if after := k.Status(); k.c.Changed != nil && !reflect.DeepEqual(before, after) {
		k.c.Changed(after)
	}
}

// operationTime bounds an operation beside the time that open visits have to end, so that an engine that hangs does not
// keep the turn for ever. The longest, an apply that is put back, takes two waits for a plan and three drains.
const operationTime = 3 * time.Minute

// begin takes the turn for an operation that a person asks for and that may wait so long for open visits, or says who
// has it. One that the controller began by itself, such as to book the end of a run, it lets end first, for answerTime
// at most. The context it returns is the operation's own; a stop ends it with the cause ErrStopped.
func (k *Control) begin(ctx context.Context, name string, finishing time.Duration) (_ context.Context, end func(),
	err error) {
	patience := time.NewTimer(answerTime)
	defer patience.Stop()
	for {
		own, end, err := k.tryBegin(ctx, name, finishing, nil)
		var busy *Busy
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
func (k *Control) beginOwn(ctx context.Context, name string) (_ context.Context, end func(), err error) {
	return k.tryBegin(ctx, name, 0, make(chan struct{}))
}

func (k *Control) tryBegin(ctx context.Context, name string, finishing time.Duration,
	brief chan struct{}) (_ context.Context, end func(), err error) {
	k.mu.Lock()
	if err := k.take(name); err != nil {
		k.mu.Unlock()
		return ctx, nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, operationTime+finishing)
	ctx, k.interrupt = context.WithCancelCause(ctx)
	k.brief = brief
	k.mu.Unlock()
	k.change(func(s *Status) { s.Operation = &Operation{name, time.Now().UTC()} })
	return ctx, func() {
		cancel()
		k.finished()
	}, nil
}

// take takes the turn; the caller holds mu.
func (k *Control) take(name string) error {
	if k.stopping != nil {
		return &Busy{Operation: Operation{"stop", time.Now().UTC()}}
	}
	select {
	case <-k.turn:
		return nil
	default:
	}
	if o := k.status.Operation; o != nil {
		return &Busy{*o, k.brief}
	}
	return &Busy{Operation{name, time.Now().UTC()}, k.brief}
}

// finished gives the turn back.
func (k *Control) finished() {
	k.change(func(s *Status) { s.Operation = nil })
	k.mu.Lock()
	if k.interrupt != nil {
		k.interrupt(nil)
		k.interrupt = nil
	}
	if k.brief != nil {
		close(k.brief)
		k.brief = nil
	}
	k.turn <- struct{}{} // it has room for the one token
	k.mu.Unlock()
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
func (k *Control) refresh(ctx context.Context) (launcher.Status, Plan) {
	k.mu.Lock()
	k.looks++
	number := k.looks
	k.mu.Unlock()
	l := k.c.Port.Status(ctx)
	var p Plan
	switch {
	case l.State != launcher.Running:
	case l.Telemetry != "":
		// A loadgen that does not answer is one that comes up or goes down; its phase is empty then.
		var err error
		if p, err = k.c.Probe(ctx, l.Telemetry); errors.Is(err, launcher.ErrVersion) {
			l.Reason = err.Error()
		}
	default:
		p = k.byLedger(l)
	}
	var steering exchange.Control
	if st := k.Status(); st.Active() {
		steering = k.c.Publisher.Steering(st.Run.ID) // people may write that file too
		if (steering.Paused || steering.Scale != 1) && !st.Run.Steered {
			k.steered(ctx, st.Run.ID)
		}
	}
	k.change(func(s *Status) {
		if number < k.shown {
			return
		}
		k.shown = number
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
func (k *Control) steered(ctx context.Context, id string) {
	if err := k.c.Repository.MarkSteered(ctx, id); err != nil {
		k.c.Log.Error("it cannot be recorded that the run was steered", "run_id", id, "err", err)
	}
	k.change(func(s *Status) {
		if s.Run != nil && s.Run.ID == id {
			r := *s.Run
			r.Steered = true
			s.Run = &r
		}
	})
}

// open makes r the current run and records it.
func (k *Control) open(ctx context.Context, r store.Run) {
	_ = k.c.Record(ctx, r) // it is tried again: what cannot be written must not end a run
	k.change(func(s *Status) { s.Run = &r })
}

// close records the end of the current run, if one is running. instead is the reason where the ledger tells none.
func (k *Control) close(ctx context.Context, l launcher.Status, instead string) {
	st := k.Status()
	if !st.Active() {
		return
	}
	_ = k.c.Close(ctx, st.Run, l, instead, k.c.Port.Logs) // it is tried again
	k.change(func(s *Status) { s.Run = st.Run })
}

// byLedger is what the ledger of the current run tells of a loadgen whose telemetry cannot be reached from here. One
// that idles has none.
func (k *Control) byLedger(l launcher.Status) Plan {
	st := k.Status()
	if !st.Active() {
		return Plan{}
	}
	r, err := k.c.Ledger(st.Run.ID)
	if err != nil || r.Started.Before(l.Started) || !r.Ended.IsZero() {
		return Plan{} // of an earlier life, or of one that ends
	}
	return PlanOf(&status.Snapshot{Phase: phase.Running, Life: r.Started, Run: *r})
}
