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
	observers := []observer{r.logStandstills, r.extendSeries, r.logReasons, r.judge, r.progress()}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		sum, err := r.recorder.save(r.stage().mode.Ahead())
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
	for _, gap := range r.clock.Gaps(r.standstills) {
		r.standstills++
		r.log.Warn("this process stood still: it was stopped, its container paused, or its machine asleep; what fell "+
			"due meanwhile is not sent", "seconds", gap.Length().Seconds(), "until", r.began.Add(gap.To).UTC())
	}
}

// extendSeries adds the time since the last look to what the report shows.
func (r *Run) extendSeries(now time.Time, _ *runsummary.Summary) { r.series.Add(now, r.ledger.Counts) }

// logReasons logs each reason for which hits were not accepted once, when it is seen first.
func (r *Run) logReasons(_ time.Time, sum *runsummary.Summary) {
	for _, why := range sum.Reasons {
		if why.Class != answer.Stopped.String() && r.firstOf(why) { // which is what somebody asked for
			r.log.Warn("hits are not accepted", fieldsOf(why)...)
		}
	}
	for _, why := range sum.Warnings {
		if r.firstOf(why) {
			r.log.Warn("hits are accepted by an odd answer", fieldsOf(why)...)
		}
	}
}

// firstOf says that a reason was not logged before.
func (r *Run) firstOf(why runsummary.Reason) bool {
	what := runsummary.Reason{Target: why.Target, Class: why.Class, Status: why.Status}
	before := r.logged[what]
	r.logged[what] = true
	return !before
}

func fieldsOf(why runsummary.Reason) []any {
	return []any{"target", why.Target, "class", why.Class, "hits", why.Hits, "reason", why.String()}
}

// judge ends the run where its hits demand it.
func (r *Run) judge(now time.Time, sum *runsummary.Summary) {
	if r.stopped != "" {
		return
	}
	if r.stopped, r.why = r.stage().terms.Judge.Look(now, sum); r.stopped != "" {
		r.log.Error("the run is stopped", "reason", string(r.stopped), "why", r.why)
		r.drain(r.stopped)
	}
}

// progress tells a person how the run goes, every two seconds on a terminal, else in the log every minute.
func (r *Run) progress() observer {
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
