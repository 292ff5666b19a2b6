package run

import (
	"context"
	"fmt"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/console"
	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

// An observer looks at the ledger of the run once a second.
type observer func(now time.Time, sum *runsummary.Summary)

// observe records the run once a second until ctx is done, and shows the observers what it recorded.
func (r *Run) observe(ctx context.Context) {
	observers := []observer{r.logStandstills, r.extendSeries, r.logReasons, r.checkStop, r.progressObserver()}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		sum, err := r.recorder.save(r.current().mode.Ahead())
		if err != nil && !failing {
			r.log.Error("the ledger cannot be written; it goes on in memory", "err", err)
		}
		failing = err != nil
		now := r.now()
		for _, o := range observers {
			o(now, &sum)
		}
	}
}

// logStandstills logs the standstills that ended since it was called last.
func (r *Run) logStandstills(time.Time, *runsummary.Summary) {
	for _, gap := range r.clock.Gaps(r.loggedStandstills) {
		r.loggedStandstills++
		r.log.Warn("this process stood still: it was stopped, its container paused, or its machine asleep; what fell "+
			"due meanwhile is not sent", "seconds", gap.Length().Seconds(), "until", r.began.Add(gap.To).UTC())
	}
}

// extendSeries adds the time since the last look to what the report shows.
func (r *Run) extendSeries(now time.Time, _ *runsummary.Summary) { r.series.Add(now, r.ledger.Counts) }

// logReasons logs each reason for which hits were not accepted once, when it is seen first.
func (r *Run) logReasons(_ time.Time, sum *runsummary.Summary) {
	for _, why := range sum.Reasons {
		if why.Class != answer.Stopped.String() && r.isNewReason(why) { // which is what somebody asked for
			r.log.Warn("hits are not accepted", reasonAttrs(why)...)
		}
	}
	for _, why := range sum.Warnings {
		if r.isNewReason(why) {
			r.log.Warn("hits are accepted by an odd answer", reasonAttrs(why)...)
		}
	}
}

// isNewReason says that a reason was not logged before.
func (r *Run) isNewReason(why runsummary.Reason) bool {
	what := runsummary.Reason{Target: why.Target, Class: why.Class, Status: why.Status}
	before := r.loggedReasons[what]
	r.loggedReasons[what] = true
	return !before
}

func reasonAttrs(why runsummary.Reason) []any {
	return []any{"target", why.Target, "class", why.Class, "hits", why.Hits, "reason", why.String()}
}

// checkStop ends the run where its hits demand it.
func (r *Run) checkStop(now time.Time, sum *runsummary.Summary) {
	if r.stopReason != "" {
		return
	}
	if r.stopReason, r.stopMessage = r.current().terms.Stop.Check(now, sum); r.stopReason != "" {
		r.log.Error("the run is stopped", "reason", string(r.stopReason), "why", r.stopMessage)
		r.drain(r.stopReason)
	}
}

// progressObserver tells a person how the run goes, every two seconds on a terminal, else in the log every minute.
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
