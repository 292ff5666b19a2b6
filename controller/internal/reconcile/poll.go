package reconcile

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/reconcile/comparison"
	"github.com/puttrix/trafficinator/controller/internal/reconcile/evidence"
	"github.com/puttrix/trafficinator/shared/matomo"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

// history is what is remembered of a site between two comparisons.
type history struct {
	shown     matomo.Figures
	log       *evidence.RawLog
	sent      []arrived // while the run is in progress, oldest first
	freshness *float64
	unchanged int // consecutive comparisons with the same figures
	failed    int // consecutive failures
}

// stable is how many consecutive comparisons must show the same figures before missing hits count as lost. A queue is
// usually processed by a cron job once a minute; until then neither the reports nor the raw log show what it contains.
const stable = 7

// patience is how many consecutive failures of a site end the wait for it.
const patience = 3

// arrived is how many visits had certainly arrived at a moment.
type arrived struct {
	at     time.Time
	visits uint64
}

// compareSites compares all sites in parallel; settled reports that no site needs another comparison.
func compareSites(ctx context.Context, m Matomo, r Run,
	known map[string]*history) (out []comparison.ReconciledTarget, settled bool) {
	out = make([]comparison.ReconciledTarget, len(r.Sites))
	done := make([]bool, len(r.Sites))
	var all sync.WaitGroup
	for i, s := range r.Sites {
		if known[s.Name] == nil {
			known[s.Name] = &history{}
		}
		h := known[s.Name]
		all.Go(func() { out[i], done[i] = compareSite(ctx, m, r, s, h) })
	}
	all.Wait()
	return out, !slices.Contains(done, false)
}

func compareSite(ctx context.Context, m Matomo, r Run, s Site, h *history) (comparison.ReconciledTarget, bool) {
	out := comparison.ReconciledTarget{Name: s.Name, SiteID: s.SiteID, Error: s.Error}
	out.Rows = []comparison.ReconciledRow{}
	if s.Error != "" {
		return out, true
	}
	all, parts := sentTo(r.Summary, s)
	out.Parts = parts
	zone := zoneOf(ctx, m, s.Target, r.Zone)
	before := r.Before[siteKey(s.Target)]
	from, to := before.widened(days(r.Summary, all, zone))
	query, err := queryOf(from, to, segment(r))
	if err == nil {
		var shown matomo.Figures
		if shown, err = m.Figures(ctx, s.Target, query); err == nil {
			h.failed = 0
			was, queried := before.of(from, to)
			log := rawLog(ctx, m, s.Target, query, zone, shown.Days)
			return h.compare(r, s, out, all, observation{shown, log, was, rawLogOf(was), queried, before})
		}
	}
	out.Error = errorOf(err, s)
	h.failed++
	return out, h.failed >= patience
}

// errorOf describes the error of a query, with the note of the site.
func errorOf(err error, s Site) string {
	text := matomo.Explain(err)
	if s.Note != "" {
		text += ". " + s.Note
	}
	return text
}

// observation is what a site shows at one moment.
type observation struct {
	shown matomo.Figures
	log   *evidence.RawLog
	// was and wasLog are the reports and the raw log of these days before the run.
	was    matomo.Figures
	wasLog evidence.RawLog
	// queried reports whether the site was queried before the run.
	queried bool
	before  Before
}

