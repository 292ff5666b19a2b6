package plan

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/visit"
	"github.com/puttrix/trafficinator/shared/funnel"
	"github.com/puttrix/trafficinator/shared/hit"
	"github.com/puttrix/trafficinator/shared/profile"
	"github.com/puttrix/trafficinator/shared/spec"
	"github.com/puttrix/trafficinator/shared/urllist"
)

// addWarnings warns of settings that are valid but probably unintended.
func (l *loader) addWarnings() {
	k, p := l.plan.spec, l.plan
	if k.RandomizeCountries {
		for _, t := range p.Targets {
			if t.Token.Reveal() == "" {
				l.problems.Warn("RANDOMIZE_VISITOR_COUNTRIES", "true",
					"has no token at target "+t.Name+
						": visits are recorded there with the generator's own address, and only the language indicates "+
						"a country", "set a token with write access")
			}
		}
	}
	l.warnConcurrency()
	l.warnFunnels()
	if limit := float64(k.PageviewsMin) * visit.MaxGap.Minutes(); k.DurationMax > limit {
		l.problems.Warn("VISIT_DURATION_MAX", strconv.FormatFloat(k.DurationMax, 'f', -1, 64),
			fmt.Sprintf("is too long for visits of few pages, because a gap of 30 minutes ends a visit; those "+
				"of PAGEVIEWS_MIN pages are shortened to %.0f minutes", math.Floor(limit)),
			"raise PAGEVIEWS_MIN or lower it")
	}
	for i, e := range p.extras() {
		if e.Kind == hit.Event && e.Share > 0 && len(e.Events) == 0 {
			l.problems.Warn(spec.Extras[i].Key, fmt.Sprint(e.Share), "has no events to send",
				"add events to events.json or set it to 0")
		}
	}
}

// warnFunnels warns of funnels whose visitors continue browsing on a host without pages in the list: they would repeat
// the funnel's own pages, which counts as its steps.
func (l *loader) warnFunnels() {
	hosts := map[string]bool{}
	for _, page := range l.plan.Pages {
		hosts[visit.Host(page.URL)] = true
	}
	for i, f := range l.plan.Funnels {
		host := ""
		for _, s := range f.Steps {
			if s.Type == funnel.Pageview {
				host = visit.Host(s.URL)
			}
		}
		if f.Enabled && !f.ExitAfterCompletion && host != "" && !hosts[host] {
			l.problems.Warn(fmt.Sprintf("%s: [%d].exit_after_completion", l.plan.Sources["funnels"], i), "false",
				"lets visitors continue browsing, but the page list has none on "+host+
					", so that they repeat the funnel's own pages", "add pages on that host, or set it to true")
		}
	}
}

// warnConcurrency compares CONCURRENCY with the rate, if that is known.
func (l *loader) warnConcurrency() {
	k := l.plan.spec
	if k.CapacitySearch || k.BackfillEnabled {
		return
	}
	requests := l.plan.HitsPerSecond()
	if k.SendMode == "bulk" {
		requests /= float64(k.BulkSize)
	}
	if need := int(math.Ceil(requests * k.RequestTimeout)); k.Concurrency > max(need, 50) {
		l.problems.Warn("CONCURRENCY", strconv.Itoa(k.Concurrency),
			fmt.Sprintf("is more than the rate needs even if every request took the full timeout (%d)", need),
			"lower it")
	}
	if answer := float64(k.Concurrency) / requests; answer < 0.05 {
		l.problems.Warn("CONCURRENCY", strconv.Itoa(k.Concurrency),
			fmt.Sprintf("is enough only if the target answers within %.2g ms", 1000*answer), "raise it")
	}
}

func (l *loader) addNotes() {
	p := l.plan
	add := func(format string, args ...any) { p.Notes = append(p.Notes, fmt.Sprintf(format, args...)) }
	for _, t := range p.Targets {
		add("target %s: site %d at %s", t.Name, t.SiteID, t.URL)
	}
	peak := ""
	if p.Load.Kind() != profile.Constant {
		peak = "at most "
	}
	if k := p.spec; k.CapacitySearch {
		add("rate: searched from %g to %g visits/s, about %.3g hits per visit", k.CapacityFrom, k.CapacityTo,
			p.HitsPerSecond()/k.CapacityFrom)
	} else {
		add("rate: %s%.3g visits/s, about %.3g hits/s", peak, p.Load.Peak()/86400, p.HitsPerSecond())
	}
	if p.Load.Kind() == profile.Week {
		add("planned: %.0f visits a week, from Monday to Sunday %s", 7*p.spec.VisitsPerDay, p.visitsByWeekday())
	} else if visits, length, by := p.plannedVisits(); by != "" {
		add("planned: %d visits in %s", visits, length.Round(time.Second))
	}
	if k := &p.spec; k.SendMode == "bulk" && !k.BackfillEnabled {
		why := ""
		if !k.Set["CONCURRENCY"] {
			why = " (the default, because CONCURRENCY is not set)"
		}
		add("bulk: up to %d hits per request and %d requests in flight%s", k.BulkSize, k.Concurrency, why)
	}
	shares := funnel.Shares(p.Funnels)
	browsing := 1.0
	for i, f := range p.Funnels {
		if f.Enabled {
			add("funnel %q: %.1f %% of all visits (probability %g, priority %d)", f.Name, 100*shares[i], f.Probability,
				f.Priority)
			browsing -= shares[i]
		}
	}
	add("browsing: %.1f %% of all visits, bounces %.1f %%", 100*browsing, 100*browsing*p.spec.BounceProbability)
	add("visits with a %s (funnels included, by the first %d visits)", p.sample, sampleSize)
	p.addPageNotes(add)
}

// addPageNotes describes pages that Matomo records differently than listed.
func (p *Plan) addPageNotes(add func(format string, args ...any)) {
	from := p.Sources["pages"]
	hosts := map[string]bool{}
	var others, merged []string
	for _, page := range p.Pages {
		if why := urllist.Classify(page).Explain(); why != "" {
			others = append(others, fmt.Sprintf("line %d: %s", page.Line, why))
		}
		hosts[visit.Host(page.URL)] = true
	}
	for _, m := range urllist.FindMerged(p.Pages) {
		merged = append(merged, fmt.Sprintf("line %d: is one page with line %d in the reports of %s", m.Page.Line,
			m.With.Line, urllist.MergedBy))
	}
	for _, lines := range [][]string{others, merged} {
		for _, line := range lines[:min(len(lines), maxListed)] {
			add("%s %s", from, line)
		}
		if more := len(lines) - maxListed; more > 0 {
			add("%s: %d more such lines", from, more)
		}
	}
	add("pages: %d on %d host(s), from %s", len(p.Pages), len(hosts), from)
}

// maxListed is how many lines of the URL list are listed individually.
const maxListed = 20

func (p *Plan) visitsByWeekday() string {
	curve, _ := profile.ParseCurve(p.spec.LoadCurve)
	days := make([]string, 7)
	for d := range time.Weekday(7) {
		days[d] = fmt.Sprintf("%.0f", p.spec.VisitsPerDay*curve.Share((d+1)%7))
	}
	return strings.Join(days, ", ")
}
