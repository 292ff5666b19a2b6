package reconcile

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/reconcile/comparison"
	"github.com/puttrix/trafficinator/controller/internal/reconcile/evidence"
	"github.com/puttrix/trafficinator/shared/calendar"
	"github.com/puttrix/trafficinator/shared/doctor"
	"github.com/puttrix/trafficinator/shared/export"
	"github.com/puttrix/trafficinator/shared/hit"
	"github.com/puttrix/trafficinator/shared/runsummary"
	"github.com/puttrix/trafficinator/shared/target"
)

// explain adds to targets with rows that are off what evidence there is for a cause. calm says that Matomo shows all
// that it holds.
func explain(ctx context.Context, m Matomo, r Run, targets []comparison.ReconciledTarget, calm bool) {
	for i := range targets {
		t := &targets[i]
		if t.Verdict == comparison.MatchEqual || t.Verdict == comparison.MatchIncomparable || r.Sites[i].Error != "" {
			continue
		}
		t.Causes = append(found(t.Rows, t.Slice), causes(ctx, m, r, r.Sites[i], t.Verdict, calm)...)
	}
}

// found are the causes that the rows themselves show.
func found(rows []comparison.ReconciledRow, slice string) []comparison.Cause {
	var visits, actions comparison.ReconciledRow
	for _, row := range rows {
		switch {
		case row.Group != "total":
		case row.Name == "visits":
			visits = row
		case row.Name == "actions":
			actions = row
		}
	}
	cure := "look for what sends to the site beside the run, and for a proxy or a queue that sends hits twice"
	if slice != "dimension" {
		cure += "; with RUN_DIMENSION the run's own visits can be told apart"
	}
	switch {
	case actions.Verdict == comparison.MatchMore:
		return []comparison.Cause{{Kind: "surplus",
			Message: fmt.Sprintf("%s actions more were recorded than can have been sent", export.Figure(actions.Off)),
			Cure:    cure}}
	case visits.Verdict == comparison.MatchMore:
		return []comparison.Cause{{
			Kind: "visits_split",
			Message: fmt.Sprintf("Matomo made %s visits more of the same actions: it ends a visit sooner than the "+
				"pauses in these visits last", export.Figure(visits.Off)),
			Cure: "look at visit_standard_length under [Tracker] in Matomo's config/config.ini.php, which is 1800 " +
				"seconds unless changed",
		}}
	}
	return nil
}

func causes(ctx context.Context, m Matomo, r Run, s Site, verdict comparison.Match, calm bool) []comparison.Cause {
	t := s.Target
	var out []comparison.Cause
	add := func(kind, cure, format string, args ...any) {
		out = append(out, comparison.Cause{Kind: kind, Message: fmt.Sprintf(format, args...), Cure: cure})
	}
	sent, _ := sentTo(r.Summary, s)
	h := sum(sent.ByKind)
	if h.Rejected > 0 {
		add("rejected", "read why in the run's log",
			"%d hits were refused; a refusal is no proof that nothing was recorded, so they widen what is expected",
			h.Rejected)
	}
	if h.Unknown > 0 {
		add("unknown", "", "%d hits were sent without a clear answer and may have been recorded or not", h.Unknown)
	}
	if r.Summary.Killed > 0 {
		add("killed", "", "the loadgen was killed: what it may have sent in its last second is counted as unknown")
	}
	const archive = "run `./console core:archive` on Matomo's server, or reconcile again later"
	switch {
	case verdict == comparison.MatchNotArchived:
		add("archiving", archive, "the raw log holds all that was sent, but the reports do not show it yet")
	case !calm && verdict != comparison.MatchMore:
		add("archiving", archive,
			"the wait ended while the reports were behind the raw log, or might still change: a queue or archiving "+
				"may add to them")
	}
	excluded(ctx, m, t, add)
	if failures, err := m.Failures(ctx, t); err == nil {
		for _, f := range failures {
			if !f.First.Before(r.Summary.Started.Add(-time.Minute)) {
				add("failures", "see Administration, Diagnostics, Tracking failures",
					"Matomo noted a tracking failure at %s: %s", f.First.Format(time.DateTime), f.Problem)
			}
		}
	}
	e := doctor.Expectation{Dimension: r.Dimension, Past: past(r)}
	for k, kind := range hit.Rows {
		e.Sends[k] = sent.ByKind[kind.Name].Planned > 0
	}
	for _, f := range m.Diagnose(ctx, t, e).Findings {
		if slices.Contains(telling, f.Check) && (f.Verdict == doctor.Error || f.Verdict == doctor.Warning) {
			add(f.Check, f.Cure, "%s", f.Message)
		}
	}
	if skew, err := m.Skew(ctx, t); err == nil && skew.Abs() > 30*time.Second {
		add("clock", "set both clocks by NTP",
			"Matomo's clock and the one here are %s apart: hits of its future are booked as now",
			skew.Abs().Round(time.Second))
	}
	return out
}

// telling are the checks of the doctor that can explain a loss beyond what is asked for here.
var telling = []string{"queue", "spam", "retention", "dimension", "created", "plugins", "search"}

// past are the past days that were sent, nil for live traffic.
func past(r Run) *calendar.Window {
	if r.Summary.Backfill == nil || len(r.Summary.Backfill.Days) == 0 {
		return nil
	}
	days := r.Summary.Backfill.Days
	first, err1 := calendar.ParseDate(days[0].Date)
	last, err2 := calendar.ParseDate(days[len(days)-1].Date)
	if err1 != nil || err2 != nil { // a ledger writes no other
		return nil
	}
	return &calendar.Window{First: first, Last: last}
}

// excluded names what the site, or the whole Matomo, does not record.
func excluded(ctx context.Context, m Matomo, t target.Target, add func(kind, cure, format string, args ...any)) {
	const cure = "look at the settings of websites in Matomo"
	site, err := m.Site(ctx, t)
	if err != nil {
		return // the API cannot be asked: the target's error says so
	}
	all, err := m.Exclusions(ctx, t)
	if err != nil {
		all = evidence.Exclusions{} // a token without admin access: those of the site are known
	}
	if ips := append(site.ExcludedIPs, all.IPs...); len(ips) > 0 {
		add("excluded_addresses", cure, "visits from these addresses are not recorded: %s", strings.Join(ips, ", "))
	}
	if agents := append(site.ExcludedAgents, all.Agents...); len(agents) > 0 {
		add("excluded_agents", cure, "visits of these user agents are not recorded: %s", strings.Join(agents, ", "))
	}
	if parameters := append(site.ExcludedParameters, all.Parameters...); len(parameters) > 0 {
		add("excluded_parameters", cure, "these parameters are cut off URLs: %s", strings.Join(parameters, ", "))
	}
	if site.KnownURLsOnly {
		add("known_urls", "let the list of pages begin with "+site.MainURL,
			"only hits on the site's own URLs are recorded")
	}
}

func sum(byKind map[string]runsummary.Hits) (all runsummary.Hits) {
	for _, h := range byKind {
		all = all.Plus(h)
	}
	return all
}
