// Package doctor owns what tells whether tracking will work: it examines a target and compares its settings with what
// is going to be sent, and sends a marked visit and follows it. It leaves no visit behind but for Probe, and knows
// nothing of runs.
package doctor

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/puttrix/trafficinator/shared/calendar"
	"github.com/puttrix/trafficinator/shared/funnel"
	"github.com/puttrix/trafficinator/shared/hit"
	"github.com/puttrix/trafficinator/shared/matomo"
	"github.com/puttrix/trafficinator/shared/spec"
	"github.com/puttrix/trafficinator/shared/target"
)

// Verdict is how a check ended.
type Verdict string

// The verdicts.
const (
	OK Verdict = "ok"
	// Warning: hits arrive, but some are recorded differently from what was sent.
	Warning Verdict = "warning"
	// Error means that hits will be lost.
	Error Verdict = "error"
	// Skipped checks could not be made.
	Skipped Verdict = "cannot_tell"
)

// Finding is one check with its cure.
type Finding struct {
	// Check is route, address, tracker, certificate, clock, token, bulk, read_token, api, site, timezone, currency,
	// search, ecommerce, urls, addresses, agents, parameters, goals, dimension, plugins, queue, spam, retention,
	// created, masking, location or probe.
	Check   string  `json:"check"`
	Verdict Verdict `json:"verdict"`
	// Message is the evidence.
	Message string `json:"message"`
	// Cure is what helps, or where to look by oneself.
	Cure string `json:"cure,omitempty"`
	// Right is what the token's user would need for the check, empty where no right helps.
	Right string `json:"right,omitempty"`
}

// Diagnosis is what the doctor found of one target.
type Diagnosis struct {
	// Works reports that a hit sent now would be taken with all it carries.
	Works bool
	// Reachable reports that something answered; Status is its HTTP status and Took the time of that answer.
	Reachable bool
	Status    int
	Took      time.Duration
	// Version is empty and Site nil where the token does not allow to read them.
	Version  string
	Site     *matomo.Site
	Findings []Finding
}

// NotChecked tells what could not be checked, "" where all was.
func (d *Diagnosis) NotChecked() string {
	if d.Version == "" {
		return "all of Matomo's settings (none could be read)"
	}
	var checks []string
	for _, f := range d.Findings {
		if f.Verdict == Skipped {
			checks = append(checks, f.Check)
		}
	}
	return strings.Join(checks, ", ")
}

// Expectation is what is going to be sent, which Matomo's settings are compared with.
type Expectation struct {
	// Zone is compared where it is not nil, Currency, an ISO 4217 code, where it is not empty.
	Zone     *calendar.Zone
	Currency string
	// Sends are the kinds of hits of which there will be some beside pages and pings, Bulk that many hits go in one
	// request.
	Sends [hit.Kinds]bool
	Bulk  bool
	// Pause is the longest between two hits of a visit.
	Pause time.Duration
	// Dimension is the number of the custom dimension that carries the run, 0 for none.
	Dimension int
	// Past are the past days that are sent, nil for none; its zone is not read.
	Past *calendar.Window
	// Pages are addresses of pages, Networks those of visitors and Agents their browsers; what is nil is not known.
	Pages    []string
	Networks []netip.Prefix
	Agents   []string
}

// Doctor examines targets.
type Doctor struct{ *matomo.Client }

// New makes a doctor; timeout is for one request and must be positive.
func New(timeout time.Duration, m target.Environment) Doctor {
	return Doctor{matomo.NewClient(timeout, m)}
}

// examination is one target under examination.
type examination struct {
	*matomo.Client
	target target.Target
	expect Expectation
}

// Diagnose reports whether t takes hits and what of them, without leaving a visit there. Each failure has its cure, and
// what cannot be read tells the right that it needs.
func (d Doctor) Diagnose(ctx context.Context, t target.Target, e Expectation) Diagnosis {
	x := &examination{Client: d.Client, target: t, expect: e}
	var out Diagnosis
	x.run(ctx, &out)
	out.Works = out.Reachable && !slices.ContainsFunc(out.Findings, func(f Finding) bool { return f.Verdict == Error })
	return out
}

