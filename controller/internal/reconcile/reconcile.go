package reconcile

import (
	"context"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/reconcile/comparison"
	"github.com/puttrix/trafficinator/controller/internal/reconcile/evidence"
	"github.com/puttrix/trafficinator/shared/doctor"
	"github.com/puttrix/trafficinator/shared/matomo"
	"github.com/puttrix/trafficinator/shared/runsummary"
	"github.com/puttrix/trafficinator/shared/target"
)

// Matomo is the Matomo that is queried, see package matomo.
type Matomo interface {
	Site(ctx context.Context, t target.Target) (matomo.Site, error)
	Figures(ctx context.Context, t target.Target, q matomo.Query) (matomo.Figures, error)
	RawLogSince(ctx context.Context, t target.Target, since time.Time, segment string) (evidence.RawLog, error)
	CountVisits(ctx context.Context, t target.Target, q matomo.Query, about map[string]uint64) (uint64, error)
	Failures(ctx context.Context, t target.Target) ([]evidence.Failure, error)
	Exclusions(ctx context.Context, t target.Target) (evidence.Exclusions, error)
	Skew(ctx context.Context, t target.Target) (time.Duration, error)
	Diagnose(ctx context.Context, t target.Target, e doctor.Expectation) doctor.Diagnosis
	Annotate(ctx context.Context, t target.Target, day time.Time, note string) error
}

// Run is a run to reconcile.
type Run struct {
	// Summary is the run summary, up to date if the run is in progress.
	Summary runsummary.Summary
	// Dimension is the number of the custom dimension with the run's id; 0 for none.
	Dimension int
	// Sites are the sites that the run sent to.
	Sites []Site
	// Before is what the sites showed before the run, by siteKey; nil if they were not queried.
	Before map[string]Before
	// Zone is the time zone of days for sites whose own is not known.
	Zone *time.Location
	// Largest is an upper bound for one order of the run; nil if there is none.
	Largest *Order
}

// Options of a reconciliation.
type Options struct {
	// Every is the interval between comparisons, Limit the maximum wait after the end of the run.
	Every, Limit time.Duration
}

// The default options. Reports of today may be 900 s old (time_before_today_archive_considered_outdated in Matomo's
// config/global.ini.php).
const (
	DefaultEvery = 10 * time.Second
	DefaultLimit = 20 * time.Minute
)

// Reconcile compares until no row is off, or the figures are stable and complete, or the limit is reached. run
// returns the current state of the run; onChange gets each state, the last of which is returned too.
func Reconcile(ctx context.Context, m Matomo, run func(context.Context) (Run, error), o Options,
	onChange func(comparison.Reconciliation)) (comparison.Reconciliation, error) {
	out := comparison.Reconciliation{Began: time.Now().UTC()}
	known := map[string]*history{}
	for {
		r, err := run(ctx)
		if err != nil {
			return out, err
		}
		inProgress := r.Summary.Ended.IsZero()
		switch {
		case inProgress: // possibly again, such as a resumed backfill
			out.Until = time.Time{}
		case out.Until.IsZero():
			out.Until = time.Now().UTC().Add(o.Limit)
		}
		out.RunID = r.Summary.RunID
		targets, settled := compareSites(ctx, m, r, known)
		if ctx.Err() != nil {
			out.State = comparison.ReconcileCancelled
			return out, nil
		}
		out.Taken, out.Targets = time.Now().UTC(), targets
		switch {
		case inProgress:
			out.State, out.Waiting = comparison.ReconcileFollowing, "the end of the run"
		case settled || !out.Taken.Before(out.Until):
			out.State, out.Waiting = comparison.ReconcileDone, ""
			out.Judge()
			explain(ctx, m, r, out.Targets, settled)
			return out, nil
		default:
			out.State, out.Waiting = comparison.ReconcileWaiting,
				"Matomo's queue and archiving: the reports still differ or still change"
		}
		onChange(out)
		wait := time.NewTimer(o.Every)
		select {
		case <-wait.C:
		case <-ctx.Done():
			wait.Stop()
			out.State = comparison.ReconcileCancelled
			return out, nil
		}
	}
}
