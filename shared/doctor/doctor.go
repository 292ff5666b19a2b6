// Package doctor checks whether tracking will work: it examines a target, compares Matomo's settings with what will be
// sent, and sends and follows a marked visit. Only Probe leaves a visit in Matomo.
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
	Error   Verdict = "error" // means that hits will be lost
	// Skipped checks could not be made.
	Skipped Verdict = "cannot_tell"
)

// Finding is the result of a check.
type Finding struct {
	// Check is route, address, tracker, certificate, clock, token, bulk, read_token, api, site, timezone, currency,
	// search, ecommerce, urls, addresses, agents, parameters, goals, dimension, plugins, queue, spam, retention,
	// created, masking, location or probe.
	Check   string  `json:"check"`
	Verdict Verdict `json:"verdict"`
	Message string  `json:"message"`        // the evidence
	Cure    string  `json:"cure,omitempty"` // what to do or where to look
	// Right is the access that the token's user lacks for the check, empty if more access would not help.
	Right string `json:"right,omitempty"`
}

// Diagnosis is the state of one target.
type Diagnosis struct {
	Works     bool          // reports that Matomo would accept a hit with all its parameters
	Reachable bool          // something answered
	Status    int           // the HTTP status
	Took      time.Duration // the response time
	Version   string        // empty if the token may not read it
	Site      *matomo.Site  // nil if the token may not read it
	Findings  []Finding
}

// NotChecked lists the checks that could not be made, "" if all were.
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

// Expectation is what will be sent, as far as Matomo's settings affect it.
type Expectation struct {
	// Zone (unless nil) and Currency (ISO 4217, unless empty) are compared with the site's.
	Zone      *calendar.Zone
	Currency  string
	Sends     [hit.Kinds]bool  // kinds of hits besides page views and pings
	Bulk      bool             // many hits per request
	Pause     time.Duration    // the longest pause between two hits of a visit
	Dimension int              // the number of the custom dimension for the run ID, 0 for none
	Past      *calendar.Window // the range of past days to send, nil for none; its zone is not read
	Pages     []string         // URLs; nil if not known
	Networks  []netip.Prefix   // the visitors' addresses; nil if not known
	Agents    []string         // the visitors' browsers; nil if not known
}

// Doctor examines targets.
type Doctor struct{ *matomo.Client }

// New makes a doctor; timeout is for one request and must be positive.
func New(timeout time.Duration, m target.Environment) Doctor {
	return Doctor{matomo.NewClient(timeout, m)}
}

type examination struct {
	*matomo.Client
	target target.Target
	expect Expectation
}

// Diagnose examines t without leaving a visit in Matomo. Failures have a cure, skipped checks the access they need.
func (d Doctor) Diagnose(ctx context.Context, t target.Target, e Expectation) (out Diagnosis) {
	x := &examination{Client: d.Client, target: t, expect: e}
	x.run(ctx, &out)
	out.Works = out.Reachable && hasNoError(out.Findings)
	return out
}

func hasNoError(findings []Finding) bool {
	return !slices.ContainsFunc(findings, func(f Finding) bool { return f.Verdict == Error })
}

func (d *Diagnosis) add(findings []Finding) { d.Findings = append(d.Findings, findings...) }

func (x *examination) run(ctx context.Context, d *Diagnosis) {
	x.target.Check(func(field, _, message, cure string) {
		if field == "url" {
			field = "address"
		}
		d.add(failed(field, cure, "%s", message))
	})
	if len(d.Findings) > 0 || !x.tracker(ctx, d) {
		return
	}
	d.add(x.token(ctx))
	if x.target.APIToken() == "" {
		d.add(skipped("api", "view access to the site", "", "without a token, Matomo's settings cannot be read"))
		return
	}
	version, findings := x.version(ctx)
	d.Version = version
	d.add(findings)
	if version == "" {
		return
	}
	site := func(ctx context.Context) (out []Finding) {
		d.Site, out = x.site(ctx)
		return out
	}
	d.add(each(ctx, x.readToken, site, x.goals, x.dimension, x.plugins, x.delaysAndSpam, x.retention, x.masking,
		x.location))
}

// each makes a few checks at a time, because a Matomo may be small. Findings are in the order of the checks.
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

func passed(check, format string, args ...any) []Finding {
	return finding(Finding{Check: check, Verdict: OK}, format, args)
}

func warning(check, cure, format string, args ...any) []Finding {
	return finding(Finding{Check: check, Verdict: Warning, Cure: cure}, format, args)
}

func failed(check, cure, format string, args ...any) []Finding {
	return finding(Finding{Check: check, Verdict: Error, Cure: cure}, format, args)
}

// skipped is a check that could not be made; look says where a person can check it.
func skipped(check, right, look, format string, args ...any) []Finding {
	return finding(Finding{Check: check, Verdict: Skipped, Cure: look, Right: right}, format, args)
}

// finding replaces control characters: a terminal would obey those in names from another machine.
func finding(f Finding, format string, args []any) []Finding {
	visible := func(r rune) rune {
		if unicode.IsControl(r) {
			return unicode.ReplacementChar
		}
		return r
	}
	f.Message, f.Cure = strings.Map(visible, fmt.Sprintf(format, args...)), strings.Map(visible, f.Cure)
	return []Finding{f}
}

// some lists the first few of many, for a sentence.
func some(all []string) string {
	const shown = 5
	if len(all) > shown {
		return strings.Join(all[:shown], ", ") + fmt.Sprintf(" and %d more", len(all)-shown)
	}
	return strings.Join(all, ", ")
}

// NewExpectation derives an expectation from settings and funnels, without Pages, Networks, Agents and Past.
func NewExpectation(s *spec.Spec, funnels []funnel.Funnel) Expectation {
	e := Expectation{
		Zone: &s.Timezone, Currency: s.Currency, Dimension: s.RunDimension,
		Bulk:  s.SendMode == "bulk" || s.BackfillEnabled,
		Pause: time.Duration(s.DurationMax * float64(time.Minute)),
	}
	for _, extra := range spec.Extras {
		e.Sends[extra.Kind] = e.Sends[extra.Kind] || extra.Share(s) > 0
	}
	for i, share := range funnel.Shares(funnels) {
		if share == 0 {
			continue
		}
		for _, step := range funnels[i].Steps {
			if kind, ok := hit.OfStep(step.Type); ok {
				e.Sends[kind] = true
			}
			e.Pause = max(e.Pause, time.Duration(step.DelayMax*float64(time.Second)))
		}
	}
	return e
}

// AddBackfill adds the range of the past days that have visits.
func (e *Expectation) AddBackfill(days []calendar.Day) {
	days = slices.DeleteFunc(slices.Clone(days), func(d calendar.Day) bool { return d.Visits == 0 })
	if len(days) > 0 {
		e.Past = &calendar.Window{First: days[0].Date, Last: days[len(days)-1].Date}
	}
}
