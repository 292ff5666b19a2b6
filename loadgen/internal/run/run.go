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
	parts
	options  Options
	warnings *warnings // of the log
	at       atomic.Pointer[stage]
	recorder recorder
	series   series.Keeper
	drain    context.CancelCauseFunc
	release  func() error // gives up what the run took but for its place
	ended    bool         // the summary was written

	standstills int                        // that were logged
	logged      map[runsummary.Reason]bool // reasons that were logged
	stopped     endreason.Reason           // by the judge, and why in words
	why         string
}

// Do sends the traffic of a plan and returns the exit code. The settings of the file of LOADGEN_ENV_FILE are named by
// fromFile; the problems are warnings about the plan.
func Do(ctx context.Context, h host.Host, o Options, p *plan.Plan, fromFile []string, problems problem.List) int {
	began := time.Now()
	r := &Run{
		options:  o,
		warnings: &warnings{},
		series:   series.None{},
		logged:   map[runsummary.Reason]bool{},
		parts: parts{
			host: h, plan: p, ledger: ledger.New(len(p.Targets)), router: routing.New(p.Targets, p.Strategy, p.Seed),
			clock: standstill.New(began), began: began,
		},
	}
	r.log = newLog(h.Stderr, p.Watching.Level, p.Watching.JSON || h.JSONLines(), r.warnings)
	r.reserve, r.release = r.recorder.reserve, idle{}.Close
	r.fail = func() { r.drain(endreason.InternalError) }
	for _, w := range problems {
		r.log.Warn("check the settings", "problem", w.String())
	}
	r.log.Info("settings", "changed", strings.Join(p.Differences(), " "), "from_file", strings.Join(fromFile, " "),
		"pages", p.Sources["pages"], "funnels", p.Sources["funnels"], "events", p.Sources["events"], "targets",
		p.Sources["targets"])
	drain, abort, endSignals := r.stops(ctx)
	defer endSignals()

	starts, faults := r.starts()
	if faults.Err() != nil {
		return r.refuse(faults)
	}
	r.become(idle{phase.Starting}, Terms{})
	if !starts {
		r.become(idle{phase.Idle}, Terms{})
	}
	quiet, err := r.listen(ctx)
	if err != nil {
		faults.Refuse("TELEMETRY_ADDR", p.Watching.Addr, err.Error(), "free the port, choose another, or set off")
		return r.refuse(faults)
	}
	defer quiet()
	if starts {
		defer r.close()
		if faults := r.prepare(ctx); faults.Err() != nil {
			return r.refuse(faults)
		}
	}
	at := r.stage()
	if !at.terms.Recorded {
		return at.mode.Run(drain, abort).Reason.ExitCode()
	}
	r.log.Info("run begins", "run_id", p.RunID, "seed", p.Seed, "plan", p.Hash, "first_visit", at.terms.First)
	observed := r.attend(ctx, "recorder", r.observe)
	end := at.mode.Run(drain, abort)
	observed()
	return r.finish(end)
}

// stops are done when the run is to end: the first signal drains, the second aborts. Release ends them.
func (r *Run) stops(ctx context.Context) (drain, abort context.Context, release func()) {
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

// attend runs a part of the program in the background until it is stopped. One that fails ends the run in order.
func (p *parts) attend(ctx context.Context, name string, run func(context.Context)) (stop func()) {
	return p.supervise(ctx, lifecycle.Loop(name, run))
}

func (p *parts) supervise(ctx context.Context, s *lifecycle.Service) (stop func()) {
	s.Start(ctx)
	var watching sync.WaitGroup
	watching.Go(func() {
		<-s.Done()
		if err := s.Stop(); err != nil {
			p.log.Error("a part of the program failed; the run ends", "err", err)
			p.fail()
		}
	})
	return func() { _ = s.Stop(); watching.Wait() } // its error is logged
}

// refuse tells what stands against a run, which is not begun.
func (r *Run) refuse(faults problem.List) int {
	console.Problems(r.host.Stderr, r.host.JSONLines(), faults)
	return exitcode.BadConfig
}

// stage is what a run is at: the mode of its kind with its terms, or one that stands in for it.
type stage struct {
	mode  Mode
	terms Terms
}

func (r *Run) stage() *stage { return r.at.Load() }

func (r *Run) become(m Mode, t Terms) { r.at.Store(&stage{m, t}) }

// prepare takes the run's place in the state folder and makes its mode. Where another process has made this start
// meanwhile, it idles. Errors among the problems refuse it before anything is sent.
func (r *Run) prepare(ctx context.Context) (problems problem.List) {
	var err error
	s := &r.plan.Sending
	r.sender, err = sender.New(r.plan, r.host.Machine(r.plan.Env),
		tracking.Options{Timeout: s.Timeout, AwaitLate: s.AwaitLate})
	if err != nil {
		problems.Refuse("the targets", "", err.Error(), "")
		return problems
	}
	r.release = func() error { r.sender.Close(); return nil }
	switch problems, err = r.take(ctx); {
	case errors.Is(err, errStarted):
		r.close()
		r.warnStarted()
		r.become(idle{phase.Idle}, Terms{})
		return nil
	case problems.Err() != nil:
		return problems
	}
	mode := modes[r.plan.Kind()](&r.parts)
	r.release = func() error { defer r.sender.Close(); return mode.Close() }
	terms, problems := mode.Prepare(ctx)
	if problems.Err() != nil {
		return problems
	}
	r.recorder.place, r.recorder.summary, r.recorder.next = r.place, r.summary, terms.Next
	if r.options.Report != "" && terms.Series {
		r.series = series.New(r.began, r.ledger.Counts())
	}
	r.become(mode, terms)
	return nil
}
