package run

import (
	"fmt"
	"path/filepath"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/console"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/exitcode"
	"github.com/puttrix/trafficinator/shared/runsummary"
	"github.com/puttrix/trafficinator/shared/threshold"
)

// summary is the ledger as it stands, of a run whose visits below next may have begun; 0 leaves open which.
func (r *Run) summary(next uint64) runsummary.Summary {
	at := r.current()
	sum := runsummary.Summary{
		RunID: r.plan.RunID, Seed: r.plan.Seed, PlanHash: r.plan.Hash, Started: at.terms.Started,
		FirstVisit: at.terms.First, NextVisit: next, Strategy: string(r.plan.Strategy),
	}
	targets := make([]runsummary.Target, len(r.plan.Targets))
	for i, t := range r.plan.Targets {
		st := r.router.Status(i, r.now())
		targets[i] = runsummary.Target{
			URL: t.URL, APIURL: t.APIURL, SiteID: t.SiteID, Health: string(st.Health), SuccessRate: st.SuccessRate,
			LastError: st.LastError, LastSuccess: st.LastSuccess.UTC(), LastFailure: st.LastFailure.UTC(),
		}
	}
	counts := r.ledger.Counts()
	counts.Fill(&sum, r.plan.TargetNames(), targets, r.plan.Zone)
	sum.DurationSeconds = (at.terms.PriorDuration + r.clock.Elapsed()).Seconds()
	for i, gap := range r.clock.Gaps(0) { // whose visits and hits were counted before it was seen
		one := runsummary.Standstill{At: r.began.Add(gap.To).UTC(), Seconds: gap.Length().Seconds()}
		if i < len(counts.Missed) {
			one.Visits, one.Hits = counts.Missed[i].Visits, counts.Missed[i].Hits
		}
		sum.Standstills = append(sum.Standstills, one)
	}
	at.mode.Fill(&sum)
	sum.Thresholds = threshold.Evaluate(at.terms.Thresholds, threshold.ValuesOf(&sum), false)
	return sum
}

// finish writes the summary everywhere and tells the exit code.
func (r *Run) finish(end End) int {
	if r.host.Terminal {
		_, _ = fmt.Fprintln(r.host.Stderr) // after the line of progress
	}
	terms := r.current().terms
	sum := r.recorder.current()
	sum.Ended, sum.Reason, sum.Message = terms.endTime(r.began, sum.Duration()), string(end.Reason), end.Message
	sum.Thresholds = threshold.Evaluate(terms.Thresholds, threshold.ValuesOf(&sum), true)
	if end.Reason == r.stopReason {
		sum.Message = r.stopMessage + sum.Message
	}
	code := exitCode(end, &sum)
	if code == exitcode.NoTarget && sum.Message == "" {
		why, _ := r.router.AllFailed()
		if why == "" {
			why = r.plan.Targets[0].Name + ": " + r.router.Status(0, r.now()).LastError
		}
		sum.Message = "no hit was accepted; " + why
	}
	r.logStandstills(r.now(), &sum)
	r.logReasons(r.now(), &sum)
	if r.plan.Observability.JSON { // then every line of the log is
		r.log.Info("summary", "summary", &sum)
	} else {
		console.Summary(r.host.Stderr, &sum)
	}
	r.summaryWritten = true
	if err := r.place.End(&sum); err != nil {
		r.log.Error("the ledger cannot be written", "err", err)
		code = exitcode.Internal
	}
	if err := r.writeSummary(&sum); err != nil {
		r.log.Error("the summary cannot be written", "file", r.plan.Files.Summary, "err", err)
		code = exitcode.Internal
	}
	if err := r.writeExports(&sum, code); err != nil {
		r.log.Error("the report cannot be written", "err", err)
		code = exitcode.Internal
	}
	return code
}

// endTime is when a run ended that lasted so long and whose process began then: never before the run began, though a
// backfill may be resumed under a wall clock that was set back.
func (t *Prepared) endTime(began time.Time, lasted time.Duration) time.Time {
	if at := began.Add(lasted - t.PriorDuration).UTC(); at.After(t.Started) {
		return at
	}
	return t.Started
}

// exitCode tells how the run ended. A run without one accepted hit has failed whatever ended it.
func exitCode(end End, sum *runsummary.Summary) int {
	h := sum.Hits
	tried := h.NotAccepted() - min(h.Shed, sum.TotalStandstill().Hits)
	switch code := end.Reason.ExitCode(); {
	case h.Accepted == 0 && tried > 0:
		return exitcode.NoTarget
	case code == exitcode.OK && !threshold.AllPassed(sum.Thresholds):
		return exitcode.Missed
	default:
		return code
	}
}

func (r *Run) writeSummary(sum *runsummary.Summary) error {
	path := r.plan.Files.Summary
	if path == "" {
		return nil
	}
	data, err := sum.Encode()
	if err != nil {
		return err
	}
	if err := exchange.Publish(r.host.FS, filepath.Dir(path),
		map[string][]byte{filepath.Base(path): data}); err != nil {
		return fmt.Errorf("write summary: %w", err)
	}
	return nil
}
