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

// shown are how a match is shown: of a row, of a target, and with which tone of a report's style.
var shown = map[Match]struct{ row, target, tone string }{
	MatchEqual:        {"✓ equal", "Everything that was accepted was recorded", "good"},
	MatchShort:        {"✗ short", "Hits are missing", "bad"},
	MatchMore:         {"✗ more", "More was recorded than was sent, and nothing explains it", "bad"},
	MatchNotArchived:  {"not archived", "The raw log holds what was sent; the reports do not show it yet", "warn"},
	MatchIncomparable: {"not comparable", "What was recorded cannot be compared with what was sent", "muted"},
	MatchNotAsked:     {"", "Matomo could not be asked", "warn"},
}

// Meaning is what the verdict of a target means.
func (m Match) Meaning() string { return shown[m].target }

// Short is the verdict of a row in two words.
func (m Match) Short() string { return shown[m].row }

// Tone is that of a report's style: good, warn, bad or muted.
func (m Match) Tone() string { return shown[m].tone }

// HTML implements export.Section.
func (r *Reconciliation) HTML(zone *time.Location) (template.HTML, error) {
	var b strings.Builder
	if err := export.Template(sectionText, zone).Execute(&b, r); err != nil {
		return "", fmt.Errorf("write reconciliation: %w", err)
	}
	return template.HTML(b.String()), nil //nolint:gosec // a template has escaped it
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
			c.Error = "the reports do not show yet what the raw log holds"
		case MatchIncomparable:
			c.Skipped = "what was recorded cannot be compared with what was sent"
		default:
			c.Failure = off(t.Rows)
		}
		out = append(out, c)
	}
	return out
}

// off names the rows that are short or too many: the totals, or where none of them is the others.
func off(rows []ReconciledRow) string {
	var totals, others []string
	for _, r := range rows {
		name := r.Group + " " + r.Name
		into := &others
		if r.Group == "total" {
			name, into = r.Name, &totals
		}
		switch r.Verdict {
		case MatchShort:
			*into = append(*into, fmt.Sprintf("%s: short by %s", name, export.Figure(-r.Off)))
		case MatchMore:
			*into = append(*into, fmt.Sprintf("%s: more by %s", name, export.Figure(r.Off)))
		}
	}
	if len(totals) == 0 {
		totals = others
	}
	return strings.Join(totals, "; ")
}
