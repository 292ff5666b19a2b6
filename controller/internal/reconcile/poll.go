package reconcile

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/reconcile/comparison"
	"github.com/puttrix/trafficinator/controller/internal/reconcile/evidence"
	"github.com/puttrix/trafficinator/shared/matomo"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

// look is what is remembered of a site between two looks.
type look struct {
	shown  matomo.Figures
	log    *evidence.RawLog
	sent   []arrived // while the run goes on, oldest first
	fresh  *float64
	alike  int // looks in a row that showed the same
	failed int // looks in a row
}

// calm is how many looks in a row must show the same before what is missing is missing for good. A queue is worked off
// by a cron job once a minute, as a rule, and until then neither the reports nor the raw log show what it holds.
const calm = 7

// patience is how often in a row a site may not answer before nobody waits for it any more.
const patience = 3

// arrived is how many visits had surely arrived at a moment.
type arrived struct {
	at     time.Time
	visits uint64
}

// each looks at all sites at once; settled says that none needs another look.
func each(
	ctx context.Context,
	m Matomo,
	r Run,
	looks map[string]*look,
) (out []comparison.ReconciledTarget, settled bool) {
	out = make([]comparison.ReconciledTarget, len(r.Sites))
	done := make([]bool, len(r.Sites))
	var all sync.WaitGroup
	for i, s := range r.Sites {
		if looks[s.Name] == nil {
			looks[s.Name] = &look{}
		}
		k := looks[s.Name]
		all.Go(func() { out[i], done[i] = one(ctx, m, r, s, k) })
	}
	all.Wait()
	return out, !slices.Contains(done, false)
}

// one looks at one site.
func one(ctx context.Context, m Matomo, r Run, s Site, k *look) (comparison.ReconciledTarget, bool) {
	out := comparison.ReconciledTarget{
		Name:   s.Name,
		SiteID: s.SiteID,
		Error:  s.Error,
		Rows:   []comparison.ReconciledRow{},
	}
	if s.Error != "" {
		return out, true
	}
	all, parts := sentTo(r.Summary, s)
	out.Parts = parts
	zone := r.Zone
	if site, err := m.Site(ctx, s.Target); err == nil {
		zone = zoneOf(&site, zone)
	}
	before := r.Before[place(s.Target)]
	from, to := before.widened(days(r.Summary, all, zone))
	slice, err := sliceOf(from, to, segment(r))
	if err == nil {
		var shown matomo.Figures
		if shown, err = m.Figures(ctx, s.Target, slice); err == nil {
			k.failed = 0
			was, looked := before.of(from, to)
			log := rawLog(ctx, m, s.Target, slice, zone, shown.Days)
			return k.compare(r, s, out, all, seen{shown, log, was, held(was), looked, before})
		}
	}
	out.Error = errorOf(err, s)
	k.failed++
	return out, k.failed >= patience
}

// errorOf is the error of a question with what to do about it.
func errorOf(err error, s Site) string {
	text := matomo.Explain(err)
	if s.Note != "" {
		text += ". " + s.Note
	}
	return text
}

// seen is what a look finds.
type seen struct {
	shown matomo.Figures
	log   *evidence.RawLog
	// was is what the reports showed of these days before the run, and wasLog what the raw log held.
	was    matomo.Figures
	wasLog evidence.RawLog
	looked bool
	before Before
}

// compare sets what a look finds beside the ledger; false says that another look may find more.
func (k *look) compare(r Run, s Site, out comparison.ReconciledTarget, all runsummary.Target,
	f seen) (comparison.ReconciledTarget, bool) {
	now := sight{reports: f.shown, raw: f.log, behind: behind(f.shown, f.log)}
	if f.before.behind() {
		f.wasLog, now.wasBehind = *f.before.Log, true
	}
	out.Slice, out.Limits = isolated(r, f.wasLog.Visits.Most, f.looked)
	now.others = others(r, f.looked)
	switch {
	case out.Slice != "difference":
		f.wasLog, now.wasBehind = evidence.RawLog{}, false
	default:
		now.reports = less(f.shown, f.was)
		if f.log != nil {
			log := lessLog(*f.log, f.wasLog)
			now.raw = &log
		}
	}
	for _, limit := range []string{earlierLives(r), s.Note} {
		if limit != "" {
			out.Limits = strings.TrimPrefix(out.Limits+". "+limit, ". ")
		}
	}
	out.Rows = rows(sent{all, r.Largest}, now)
	if f.log != nil && r.Summary.Ended.IsZero() {
		k.follow(all, f.wasLog.Visits.Least, f.log.Visits.Least)
	}
	out.Freshness = k.fresh
	if k.alike++; !same(k.shown, f.shown) || !same(k.log, f.log) {
		k.alike = 0
	}
	k.shown, k.log = f.shown, f.log
	return out, settled(out.Rows) || k.alike >= calm && f.log != nil && !now.behind
}

