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

// place names a step of a funnel file.
func place(file string, funnel, step int) string {
	return fmt.Sprintf("%s: [%d].steps[%d]", file, funnel, step)
}

// warn tells what is permitted and probably not meant.
func (l *loader) warn() {
	k, p := l.plan.Spec, l.plan
	if k.RandomizeCountries {
		for _, t := range p.Targets {
			if t.Token.Reveal() == "" {
				l.problems.Warn("RANDOMIZE_VISITOR_COUNTRIES", "true",
					"has no token at target "+t.Name+
						": visits are recorded there with the generator's own address, and the language alone tells "+
						"a country", "give a token with write access")
			}
		}
	}
	l.warnOfConcurrency()
	l.warnOfFunnels()
	if most := float64(k.PageviewsMin) * visit.MaxGap.Minutes(); k.DurationMax > most {
		l.problems.Warn("VISIT_DURATION_MAX", strconv.FormatFloat(k.DurationMax, 'f', -1, 64),
			fmt.Sprintf("cannot be reached by visits of few pages, because a gap of 30 minutes ends a visit; those "+
				"of PAGEVIEWS_MIN pages are shortened to %.0f minutes", math.Floor(most)),
			"raise PAGEVIEWS_MIN or lower it")
	}
	for i, e := range p.extras() {
		if e.Kind == hit.Event && e.Share > 0 && len(e.Events) == 0 {
			l.problems.Warn(spec.Extras[i].Key, fmt.Sprint(e.Share), "has no event to send",
				"add events to events.json or set it to 0")
		}
	}
}

// warnOfFunnels tells of funnels whose visitors browse on but find no page of the list on their host: they would walk
// the funnel's own pages again, which counts as its steps.
func (l *loader) warnOfFunnels() {
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
				"lets visitors browse on, but the list of pages has none on "+host+
					", so that they walk the funnel's own pages again", "add pages of that host, or set it to true")
		}
	}
}

// warnOfConcurrency compares the pool with the rate, where that is known.
func (l *loader) warnOfConcurrency() {
	k := l.plan.Spec
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
			fmt.Sprintf("carries the rate only if the target answers within %.2g ms", 1000*answer), "raise it")
	}
}

// note tells what the settings amount to.
func (l *loader) note() {
	p := l.plan
	add := func(format string, args ...any) { p.Notes = append(p.Notes, fmt.Sprintf(format, args...)) }
	for _, t := range p.Targets {
		add("target %s: site %d at %s", t.Name, t.SiteID, t.URL)
	}
	m := p.sample()
	peak := ""
	if p.Load.Kind() != profile.Constant {
		peak = "at most "
	}
	if k := p.Spec; k.CapacitySearch {
		add("rate: searched from %g to %g visits/s, with about %.3g hits a visit", k.CapacityFrom, k.CapacityTo,
			p.HitsPerSecond()/k.CapacityFrom)
	} else {
		add("rate: %s%.3g visits/s, about %.3g hits/s", peak, p.Load.Peak()/86400, p.HitsPerSecond())
	}
	if planned := p.planned(); planned != "" {
		add("planned: %s", planned)
	}
	if k := &p.Spec; k.SendMode == "bulk" && !k.BackfillEnabled {
		why := ""
		if !k.Set["CONCURRENCY"] {
			why = ", as many as a Matomo makes use of: CONCURRENCY is not set"
		}
		add("bulk: at most %d hits a request and %d requests in flight%s", k.BulkSize, k.Concurrency, why)
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
	add("browsing: %.1f %% of all visits, bounces %.1f %%", 100*browsing, 100*browsing*p.Spec.BounceProbability)
	add("visits with a %s (funnels included, by the first %d visits)", m, sampled)
	p.notePages(add)
}

// notePages tells which pages Matomo records otherwise than they stand in the list.
func (p *Plan) notePages(add func(format string, args ...any)) {
	from := p.Sources["pages"]
	hosts := map[string]bool{}
	var others, merged []string
	for _, page := range p.Pages {
		if why := urllist.Classify(page).Explain(); why != "" {
			others = append(others, fmt.Sprintf("line %d: %s", page.Line, why))
		}
		hosts[visit.Host(page.URL)] = true
	}
	for _, m := range urllist.Merge(p.Pages) {
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

// maxListed is how many lines of the URL list are told one by one.
const maxListed = 20

// sampled is how many visits of a plan are looked at to tell what they are like.
const sampled = 5000

// sample is what the first visits of a plan are like.
type sample struct {
	hits int
	with [hit.Kinds]int // visits that have a hit of the kind
}

func (p *Plan) sample() sample {
	var m sample
	var v visit.Visit
	for n := range uint64(sampled) {
		p.Visits.Outline(n, &v)
		m.hits += len(v.Hits)
		var has [hit.Kinds]bool
		for i := range v.Hits {
			has[v.Hits[i].Records] = true
		}
		for k, yes := range has {
			if yes {
				m.with[k]++
			}
		}
	}
	return m
}

// String tells the share of visits that have hits of each kind.
func (m sample) String() string {
	var parts []string
	for k, row := range hit.Rows {
		if row.Step != "" && hit.Kind(k) != hit.Pageview { // what each visit has tells nothing
			parts = append(parts, fmt.Sprintf("%s %.1f %%", row.Name, 100*float64(m.with[k])/sampled))
		}
	}
	return strings.Join(parts, ", ")
}

// HitsPerSecond is the highest rate of hits that the settings ask for, by the first visits of the plan.
func (p *Plan) HitsPerSecond() float64 {
	return p.Load.Peak() / 86400 * float64(p.sample().hits) / sampled
}

// planned is how many visits the settings ask for, and in which time; empty where there is no end to them. A cap of 24
// hours and what happens on the way are not in it.
func (p *Plan) planned() string {
	k := p.Spec
	if p.Load.Kind() == profile.Week {
		return fmt.Sprintf("%.0f visits a week, from Monday to Sunday %s", 7*k.VisitsPerDay, p.byDay())
	}
	length := p.Load.Length()
	if stop := time.Duration(k.AutoStopHours * float64(time.Hour)); stop > 0 && (length == 0 || stop < length) {
		length = stop
	}
	if length == 0 && k.StopAfterVisits > 0 {
		length = time.Duration(min(float64(k.StopAfterVisits)/p.Load.Peak()*float64(24*time.Hour), math.MaxInt64/2))
	}
	if length == 0 {
		return ""
	}
	var start time.Time // any: neither form goes by the clock
	visits := profile.Count(p.Load.Integral(start, start, start.Add(length)))
	if stop := uint64(k.StopAfterVisits); stop > 0 && stop < visits {
		at, _ := p.Load.When(start, start, start.Add(length), float64(stop))
		visits, length = stop, at.Sub(start)
	}
	return fmt.Sprintf("%d visits in %s", visits, length.Round(time.Second))
}

// byDay is how many visits the days of a week have.
func (p *Plan) byDay() string {
	curve, _ := profile.ParseCurve(p.Spec.LoadCurve)
	days := make([]string, 7)
	for d := range time.Weekday(7) {
		days[d] = fmt.Sprintf("%.0f", p.Spec.VisitsPerDay*curve.Share((d+1)%7))
	}
	return strings.Join(days, ", ")
}
