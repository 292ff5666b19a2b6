// Package run owns a run, from its claim on the state folder to its written summary: what all kinds of run share, and a
// mode for each kind. It depends neither on the command line nor on the names of settings.
package run

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/console"
	"github.com/puttrix/trafficinator/loadgen/internal/host"
	"github.com/puttrix/trafficinator/loadgen/internal/ledger"
	"github.com/puttrix/trafficinator/loadgen/internal/plan"
	"github.com/puttrix/trafficinator/loadgen/internal/routing"
	"github.com/puttrix/trafficinator/loadgen/internal/sender"
	"github.com/puttrix/trafficinator/loadgen/internal/series"
	"github.com/puttrix/trafficinator/loadgen/internal/standstill"
	"github.com/puttrix/trafficinator/loadgen/internal/state"
	"github.com/puttrix/trafficinator/loadgen/internal/tracking"
	"github.com/puttrix/trafficinator/shared/endreason"
	"github.com/puttrix/trafficinator/shared/exitcode"
	"github.com/puttrix/trafficinator/shared/lifecycle"
	"github.com/puttrix/trafficinator/shared/phase"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

// Run is one run of any kind. Its mode does what differs between kinds.
type Run struct {
	deps
	options        Options
	warnings       *warningLog
	mode           atomic.Pointer[current]
	recorder       recorder
	series         *series.Series // nil for none
	drain          context.CancelCauseFunc
	release        func() error // releases all resources but the claim on the state folder
	summaryWritten bool

	loggedStandstills int
	loggedReasons     map[runsummary.Reason]bool
	stopReason        endreason.Reason // set by checkStop, with its message
	stopMessage       string
}

// Do sends the traffic of a plan and returns the exit code. fromFile names the settings from LOADGEN_ENV_FILE, for the
// log. The problems are warnings about the plan.
func Do(ctx context.Context, h host.Host, o Options, p *plan.Plan, fromFile []string, problems problem.List) int {
	began := time.Now()
	r := &Run{
		options: o, warnings: &warningLog{}, loggedReasons: map[runsummary.Reason]bool{},
		deps: deps{
			host: h, plan: p, ledger: ledger.New(len(p.Targets)), router: routing.New(p.Targets, p.Strategy, p.Seed),
			clock: standstill.New(began), began: began,
		},
	}
	r.log = newLog(h.Stderr, p.Observability.Level, p.Observability.JSON || h.JSONLines(), r.warnings)
	r.reserve, r.release = r.recorder.reserve, idleMode{}.Close
	r.failRun = func() { r.drain(endreason.InternalError) }
	for _, w := range problems {
		r.log.Warn("check the settings", "problem", w.String())
	}
	r.log.Info("settings", "changed", strings.Join(p.Changed(), " "), "from_file", strings.Join(fromFile, " "),
		"pages", p.Sources["pages"], "funnels", p.Sources["funnels"], "events", p.Sources["events"], "targets",
		p.Sources["targets"])
	drain, abort, endSignals := r.stopContexts(ctx)
	defer endSignals()

	starts, problems := r.shouldStart()
	if problems.Err() != nil {
		return r.reject(problems)
	}
	r.setIdle(phase.Starting)
	if !starts {
		r.setIdle(phase.Idle)
	}
	stopListening, err := r.listen(ctx)
	if err != nil {
		problems.Refuse("TELEMETRY_ADDR", p.Observability.Addr, err.Error(),
			"free the port, choose another, or set off")
		return r.reject(problems)
	}
	defer stopListening()
	if starts {
		defer r.close()
		if problems := r.prepare(ctx); problems.Err() != nil {
			return r.reject(problems)
		}
	}
	at := r.current()
	if !at.HasLedger {
		return at.Run(drain, abort).Reason.ExitCode()
	}
	r.log.Info("run started", "run_id", p.RunID, "seed", p.Seed, "plan", p.Hash, "first_visit", at.First)
	stopObserving := r.goSupervised(ctx, "recorder", r.observe)
	end := at.Run(drain, abort)
	stopObserving()
	return r.finish(end)
}

// stopContexts returns contexts that end the run: the first signal cancels drain, the second abort.
func (r *Run) stopContexts(ctx context.Context) (drain, abort context.Context, release func()) {
	ctx, end := context.WithCancel(ctx)
	drain, r.drain = context.WithCancelCause(ctx)
	abort, abortNow := context.WithCancel(ctx)
	signals := lifecycle.Loop("signals", func(ctx context.Context) {
		for _, stop := range []func(){func() { r.drain(endreason.Interrupted) }, abortNow} {
			select {
			case <-r.host.Signals:
				r.log.Info("stopping")
				stop()
			case <-ctx.Done():
				return
			}
		}
	})
	signals.Start(ctx)
	return drain, abort, func() { end(); _ = signals.Stop() }
}

// goSupervised runs a function in the background until stop is called. If it fails, the run ends in order.
func (d *deps) goSupervised(ctx context.Context, name string, run func(context.Context)) (stop func()) {
	return d.supervise(ctx, lifecycle.Loop(name, run))
}

func (d *deps) supervise(ctx context.Context, s *lifecycle.Service) (stop func()) {
	s.Start(ctx)
	var watching sync.WaitGroup
	watching.Go(func() {
		<-s.Done()
		if err := s.Stop(); err != nil {
			d.log.Error("internal error; the run ends", "err", err)
			d.failRun()
		}
	})
	return func() { _ = s.Stop(); watching.Wait() } // the error was logged
}

func (r *Run) reject(problems problem.List) int {
	console.Problems(r.host.Stderr, r.host.JSONLines(), problems)
	return exitcode.BadConfig
}

// current is the mode of the run, or idleMode before it is prepared.
type current struct {
	Mode
	Prepared
}

func (r *Run) current() *current { return r.mode.Load() }

func (r *Run) setIdle(p phase.Phase) { r.mode.Store(&current{Mode: idleMode{p}}) }

// prepare claims the run's place in the state folder and creates its mode, or goes idle if another process has executed
// this start meanwhile. Errors among the problems reject the run before anything is sent.
func (r *Run) prepare(ctx context.Context) (problems problem.List) {
	var err error
	s := &r.plan.Sending
	r.sender, err = sender.New(r.plan, r.host.Machine(r.plan.Env),
		tracking.Options{Timeout: s.Timeout, AwaitLate: s.AwaitLateAnswers})
	if err != nil {
		problems.Refuse("the targets", "", err.Error(), "")
		return problems
	}
	r.release = func() error { r.sender.Close(); return nil }
	switch err := r.claim(ctx); {
	case errors.Is(err, errAlreadyStarted):
		r.close()
		r.warnAlreadyStarted()
		r.setIdle(phase.Idle)
		return nil
	case errors.Is(err, state.ErrRunning):
		problems.Refuse("RUN_ID", r.plan.RunID, err.Error()+" with the same STATE_DIR",
			"wait until it has ended, or choose another RUN_ID")
		return problems
	case err != nil:
		return r.stateProblem(err, fixFor(err, "set it to a folder that this user can write to"))
	}
	mode := modes[r.plan.Kind()](&r.deps)
	r.release = func() error { defer r.sender.Close(); return mode.Close() }
	prepared, problems := mode.Prepare(ctx)
	if problems.Err() != nil {
		return problems
	}
	r.recorder.place, r.recorder.summary, r.recorder.next = r.place, r.summary, prepared.Next
	if r.options.Report != "" && prepared.Series {
		r.series = series.New(r.began, r.ledger.Counts())
	}
	r.mode.Store(&current{mode, prepared})
	return nil
}
