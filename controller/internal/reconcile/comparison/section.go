package comparison

import (
	_ "embed" // the section
	"fmt"
	"html/template"
	"strings"
	"time"

	"github.com/puttrix/trafficinator/shared/export"
)

//go:embed section.html
var sectionText string

// shown are the texts of a verdict, for a row and for a target, and its tone in the style of exports.
var shown = map[Match]struct{ row, target, tone string }{
	MatchEqual:        {"✓ equal", "Everything that was accepted was recorded", "good"},
	MatchShort:        {"✗ short", "Hits are missing", "bad"},
	MatchMore:         {"✗ more", "More was recorded than sent, without a known cause", "bad"},
	MatchNotArchived:  {"not archived", "All hits are in the raw log; the reports do not show them yet", "warn"},
	MatchIncomparable: {"not comparable", "The recorded figures cannot be compared with those sent", "muted"},
	MatchNotAsked:     {"", "Matomo could not be queried", "warn"},
}

// Meaning describes the verdict of a target.
func (m Match) Meaning() string { return shown[m].target }

// Short describes the verdict of a row in two words.
func (m Match) Short() string { return shown[m].row }

// Tone is the verdict's tone in the style of exports: good, warn, bad or muted.
func (m Match) Tone() string { return shown[m].tone }

// HTML implements export.Section.
func (r *Reconciliation) HTML(zone *time.Location) (template.HTML, error) {
	var b strings.Builder
	if err := export.Template(sectionText, zone).Execute(&b, r); err != nil {
		return "", fmt.Errorf("write reconciliation: %w", err)
	}
	return template.HTML(b.String()), nil //nolint:gosec // escaped by the template
}

// Cases implements export.Section: a test case for each target.
func (r *Reconciliation) Cases() []export.Case {
	var out []export.Case
	for _, t := range r.Targets {
		c := export.Case{Name: "recorded by " + t.Name, Class: "trafficinator.recorded"}
		switch t.Verdict {
		case MatchEqual:
		case MatchNotAsked:
			c.Error = t.Error
		case MatchNotArchived:
			c.Error = "Matomo's reports do not show all of the raw log yet"
		case MatchIncomparable:
			c.Skipped = "the recorded figures cannot be compared with those sent"
		default:
			c.Failure = off(t.Rows)
		}
		out = append(out, c)
	}
	return out
}

// off lists the totals that are off or, if there are none, the other rows.
func off(rows []ReconciledRow) string {
	var totals, others []string
	for _, r := range rows {
		into := &others
		if r.Group == "total" {
			into = &totals
		}
		switch r.Verdict {
		case MatchShort:
			*into = append(*into, fmt.Sprintf("%s: short by %s", r.Label(), export.Figure(-r.Off)))
		case MatchMore:
			*into = append(*into, fmt.Sprintf("%s: more by %s", r.Label(), export.Figure(r.Off)))
		}
	}
	if len(totals) == 0 {
		totals = others
	}
	return strings.Join(totals, "; ")
}
