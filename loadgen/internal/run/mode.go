package run

import (
	"context"
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

// Mode is what one kind of run does. Prepare, Run and Close are called in this order, each once; the others from any
// goroutine once Prepare has returned without an error.
type Mode interface {
	// Prepare finds where the run begins. Errors among the problems refuse it: nothing was sent yet.
	Prepare(ctx context.Context) (Prepared, problem.List)
	// Run sends until there is no more to send or drain is done; then requests in flight may end. Where abort is done
	// they are broken off at once.
	Run(drain, abort context.Context) End
	State() State
	// Ahead is a visit number that is not reached within the next two seconds, 0 where Prepare reserved all.
	Ahead() uint64
	// Fill adds to a summary what this kind alone knows. There is one call at a time of a summary whose NextVisit is
	// set.
	Fill(sum *runsummary.Summary)
	// Close gives up what Prepare took, whatever it returned.
	Close() error
}

// Prepared are where a run begins and what it is held to.
type Prepared struct {
	// HasLedger keeps a ledger of the run, and tells its end.
	HasLedger bool
	// First is the number of the first visit. Visits below Next may begin.
	First, Next uint64
	// Started is when the run began the first time, and Earlier how long it lasted before.
	Started       time.Time
	PriorDuration time.Duration
	// Thresholds decide whether it passes, and Judge may end it early.
	Thresholds []threshold.Threshold
	Stop       stop.Conditions
	// Series lets a report tell what happened when.
	Series bool
}

// End is how a run ended.
type End struct {
	Reason endreason.Reason
	// Message explains an end that nobody asked for.
	Message string
}

// State is what a run is doing.
type State struct {
	Phase phase.Phase
	// Pause is why no visits begin, one of package metric; empty where they do.
	Pause string
	// FinishBy is when open visits are cut off, zero where the run was not asked to finish.
	FinishBy time.Time
}

// modes make the mode of each kind of run.
var modes = map[string]func(*deps) Mode{
	runsummary.Live:           func(p *deps) Mode { return &liveMode{deps: p} },
	runsummary.CapacitySearch: func(p *deps) Mode { return &searchMode{liveMode: liveMode{deps: p}} },
	runsummary.BackfillJob:    func(p *deps) Mode { return &backfillMode{deps: p} },
}

// deps are what a mode works with.
type deps struct {
	host   host.Host
	plan   *plan.Plan
	log    *slog.Logger
	ledger *ledger.Ledger
	router *routing.Router
	sender *sender.Sender
	clock  *standstill.Clock
	began  time.Time // with clock
	folder state.Folder
	place  *state.Run
	// reserve stores that visits below upTo may be sent, or with 0 the ledger alone.
	reserve func(upTo uint64) error
	// failRun ends the run because a part of the program failed.
	failRun func()
}

// newPrepared are those of a run that is judged by the settings.
func (p *deps) newPrepared() Prepared {
	v := p.plan.Criteria
	return Prepared{HasLedger: true, Started: p.began.UTC(), Thresholds: v.Thresholds,
		Stop: stop.Conditions{Abort: v.Abort, MaxErrors: v.MaxErrorShare}}
}

// now is the moment by the clock of the run: the wall clock as it went when the run began, with what has passed since.
// It does not jump where somebody sets the wall clock.
func (p *deps) now() time.Time { return p.began.Add(p.clock.Elapsed()) }

// stateProblem refuses a state folder that cannot be used.
func (p *deps) stateProblem(err error, cure string) (problems problem.List) {
	problems.Refuse("STATE_DIR", p.plan.Files.State, err.Error(), cure)
	return problems
}

// visiblePhase is the phase of a run that was begun: until the first visit it waits for the clocks of its targets.
func visiblePhase(p phase.Phase) phase.Phase {
	if p == phase.Idle {
		return phase.Starting
	}
	return p
}
