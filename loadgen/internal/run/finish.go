package run

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/console"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/exitcode"
	"github.com/puttrix/trafficinator/shared/export"
	"github.com/puttrix/trafficinator/shared/runsummary"
	"github.com/puttrix/trafficinator/shared/threshold"
)

// summary returns the current run summary. Visits below next may have started; 0 means unknown.
func (r *Run) summary(next uint64) runsummary.Summary {
	at := r.current()
	sum := runsummary.Summary{
		RunID: r.plan.RunID, Seed: r.plan.Seed, PlanHash: r.plan.Hash, Started: at.Started,
		FirstVisit: at.First, NextVisit: next, Strategy: string(r.plan.Strategy),
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
	sum.DurationSeconds = (at.PriorDuration + r.clock.Elapsed()).Seconds()
	for i, gap := range r.clock.Gaps(0) {
		one := runsummary.Standstill{At: r.began.Add(gap.To).UTC(), Seconds: gap.Length().Seconds()}
		if i < len(counts.Missed) {
			one.Visits, one.Hits = counts.Missed[i].Visits, counts.Missed[i].Hits
		}
		sum.Standstills = append(sum.Standstills, one)
	}
	at.Fill(&sum)
	sum.Thresholds = threshold.Evaluate(at.Thresholds, threshold.ValuesOf(&sum), false)
	return sum
}

// finish writes the final summary and returns the exit code.
func (r *Run) finish(end End) int {
	if r.host.Terminal {
		_, _ = fmt.Fprintln(r.host.Stderr) // after the progress line
	}
	at := r.current()
	sum := r.recorder.current()
	sum.Ended, sum.Reason, sum.Message = at.endTime(r.began, sum.Duration()), string(end.Reason), end.Message
	sum.Thresholds = threshold.Evaluate(at.Thresholds, threshold.ValuesOf(&sum), true)
	if end.Reason == r.stopReason {
		sum.Message = r.stopMessage + sum.Message
	}
	code := exitCode(end, &sum)
	if code == exitcode.NoTarget && sum.Message == "" {
		why, failed := r.router.AllFailed()
		if !failed {
			why = r.plan.Targets[0].Name + ": " + r.router.Status(0, r.now()).LastError
		}
		sum.Message = "no hit was accepted; " + why
	}
	r.logStandstills(r.now(), &sum)
	r.logReasons(r.now(), &sum)
	if r.plan.Observability.JSON { // every line of the log is JSON
		r.log.Info("summary", "summary", &sum)
	} else {
		console.Summary(r.host.Stderr, &sum)
	}
	r.summaryWritten = true
	if err := r.place.End(&sum); err != nil {
		r.log.Error("cannot write the ledger", "err", err)
		code = exitcode.Internal
	}
	if err := r.writeSummary(&sum); err != nil {
		r.log.Error("cannot write the summary", "file", r.plan.Files.Summary, "err", err)
		code = exitcode.Internal
	}
	if err := r.writeExports(&sum, code); err != nil {
		r.log.Error("cannot write the exports", "err", err)
		code = exitcode.Internal
	}
	return code
}

// endTime returns when a run of the given duration ended whose process started at began. It is never before the start
// of the run, even if a backfill was resumed after the wall clock was set back.
func (t *Prepared) endTime(began time.Time, duration time.Duration) time.Time {
	if at := began.Add(duration - t.PriorDuration).UTC(); at.After(t.Started) {
		return at
	}
	return t.Started
}

// exitCode returns the exit code of a run. One without an accepted hit has failed, whatever ended it.
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
	return r.publish(path, data)
}

// Options are the command-line options of a run.
type Options struct {
	// Settings override the environment and LOADGEN_ENV_FILE.
	Settings map[string]string
	// Report and JUnit are file names, "" for none.
	Report, JUnit string
}

type exportFile struct {
	flag, path string
	write      func(io.Writer, *export.Run) error
}

func (o Options) exports() []exportFile {
	return slices.DeleteFunc([]exportFile{{"--report", o.Report, export.HTML}, {"--junit", o.JUnit, export.JUnit}},
		func(f exportFile) bool { return f.path == "" })
}

func (r *Run) writeExports(sum *runsummary.Summary, code int) (err error) {
	r.series.Add(r.now(), r.ledger.Counts)
	exported := &export.Run{Summary: *sum, ExitCode: &code, Zone: r.plan.Zone, Problems: r.warnings.all(),
		Version: r.host.Version, Series: r.series.Points()}
	for _, changed := range r.plan.Changed() {
		key, value, _ := strings.Cut(changed, "=")
		exported.Settings = append(exported.Settings, export.Setting{Key: key, Value: value})
	}
	for _, f := range r.options.exports() {
		var b bytes.Buffer
		one := f.write(&b, exported)
		if one == nil {
			one = r.publish(f.path, b.Bytes())
		}
		if one != nil {
			err = errors.Join(err, fmt.Errorf("write %s: %w", f.path, one))
		}
	}
	return err
}

func (r *Run) publish(path string, data []byte) error {
	return exchange.Publish(r.host.FS, filepath.Dir(path), map[string][]byte{filepath.Base(path): data})
}
