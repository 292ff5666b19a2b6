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

// Matomo is what is asked, see package matomo.
type Matomo interface {
	Site(ctx context.Context, t target.Target) (matomo.Site, error)
	Figures(ctx context.Context, t target.Target, s matomo.Query) (matomo.Figures, error)
	RawLogSince(ctx context.Context, t target.Target, since time.Time, segment string) (evidence.RawLog, error)
	CountVisits(ctx context.Context, t target.Target, s matomo.Query, about map[string]uint64) (uint64, error)
	Failures(ctx context.Context, t target.Target) ([]evidence.Failure, error)
	Exclusions(ctx context.Context, t target.Target) (evidence.Exclusions, error)
	Skew(ctx context.Context, t target.Target) (time.Duration, error)
	Diagnose(ctx context.Context, t target.Target, e doctor.Expectation) doctor.Diagnosis
	Annotate(ctx context.Context, t target.Target, day time.Time, note string) error
}

// Run is what is reconciled.
type Run struct {
	// Summary is its ledger; of a run that goes on, as it stands.
	Summary runsummary.Summary
	// Dimension is the number of the custom dimension that carries its id, 0 for none.
	Dimension int
	// Sites are those it sent to.
	Sites []Site
	// Before is what the sites showed before it, by place; nil where nobody looked.
	Before map[string]Before
	// Zone is that of days where a site does not tell its own.
	Zone *time.Location
	// Largest bounds what one of its orders can be worth, nil where nothing does.
	Largest *Order
}

// Options of a reconciliation.
type Options struct {
	// Every is how long lies between two looks, Limit how long is waited in all after the run's end.
	Every, Limit time.Duration
}

// The usual options. Reports of today may be 900 s old (time_before_today_archive_considered_outdated of
// config/global.ini.php).
const (
	DefaultEvery = 10 * time.Second
	DefaultLimit = 20 * time.Minute
)

// Reconcile asks until no row is off, what is there has long stopped changing and is all that the raw log holds, or the
// limit is reached. run gives the ledger as it stands; tell gets each state, the last one is returned too. A context
// that is done cancels.
func Reconcile(ctx context.Context, m Matomo, run func(context.Context) (Run, error), o Options,
	tell func(comparison.Reconciliation)) (comparison.Reconciliation, error) {
	out := comparison.Reconciliation{Began: time.Now().UTC()}
	looks := map[string]*look{}
	for {
		r, err := run(ctx)
		if err != nil {
			return out, err
		}
		going := r.Summary.Ended.IsZero()
		switch {
		case going: // also again, as a backfill that is resumed does
			out.Until = time.Time{}
		case out.Until.IsZero():
			out.Until = time.Now().UTC().Add(o.Limit)
		}
		out.RunID = r.Summary.RunID
		targets, settled := each(ctx, m, r, looks)
		if ctx.Err() != nil {
			out.State = comparison.ReconcileCancelled
			return out, nil
		}
		out.Taken, out.Targets = time.Now().UTC(), targets
		switch {
		case going:
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
		tell(out)
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
