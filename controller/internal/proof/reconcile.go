package proof

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/puttrix/trafficinator/shared/matomo"
	"github.com/puttrix/trafficinator/shared/record"
	"github.com/puttrix/trafficinator/shared/target"
)

// Matomo is what is asked, see package matomo.
type Matomo interface {
	Site(ctx context.Context, t target.Target) (matomo.Site, error)
	Recorded(ctx context.Context, t target.Target, s matomo.Slice) (matomo.Recorded, error)
	Lately(ctx context.Context, t target.Target, minutes int, segment string) (matomo.Lately, error)
	Failures(ctx context.Context, t target.Target) ([]matomo.Failure, error)
	Exclusions(ctx context.Context, t target.Target) (matomo.Exclusions, error)
	Skew(ctx context.Context, t target.Target) (time.Duration, error)
	Examine(ctx context.Context, t target.Target, e matomo.Expect) matomo.Diagnosis
	Annotate(ctx context.Context, t target.Target, day time.Time, note string) error
}

// Run is what is reconciled.
type Run struct {
	// Summary is its ledger; of a run that goes on, as it stands.
	Summary record.Summary
	// Dimension is the number of the custom dimension that carries its id, 0 for none.
	Dimension int
	// Targets are those it sent to, named as in its ledger, with the tokens to read with.
	Targets []target.Target
	// Before is what their sites showed before it, by place and day; nil where nobody looked.
	Before map[string]map[string]matomo.Recorded
	// Zone is that of days where a site does not tell its own.
	Zone *time.Location
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

// Reconcile asks until every row is equal, what is there has long stopped changing and is all that the raw log holds, or
// the limit is reached. run gives the ledger as it stands; tell gets each state, the last one is returned too. A context that
// is done cancels.
func Reconcile(ctx context.Context, m Matomo, run func(context.Context) (Run, error), o Options, tell func(record.Reconciliation)) (record.Reconciliation, error) {
	out := record.Reconciliation{Began: time.Now().UTC()}
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
			out.State = "cancelled"
			return out, nil
		}
		out.Taken, out.Targets = time.Now().UTC(), targets
		switch {
		case going:
			out.State, out.Waiting = "following", "the end of the run"
		case settled || !out.Taken.Before(out.Until):
			out.State, out.Waiting = "done", ""
			explain(ctx, m, r, out.Targets, settled)
			return out, nil
		default:
			out.State, out.Waiting = "waiting", "queue and archiving: the reports still differ or still change"
		}
		tell(out)
		wait := time.NewTimer(o.Every)
		select {
		case <-wait.C:
		case <-ctx.Done():
			wait.Stop()
			out.State = "cancelled"
			return out, nil
		}
	}
}

// look is what is remembered of a target between two looks.
type look struct {
	shown  matomo.Recorded
	lately matomo.Lately
	sent   []sent // while the run goes on, oldest first
	fresh  *float64
	alike  int // looks in a row that showed the same
	failed int // looks in a row
}

// calm is how many looks in a row must show the same before what is missing is missing for good. A queue is worked off by
// a cron job once a minute, as a rule, and until then neither the reports nor the raw log show what it holds.
const calm = 7

// patience is how often in a row a target may not answer before nobody waits for it any more.
const patience = 3

// earlierLives is told of a run whose loadgen was started again in its midst.
const earlierLives = "The loadgen was started again while the run went on, and its ledger is that of the last start: what it sent before is counted as more, and may hide what is missing"

// errNotSaved is told of a target that the run sent to and that nobody can ask.
const errNotSaved = "no saved target has its address; save it again with a token that may view the site"

// sent is how many visits had surely arrived at a moment.
type sent struct {
	at     time.Time
	visits uint64
}

// each looks at all targets at once; settled says that none needs another look.
func each(ctx context.Context, m Matomo, r Run, looks map[string]*look) (out []record.ReconciledTarget, settled bool) {
	names := slices.Sorted(maps.Keys(r.Summary.Targets))
	out = make([]record.ReconciledTarget, len(names))
	done := make([]bool, len(names))
	var all sync.WaitGroup
	for i, name := range names {
		at := slices.IndexFunc(r.Targets, func(t target.Target) bool { return t.Name == name })
		if at < 0 {
			out[i], done[i] = record.ReconciledTarget{Name: name, SiteID: r.Summary.Targets[name].SiteID, Error: errNotSaved, Rows: []record.ReconciledRow{}}, true
			continue
		}
		if looks[name] == nil {
			looks[name] = &look{}
		}
		k := looks[name]
		all.Go(func() { out[i], done[i] = one(ctx, m, r, r.Targets[at], k) })
	}
	all.Wait()
	return out, !slices.Contains(done, false)
}

