package run

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/host"
	"github.com/puttrix/trafficinator/loadgen/internal/ledger"
	"github.com/puttrix/trafficinator/loadgen/internal/plan"
	"github.com/puttrix/trafficinator/loadgen/internal/routing"
	"github.com/puttrix/trafficinator/loadgen/internal/sender"
	"github.com/puttrix/trafficinator/loadgen/internal/standstill"
	"github.com/puttrix/trafficinator/loadgen/internal/state"
	"github.com/puttrix/trafficinator/loadgen/internal/stop"
	"github.com/puttrix/trafficinator/shared/endreason"
	"github.com/puttrix/trafficinator/shared/phase"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/runsummary"
	"github.com/puttrix/trafficinator/shared/threshold"
)

// Mode is one kind of run. Prepare, Run and Close are called once each, in this order; the others from any goroutine
// once Prepare has returned without an error.
type Mode interface {
	// Prepare determines where the run starts. Errors among the problems reject it before anything is sent.
	Prepare(ctx context.Context) (Prepared, problem.List)
	// Run sends until all is sent or drain is done, and then waits for requests in flight, which abort breaks off.
	Run(drain, abort context.Context) End
	State() State
	// Ahead returns a visit number that will not be reached within two seconds, or 0 if Prepare reserved all.
	Ahead() uint64
	// Fill adds the fields of this kind to a summary. Calls with a NextVisit are not concurrent.
	Fill(sum *runsummary.Summary)
	// Close releases what Prepare acquired, whatever it returned.
	Close() error
}

// Prepared is where a run starts and how it is evaluated.
type Prepared struct {
	// HasLedger is false for a run that records nothing.
	HasLedger bool
	// First is the number of the first visit. Visits below Next may start.
	First, Next uint64
	// Started is the first start of the run, and PriorDuration its duration before this one.
	Started       time.Time
	PriorDuration time.Duration
	// Thresholds decide whether the run passes; Stop may end it early.
	Thresholds []threshold.Threshold
	Stop       stop.Conditions
	// Series enables a time series in the HTML export.
	Series bool
}

// End is how a run ended.
type End struct {
	Reason  endreason.Reason
	Message string // explains an unrequested end
}

// State is the current state of a run.
type State struct {
	Phase phase.Phase
	// Pause is why no visits start, one of package metric, or "".
	Pause string
}

var modes = map[string]func(*deps) Mode{
	runsummary.Live:           func(d *deps) Mode { return &liveMode{deps: d} },
	runsummary.CapacitySearch: func(d *deps) Mode { return &searchMode{liveMode: liveMode{deps: d}} },
	runsummary.BackfillJob:    func(d *deps) Mode { return &backfillMode{deps: d} },
}

type deps struct {
	host   host.Host
	plan   *plan.Plan
	log    *slog.Logger
	ledger *ledger.Ledger
	router *routing.Router
	sender *sender.Sender
	clock  *standstill.Clock
	began  time.Time // start of the clock
	folder state.Folder
	place  *state.Run
	// reserve stores that visits below upTo may be sent, or with 0 just the ledger.
	reserve func(upTo uint64) error
	// failRun ends the run after an internal error.
	failRun func()
}

// newPrepared returns the evaluation that the settings ask for.
func (d *deps) newPrepared() Prepared {
	c := d.plan.Criteria
	return Prepared{HasLedger: true, Started: d.began.UTC(), Thresholds: c.Thresholds,
		Stop: stop.Conditions{Abort: c.Abort, MaxErrors: c.MaxErrorShare}}
}

// now returns the wall-clock time at the start plus the elapsed time. Setting the wall clock does not change it.
func (d *deps) now() time.Time { return d.began.Add(d.clock.Elapsed()) }

func (d *deps) stateProblem(err error, cure string) (problems problem.List) {
	problems.Refuse("STATE_DIR", d.plan.Files.State, err.Error(), cure)
	return problems
}

// visiblePhase returns Starting for a run that has started and still waits for the clocks of its targets.
func visiblePhase(p phase.Phase) phase.Phase {
	if p == phase.Idle {
		return phase.Starting
	}
	return p
}

// idleMode sends nothing until it is stopped. It is also the mode of a run that is being prepared.
type idleMode struct{ phase phase.Phase }

// Prepare implements Mode.
func (idleMode) Prepare(context.Context) (Prepared, problem.List) { return Prepared{}, nil }

// Run implements Mode.
func (idleMode) Run(drain, _ context.Context) End {
	<-drain.Done()
	if errors.Is(context.Cause(drain), endreason.InternalError) {
		return End{Reason: endreason.InternalError}
	}
	return End{} // a signal
}

// State implements Mode.
func (i idleMode) State() State { return State{Phase: i.phase} }

// Ahead implements Mode.
func (idleMode) Ahead() uint64 { return 0 }

// Fill implements Mode.
func (idleMode) Fill(*runsummary.Summary) {}

// Close implements Mode.
func (idleMode) Close() error { return nil }
