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

// explain adds the evidence for causes to targets that are off. complete reports that Matomo shows all that it has.
func explain(ctx context.Context, m Matomo, r Run, targets []comparison.ReconciledTarget, complete bool) {
	for i := range targets {
		t := &targets[i]
		if t.Verdict == comparison.MatchEqual || t.Verdict == comparison.MatchIncomparable || r.Sites[i].Error != "" {
			continue
		}
		t.Causes = append(rowCauses(t.Rows, t.Slice), causes(ctx, m, r, r.Sites[i], t.Verdict, complete)...)
	}
}

// rowCauses returns the causes that follow from the rows.
func rowCauses(rows []comparison.ReconciledRow, slice string) []comparison.Cause {
	totals := map[string]comparison.ReconciledRow{}
	for _, row := range rows {
		if row.Group == "total" {
			totals[row.Name] = row
		}
	}
	if actions := totals["actions"]; actions.Verdict == comparison.MatchMore {
		cure := "look for other traffic to the site, and for a proxy or a queue that sends hits twice"
		if slice != "dimension" {
			cure += "; RUN_DIMENSION distinguishes the visits of the run"
		}
		return []comparison.Cause{{Kind: "surplus", Cure: cure,
			Message: fmt.Sprintf("%s more actions were recorded than can have been sent", export.Figure(actions.Off))}}
	}
	if visits := totals["visits"]; visits.Verdict == comparison.MatchMore {
		return []comparison.Cause{{Kind: "visits_split",
			Message: fmt.Sprintf("Matomo created %s more visits from the same actions: it ends a visit sooner than "+
				"the pauses in these visits last", export.Figure(visits.Off)),
			Cure: "check visit_standard_length under [Tracker] in Matomo's config/config.ini.php; its default is " +
				"1800 seconds"}}
	}
	return nil
}

func causes(ctx context.Context, m Matomo, r Run, s Site, verdict comparison.Match, complete bool) []comparison.Cause {
	t := s.Target
	var out []comparison.Cause
	add := func(kind, cure, format string, args ...any) {
		out = append(out, comparison.Cause{Kind: kind, Message: fmt.Sprintf(format, args...), Cure: cure})
	}
	sent, _ := sentTo(r.Summary, s)
	h := sum(sent.ByKind)
	if h.Rejected > 0 {
		add("rejected", "see the log of the run for the reason",
			"%d hits were rejected; they may have been recorded anyway, so they widen the expected range", h.Rejected)
	}
	if h.Unknown > 0 {
		add("unknown", "", "%d hits have an unknown outcome and may or may not have been recorded", h.Unknown)
	}
	if r.Summary.Killed > 0 {
		add("killed", "", "the loadgen was killed; hits of its last second count as unknown")
	}
	const archive = "run `./console core:archive` on Matomo's server, or reconcile again later"
	switch {
	case verdict == comparison.MatchNotArchived:
		add("archiving", archive, "the raw log has all hits, but the reports do not show them yet")
	case !complete && verdict != comparison.MatchMore:
		add("archiving", archive, "the wait ended while the reports were behind the raw log or still changing; a "+
			"queue or archiving may add to them")
	}
	excluded(ctx, m, t, add)
	if failures, err := m.Failures(ctx, t); err == nil {
		for _, f := range failures {
			if !f.First.Before(r.Summary.Started.Add(-time.Minute)) {
				add("failures", "see Administration, Diagnostics, Tracking failures",
					"Matomo recorded a tracking failure at %s: %s", f.First.Format(time.DateTime), f.Problem)
			}
		}
	}
	e := doctor.Expectation{Dimension: r.Dimension, Past: backfilled(r.Summary.Backfill)}
	for k, kind := range hit.Rows {
		e.Sends[k] = sent.ByKind[kind.Name].Planned > 0
	}
	for _, f := range m.Diagnose(ctx, t, e).Findings {
		if slices.Contains(relevantChecks, f.Check) && (f.Verdict == doctor.Error || f.Verdict == doctor.Warning) {
			add(f.Check, f.Cure, "%s", f.Message)
		}
	}
	if skew, err := m.Skew(ctx, t); err == nil && skew.Abs() > 30*time.Second {
		add("clock", "synchronise both clocks with NTP",
			"Matomo's clock differs by %s from this one; hits with a future time are recorded with the current time",
			skew.Abs().Round(time.Second))
	}
	return out
}

// relevantChecks are the checks of the doctor that can explain a loss and are not covered by causes.
var relevantChecks = []string{"queue", "spam", "retention", "dimension", "created", "plugins", "search"}

// backfilled returns the days that were sent, nil for live traffic.
func backfilled(b *runsummary.Backfill) *calendar.Window {
	if b == nil || len(b.Days) == 0 {
		return nil
	}
	first, err1 := calendar.ParseDate(b.Days[0].Date)
	last, err2 := calendar.ParseDate(b.Days[len(b.Days)-1].Date)
	if err1 != nil || err2 != nil { // summaries have valid dates
		return nil
	}
	return &calendar.Window{First: first, Last: last}
}

// excluded reports what the site, or all of Matomo, does not record.
func excluded(ctx context.Context, m Matomo, t target.Target, add func(kind, cure, format string, args ...any)) {
	site, err := m.Site(ctx, t)
	if err != nil {
		return // the target has the error
	}
	all, err := m.Exclusions(ctx, t)
	if err != nil {
		all = evidence.Exclusions{} // a token without admin access; those of the site are known
	}
	list := func(kind, message string, values ...string) {
		if len(values) > 0 {
			add(kind, "check the settings of websites in Matomo", "%s: %s", message, strings.Join(values, ", "))
		}
	}
	list("excluded_addresses", "visits from these addresses are not recorded", append(site.ExcludedIPs, all.IPs...)...)
	list("excluded_agents", "visits of these user agents are not recorded",
		append(site.ExcludedAgents, all.Agents...)...)
	list("excluded_parameters", "these parameters are removed from URLs",
		append(site.ExcludedParameters, all.Parameters...)...)
	if site.KnownURLsOnly {
		add("known_urls", "use URLs that begin with "+site.MainURL, "only hits on the site's own URLs are recorded")
	}
}

func sum(byKind map[string]runsummary.Hits) (all runsummary.Hits) {
	for _, h := range byKind {
		all = all.Plus(h)
	}
	return all
}