// compare compares what a site shows with the summary; it is false if another comparison may show more.
func (h *history) compare(r Run, s Site, out comparison.ReconciledTarget, all runsummary.Target,
	o observation) (comparison.ReconciledTarget, bool) {
	now := figures{reports: o.shown, raw: o.log, behind: behind(o.shown, o.log)}
	if o.before.behind() {
		o.wasLog, now.wasBehind = *o.before.Log, true
	}
	out.Slice, out.Limits = isolation(r, o.wasLog.Visits.Most, o.queried)
	now.otherTraffic = otherTraffic(r, o.queried)
	if out.Slice != "difference" {
		o.wasLog, now.wasBehind = evidence.RawLog{}, false
	} else {
		now.reports = less(o.shown, o.was)
		if o.log != nil {
			now.raw = new(lessLog(*o.log, o.wasLog))
		}
	}
	for _, limit := range []string{restarted(r), s.Note} {
		if limit != "" {
			out.Limits = strings.TrimPrefix(out.Limits+". "+limit, ". ")
		}
	}
	out.Rows = rows(sent{all, r.Largest}, now)
	if o.log != nil && r.Summary.Ended.IsZero() {
		h.measureFreshness(all, o.wasLog.Visits.Least, o.log.Visits.Least)
	}
	out.Freshness = h.freshness
	if h.unchanged++; !reflect.DeepEqual(h.shown, o.shown) || !reflect.DeepEqual(h.log, o.log) {
		h.unchanged = 0
	}
	h.shown, h.log = o.shown, o.log
	return out, settled(out.Rows) || h.unchanged >= stable && o.log != nil && !now.behind
}

// measureFreshness measures how long it took until sent visits were visible in addition to earlier ones.
func (h *history) measureFreshness(t runsummary.Target, before, now uint64) {
	v := t.Visits
	h.sent = append(h.sent, arrived{time.Now(), before + v.Complete + v.Partial + v.Split})
	for len(h.sent) > 1 && h.sent[1].visits <= now {
		h.sent = h.sent[1:]
	}
	if first := h.sent[0]; first.visits > 0 && first.visits <= now {
		h.freshness = new(time.Since(first.at).Seconds())
	}
}

// settled reports whether no row is off.
func settled(rows []comparison.ReconciledRow) bool {
	return !slices.ContainsFunc(rows, func(r comparison.ReconciledRow) bool {
		return r.Verdict != comparison.MatchEqual && r.Verdict != comparison.MatchIncomparable
	})
}

// days returns the first and the last day (YYYY-MM-DD) on which hits were sent to a site. The summary has the days of
// visits that were certainly started; those in doubt, and second parts of split ones, may be on any day of the run.
func days(s runsummary.Summary, sent runsummary.Target, zone *time.Location) (first, last string) {
	all := slices.Collect(maps.Keys(sent.Opened.Days))
	if s.Backfill != nil {
		for _, d := range s.Backfill.Days {
			if d.Sent+d.Unknown+d.Rejected > 0 {
				all = append(all, d.Date)
			}
		}
	} else if h := sum(sent.ByKind); h.Unknown+h.Rejected+sent.Visits.Uncertain+sent.Visits.Split > 0 {
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

// segment returns the Matomo segment of the run, if it has one.
func segment(r Run) string {
	if r.Dimension == 0 {
		return ""
	}
	return fmt.Sprintf("dimension%d==%s", r.Dimension, r.Summary.RunID)
}

// isolation returns how the run is distinguished from other traffic, and the limits of that. before is the number of
// visits before the run.
func isolation(r Run, before uint64, queried bool) (by, limits string) {
	switch {
	case r.Dimension > 0:
		return "dimension", ""
	case !queried:
		return "site", "The site was not queried before the run; other traffic on these days is counted too"
	case before == 0:
		return "site", "The site had no earlier visits on these days; other traffic during the run is counted too"
	default:
		return "difference", "The site had earlier visits on these days, which are subtracted; other traffic during the " +
			"run is counted too. Set RUN_DIMENSION to distinguish the visits of the run"
	}
}

// otherTraffic returns why more hits than were sent are no error, or "" if they are.
func otherTraffic(r Run, queried bool) string {
	switch {
	case restarted(r) != "":
		return "hits that the loadgen sent before its restart are counted too"
	case r.Dimension == 0 && !queried:
		return "the site was not queried before the run, so other visits may be included"
	}
	return ""
}

// restarted describes the limits of a run whose loadgen was restarted, or returns "".
func restarted(r Run) string {
	if r.Summary.FirstVisit == 0 || r.Summary.Kind == runsummary.BackfillJob {
		return ""
	}
	return "The loadgen was restarted during the run, and the run summary covers only the time since then; earlier hits are " +
		"counted too, and may hide missing ones"
}