// one looks at one target.
func one(ctx context.Context, m Matomo, r Run, t target.Target, k *look) (record.ReconciledTarget, bool) {
	out := record.ReconciledTarget{Name: t.Name, SiteID: t.SiteID, Rows: []record.ReconciledRow{}}
	sentTo := r.Summary.Targets[t.Name]
	zone := r.Zone
	if site, err := m.Site(ctx, t); err == nil {
		zone = zoneOf(site.Timezone, zone)
	}
	s := slice(r, sentTo, zone)
	shown, err := m.Recorded(ctx, t, s)
	if err != nil {
		out.Error = err.Error() + "; give a token whose user may view the site"
		k.failed++
		return out, k.failed >= patience
	}
	k.failed = 0
	before, looked := sumOf(r.Before[place(t)], s)
	out.Slice, out.Limits = isolated(r, before, looked)
	if r.Summary.FirstVisit > 0 && r.Summary.Kind != record.BackfillJob {
		out.Limits = strings.TrimPrefix(out.Limits+". "+earlierLives, ". ")
	}
	all := shown
	if out.Slice == "difference" {
		shown = less(all, before)
	} else {
		before = matomo.Recorded{}
	}
	out.Rows = rows(sentTo, r.Summary.Killed > 0, shown)
	midnight := time.Date(s.From.Year(), s.From.Month(), s.From.Day(), 0, 0, 0, 0, zone)
	lately, err := m.Lately(ctx, t, minutesSince(midnight), s.Segment)
	raw := err == nil && recent(midnight)
	if raw && r.Summary.Ended.IsZero() {
		k.follow(sentTo, before.Visits, lately)
	}
	out.Freshness = k.fresh
	if k.alike++; !same(k.shown, all) || raw && lately != k.lately {
		k.alike = 0
	}
	// The reports may hold each visit but not yet its last actions.
	archived := raw && lately.Visits == all.Visits && lately.Actions <= all.Actions()
	k.shown, k.lately = all, lately
	return out, equal(out.Rows) || k.alike >= calm && archived
}

// follow notes how long it took until what had been sent was visible beside the visits that were there before.
func (k *look) follow(t record.Target, before uint64, now matomo.Lately) {
	v := t.Visits
	k.sent = append(k.sent, sent{time.Now(), before + v.Complete + v.Partial + v.Split})
	for len(k.sent) > 1 && k.sent[1].visits <= now.Visits {
		k.sent = k.sent[1:]
	}
	if first := k.sent[0]; first.visits > 0 && first.visits <= now.Visits {
		lag := time.Since(first.at).Seconds()
		k.fresh = &lag
	}
}

// slice is the part of the site's data that holds the run: the days of its visits, before there are any that of its begin.
func slice(r Run, t record.Target, zone *time.Location) matomo.Slice {
	days := slices.Collect(maps.Keys(t.Opened.Days))
	if len(days) == 0 {
		days = []string{r.Summary.Started.In(zone).Format(time.DateOnly)}
	}
	var s matomo.Slice
	s.From, _ = time.Parse(time.DateOnly, slices.Min(days)) // both were formatted so
	s.To, _ = time.Parse(time.DateOnly, slices.Max(days))
	if r.Dimension > 0 {
		s.Segment = fmt.Sprintf("dimension%d==%s", r.Dimension, r.Summary.RunID)
	}
	return s
}

// isolated tells how the run is told from other traffic, and what that cannot tell.
func isolated(r Run, before matomo.Recorded, looked bool) (by, limits string) {
	switch {
	case r.Dimension > 0:
		return "dimension", ""
	case !looked:
		return "site", "Nobody looked at the site before the run: what else was sent to it on these days is counted too"
	case before.Visits == 0:
		return "site", "The site had no visits on these days before; what others send to it during the run is counted too"
	default:
		return "difference", "The site had visits on these days before, which are taken off; what others send to it during the run is counted too, and reports may have been 15 minutes old. Set RUN_DIMENSION to tell the run's visits apart"
	}
}

func equal(rows []record.ReconciledRow) bool {
	return !slices.ContainsFunc(rows, func(r record.ReconciledRow) bool {
		return r.Verdict == record.RowShort || r.Verdict == record.RowMore
	})
}

// recent tells whether the raw log can be asked for all since then: Live.getCounters goes back 2,880 minutes.
func recent(since time.Time) bool { return time.Since(since) < 46*time.Hour }

// minutesSince covers all that was recorded since then.
func minutesSince(since time.Time) int { return int(time.Since(since).Minutes()) + 1 }
