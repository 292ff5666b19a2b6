package run

import (
	"context"
	"fmt"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/console"
	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

func everySecond(ctx context.Context, f func()) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			f()
		}
	}
}

// An observer gets the run summary once a second.
type observer func(now time.Time, sum *runsummary.Summary)

// observe saves the run summary once a second and passes it to the observers, until ctx is done.
func (r *Run) observe(ctx context.Context) {
	observers := []observer{r.logStandstills, r.extendSeries, r.logReasons, r.checkStop, r.progressObserver()}
	failing := false
	everySecond(ctx, func() {
		sum, err := r.recorder.save(r.current().Ahead())
		if err != nil && !failing {
			r.log.Error("cannot write the ledger; it is kept in memory", "err", err)
		}
		failing = err != nil
		now := r.now()
		for _, o := range observers {
			o(now, &sum)
		}
	})
}

func (r *Run) logStandstills(time.Time, *runsummary.Summary) {
	for _, gap := range r.clock.Gaps(r.loggedStandstills) {
		r.loggedStandstills++
		r.log.Warn("standstill: this process was stopped, its container paused, or the machine suspended; hits due "+
			"meanwhile are not sent", "seconds", gap.Length().Seconds(), "until", r.began.Add(gap.To).UTC())
	}
}

func (r *Run) extendSeries(now time.Time, _ *runsummary.Summary) { r.series.Add(now, r.ledger.Counts) }

// logReasons logs each reason why hits were not accepted when it first occurs.
func (r *Run) logReasons(_ time.Time, sum *runsummary.Summary) {
	for _, why := range sum.Reasons {
		if why.Class != answer.Stopped.String() && r.isNewReason(why) { // a stop was requested
			r.log.Warn("hits not accepted", reasonAttrs(why)...)
		}
	}
	for _, why := range sum.Warnings {
		if r.isNewReason(why) {
			r.log.Warn("hits accepted with an unexpected response", reasonAttrs(why)...)
		}
	}
}

func (r *Run) isNewReason(why runsummary.Reason) bool {
	key := runsummary.Reason{Target: why.Target, Class: why.Class, Status: why.Status}
	logged := r.loggedReasons[key]
	r.loggedReasons[key] = true
	return !logged
}

func reasonAttrs(why runsummary.Reason) []any {
	return []any{"target", why.Target, "class", why.Class, "hits", why.Hits, "reason", why.String()}
}

func (r *Run) checkStop(now time.Time, sum *runsummary.Summary) {
	if r.stopReason != "" {
		return
	}
	if r.stopReason, r.stopMessage = r.current().Stop.Check(now, sum); r.stopReason != "" {
		r.log.Error("run stopped", "reason", string(r.stopReason), "why", r.stopMessage)
		r.drain(r.stopReason)
	}
}

// progressObserver shows the progress: every two seconds on a terminal, else once a minute in the log.
func (r *Run) progressObserver() observer {
	every := time.Minute
	if r.host.Terminal {
		every = 2 * time.Second
	}
	next := r.now().Add(every)
	return func(now time.Time, sum *runsummary.Summary) {
		if now.Before(next) {
			return
		}
		next = now.Add(every - time.Second/2) // a tick may be early; after a standstill one line is enough
		if r.host.Terminal {
			_, _ = fmt.Fprint(r.host.Stderr, console.Progress(sum, r.Phase()))
			return
		}
		r.log.Info("progress", console.ProgressFields(sum, r.Phase())...)
	}
}
