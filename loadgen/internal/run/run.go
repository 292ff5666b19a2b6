// Package run owns a run, from its place in the state folder to its written summary: what all kinds of run have in
// common, and a mode for each kind. It knows neither the command line nor any setting by name.
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
	"github.com/puttrix/trafficinator/loadgen/internal/tracking"
	"github.com/puttrix/trafficinator/shared/endreason"
	"github.com/puttrix/trafficinator/shared/exitcode"
	"github.com/puttrix/trafficinator/shared/lifecycle"
	"github.com/puttrix/trafficinator/shared/phase"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

// Run is one run of any kind. What kinds differ in is its mode's.
type Run struct {
	deps
	options        Options
	warnings       *warningLog // of the log
	mode           atomic.Pointer[current]
	recorder       recorder
	series         series.Keeper
	drain          context.CancelCauseFunc
	release        func() error // gives up what the run took but for its place
	summaryWritten bool         // the summary was written

	loggedStandstills int                        // that were logged
	loggedReasons     map[runsummary.Reason]bool // reasons that were logged
	stopReason        endreason.Reason           // by the judge, and why in words
	stopMessage       string
}

// Do sends the traffic of a plan and returns the exit code. The settings of the file of LOADGEN_ENV_FILE are named by
// fromFile; the problems are warnings about the plan.
func Do(ctx context.Context, h host.Host, o Options, p *plan.Plan, fromFile []string, problems problem.List) int {
	began := time.Now()
	r := &Run{
		options:       o,
		warnings:      &warningLog{},
		series:        series.None{},
		loggedReasons: map[runsummary.Reason]bool{},
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

	starts, faults := r.shouldStart()
	if faults.Err() != nil {
		return r.reject(faults)
	}
	r.setMode(idleMode{phase.Starting}, Prepared{})
	if !starts {
		r.setMode(idleMode{phase.Idle}, Prepared{})
	}
	quiet, err := r.listen(ctx)
	if err != nil {
		faults.Refuse("TELEMETRY_ADDR", p.Observability.Addr, err.Error(), "free the port, choose another, or set off")
		return r.reject(faults)
	}
	defer quiet()
	if starts {
		defer r.close()
		if faults := r.prepare(ctx); faults.Err() != nil {
			return r.reject(faults)
		}
	}
	at := r.current()
	if !at.terms.HasLedger {
		return at.mode.Run(drain, abort).Reason.ExitCode()
	}
	r.log.Info("run begins", "run_id", p.RunID, "seed", p.Seed, "plan", p.Hash, "first_visit", at.terms.First)
	observed := r.goSupervised(ctx, "recorder", r.observe)
	end := at.mode.Run(drain, abort)
	observed()
	return r.finish(end)
}

// stopContexts are done when the run is to end: the first signal drains, the second aborts. Release ends them.
func (r *Run) stopContexts(ctx context.Context) (drain, abort context.Context, release func()) {
	ctx, end := context.WithCancel(ctx)
	drain, r.drain = context.WithCancelCause(ctx)
	abort, hard := context.WithCancel(ctx)
	signals := lifecycle.Loop("signals", func(ctx context.Context) {
		for _, stop := range []func(){func() { r.drain(endreason.Interrupted) }, hard} {
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

// goSupervised runs a part of the program in the background until it is stopped. One that fails ends the run in order.
func (p *deps) goSupervised(ctx context.Context, name string, run func(context.Context)) (stop func()) {
	return p.supervise(ctx, lifecycle.Loop(name, run))
}

func (p *deps) supervise(ctx context.Context, s *lifecycle.Service) (stop func()) {
	s.Start(ctx)
	var watching sync.WaitGroup
	watching.Go(func() {
		<-s.Done()
		if err := s.Stop(); err != nil {
			p.log.Error("a part of the program failed; the run ends", "err", err)
			p.failRun()
		}
	})
	return func() { _ = s.Stop(); watching.Wait() } // its error is logged
}

// reject tells what stands against a run, which is not begun.
func (r *Run) reject(faults problem.List) int {
	console.Problems(r.host.Stderr, r.host.JSONLines(), faults)
	return exitcode.BadConfig
}

// current is what a run is at: the mode of its kind with its terms, or one that stands in for it.
type current struct {
	mode  Mode
	terms Prepared
}

func (r *Run) current() *current { return r.mode.Load() }

func (r *Run) setMode(m Mode, t Prepared) { r.mode.Store(&current{m, t}) }

// prepare takes the run's place in the state folder and makes its mode. Where another process has made this start
// meanwhile, it idles. Errors among the problems refuse it before anything is sent.
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
	switch problems, err = r.claim(ctx); {
	case errors.Is(err, errAlreadyStarted):
		r.close()
		r.warnAlreadyStarted()
		r.setMode(idleMode{phase.Idle}, Prepared{})
		return nil
	case problems.Err() != nil:
		return problems
	}
	mode := modes[r.plan.Kind()](&r.deps)
	r.release = func() error { defer r.sender.Close(); return mode.Close() }
	terms, problems := mode.Prepare(ctx)
	if problems.Err() != nil {
		return problems
	}
	r.recorder.place, r.recorder.summary, r.recorder.next = r.place, r.summary, terms.Next
	if r.options.Report != "" && terms.Series {
		r.series = series.New(r.began, r.ledger.Counts())
	}
	r.setMode(mode, terms)
	return nil
}