// follow notes how long it took until what had been sent was visible beside the visits that were there before.
func (k *look) follow(t runsummary.Target, before, now uint64) {
	v := t.Visits
	k.sent = append(k.sent, arrived{time.Now(), before + v.Complete + v.Partial + v.Split})
	for len(k.sent) > 1 && k.sent[1].visits <= now {
		k.sent = k.sent[1:]
	}
	if first := k.sent[0]; first.visits > 0 && first.visits <= now {
		lag := time.Since(first.at).Seconds()
		k.fresh = &lag
	}
}

// settled tells whether no row is off, so that nothing is waited for.
func settled(rows []comparison.ReconciledRow) bool {
	return !slices.ContainsFunc(rows, func(r comparison.ReconciledRow) bool {
		return r.Verdict != comparison.MatchEqual && r.Verdict != comparison.MatchIncomparable
	})
}

// days are the first and the last day (YYYY-MM-DD) on which anything was sent to a site. The ledger has the days of
// visits that were surely opened; those in doubt, and second parts of split ones, may be of any day on which the run
// sent.
func days(s runsummary.Summary, sent runsummary.Target, zone *time.Location) (first, last string) {
	all := slices.Collect(maps.Keys(sent.Opened.Days))
	if s.Backfill != nil {
		for _, d := range s.Backfill.Days {
			if d.Sent+d.Unknown+d.Rejected > 0 {
				all = append(all, d.Date)
			}
		}
	} else if inDoubt(sent) || sent.Visits.Split > 0 { // Matomo splits visits at midnight, the second part is of the next day
		ended := s.Ended
		if ended.IsZero() {
			ended = time.Now()
		}
		for _, at := range []time.Time{s.Started.Add(-reach), ended} {
			all = append(all, at.In(zone).Format(time.DateOnly))
		}
	}
	if len(all) == 0 {
		all = []string{s.Started.In(zone).Format(time.DateOnly)}
	}
	return slices.Min(all), slices.Max(all)
}

// inDoubt tells whether a hit or a visit may have been recorded of which the ledger has no day.
func inDoubt(sent runsummary.Target) bool {
	for _, h := range sent.ByKind {
		if h.Unknown+h.Rejected > 0 {
			return true
		}
	}
	return sent.Visits.Uncertain > 0
}

// segment is the run's own, in Matomo's language.
func segment(r Run) string {
	if r.Dimension == 0 {
		return ""
	}
	return fmt.Sprintf("dimension%d==%s", r.Dimension, r.Summary.RunID)
}

// isolated tells how the run is told from other traffic, of which there were some visits before, and what that cannot
// tell.
func isolated(r Run, before uint64, looked bool) (by, limits string) {
	switch {
	case r.Dimension > 0:
		return "dimension", ""
	case !looked:
		return "site", "Nobody looked at the site before the run: what else was sent to it on these days is counted too"
	case before == 0:
		return "site", "The site had no visits on these days before; what others send to it during the run " +
			"is counted too"
	default:
		return "difference", "The site had visits on these days before, which are taken off; what others send to it " +
			"during the run is counted too. Set RUN_DIMENSION to tell the run's visits apart"
	}
}

// others is why more than was sent proves nothing, "" where it does.
func others(r Run, looked bool) string {
	switch {
	case earlierLives(r) != "":
		return "what the loadgen sent before it was started again is counted too"
	case r.Dimension == 0 && !looked:
		return "nobody looked at the site before the run, so that visits of others may be among them"
	}
	return ""
}

// earlierLives says what is not known of a run whose loadgen was started again while it went on; "" for others.
func earlierLives(r Run) string {
	if r.Summary.FirstVisit == 0 || r.Summary.Kind == runsummary.BackfillJob {
		return ""
	}
	return "The loadgen was started again while the run went on, and its ledger is that of the last start: what it " +
		"sent before is counted too, and may hide what is missing"
}