func (x *examination) run(ctx context.Context, d *Diagnosis) {
	x.target.Check(func(field, _, message, cure string) {
		if field == "url" {
			field = "address"
		}
		d.Findings = append(d.Findings, failed(field, cure, "%s", message))
	})
	if len(d.Findings) > 0 {
		return
	}
	if !x.tracker(ctx, d) {
		return
	}
	d.Findings = append(d.Findings, x.token(ctx)...)
	if x.target.APIToken() == "" {
		d.Findings = append(d.Findings,
			skipped("api", "view access to the site", "", "without a token, Matomo's settings cannot be read"))
		return
	}
	version, finding := x.version(ctx)
	d.Version = version
	d.Findings = append(d.Findings, finding)
	if version == "" {
		return
	}
	site := func(ctx context.Context) (out []Finding) {
		d.Site, out = x.site(ctx)
		return out
	}
	d.Findings = append(d.Findings,
		each(ctx, x.readToken, site, x.goals, x.dimension, x.plugins, x.keptBack, x.retention, x.masking,
			x.location)...)
}

// each makes checks at once, a few at a time because a Matomo may be small. Findings come in the order of the checks.
func each(ctx context.Context, checks ...func(context.Context) []Finding) []Finding {
	const atOnce = 4
	found := make([][]Finding, len(checks))
	free := make(chan struct{}, atOnce)
	var all sync.WaitGroup
	for i, check := range checks {
		all.Go(func() {
			free <- struct{}{}
			defer func() { <-free }()
			found[i] = check(ctx)
		})
	}
	all.Wait()
	return slices.Concat(found...)
}

func passed(check, format string, args ...any) Finding {
	return finding(Finding{Check: check, Verdict: OK}, format, args)
}

func warning(check, cure, format string, args ...any) Finding {
	return finding(Finding{Check: check, Verdict: Warning, Cure: cure}, format, args)
}

func failed(check, cure, format string, args ...any) Finding {
	return finding(Finding{Check: check, Verdict: Error, Cure: cure}, format, args)
}

// untold is a check that could not be made; look is where a person finds it out.
func skipped(check, right, look, format string, args ...any) Finding {
	return finding(Finding{Check: check, Verdict: Skipped, Cure: look, Right: right}, format, args)
}

// finding is f with its message. Names of zones and the like are what another machine writes, and a terminal would obey
// the control characters in them.
func finding(f Finding, format string, args []any) Finding {
	visible := func(r rune) rune {
		if unicode.IsControl(r) {
			return unicode.ReplacementChar
		}
		return r
	}
	f.Message, f.Cure = strings.Map(visible, fmt.Sprintf(format, args...)), strings.Map(visible, f.Cure)
	return f
}

// some are the first few of many, for a sentence.
func some(all []string) string {
	const shown = 5
	if len(all) > shown {
		return strings.Join(all[:shown], ", ") + fmt.Sprintf(" and %d more", len(all)-shown)
	}
	return strings.Join(all, ", ")
}

// NewExpectation is what settings and funnels send, as far as Matomo's settings bear upon it. Pages, Networks and Agents,
// and the days of a backfill, are the caller's to fill in.
func NewExpectation(s *spec.Spec, funnels []funnel.Funnel) Expectation {
	e := Expectation{
		Zone: &s.Timezone, Currency: s.Currency, Dimension: s.RunDimension,
		Bulk:  s.SendMode == "bulk" || s.BackfillEnabled,
		Pause: time.Duration(s.DurationMax * float64(time.Minute)),
	}
	for _, extra := range spec.Extras {
		e.Sends[extra.Kind] = e.Sends[extra.Kind] || extra.Share(s) > 0
	}
	shares := funnel.Shares(funnels)
	for i, f := range funnels {
		if shares[i] == 0 {
			continue
		}
		for _, step := range f.Steps {
			e.add(step)
		}
	}
	return e
}

// AddBackfill takes past days into account, those without visits apart.
func (e *Expectation) AddBackfill(days []calendar.Day) {
	days = slices.DeleteFunc(slices.Clone(days), func(d calendar.Day) bool { return d.Visits == 0 })
	if len(days) > 0 {
		e.Past = &calendar.Window{First: days[0].Date, Last: days[len(days)-1].Date}
	}
}

// add takes a step of a funnel into account.
func (e *Expectation) add(step funnel.Step) {
	if kind, ok := hit.OfStep(step.Type); ok {
		e.Sends[kind] = true
	}
	e.Pause = max(e.Pause, time.Duration(step.DelayMax*float64(time.Second)))
}
