package comparison_test

import (
	"strings"
	"testing"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/reconcile/comparison"
	"github.com/puttrix/trafficinator/shared/export"
)

var start = time.Date(2026, 3, 29, 0, 0, 0, 0, time.UTC)

// page is a report with a reconciliation, which must be whole.
func page(t *testing.T, r *comparison.Reconciliation) string {
	t.Helper()
	var b strings.Builder
	if err := export.HTML(&b, &export.Run{Sections: []export.Section{r}}); err != nil ||
		!strings.Contains(b.String(), "</html>") {
		t.Fatalf("%v: %s", err, b.String())
	}
	return b.String()
}

func junit(t *testing.T, r *comparison.Reconciliation) string {
	t.Helper()
	var b strings.Builder
	if err := export.JUnit(&b, &export.Run{Sections: []export.Section{r}}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestWhatMatomoShowsIsToldWithItsCauses(t *testing.T) {
	r := &comparison.Reconciliation{Taken: start, Targets: []comparison.ReconciledTarget{{
		Name: "main", SiteID: 3, Slice: "dimension",
		Causes: []comparison.Cause{{Kind: "excluded_addresses", Message: "visits from 90.224.0.0/16 are not recorded",
			Cure: "look there"}},
		Rows: []comparison.ReconciledRow{
			{Group: "total", Name: "visits", Sent: 20, Most: 20, Recorded: 18, Off: -2, Verdict: comparison.MatchShort},
			{Group: "total", Name: "pageviews", Sent: 90, Most: 100, Recorded: 95, Verdict: comparison.MatchEqual},
			{Group: "country", Name: "se", Sent: 2, Most: 2, Off: -2, Verdict: comparison.MatchShort},
			{Group: "country", Name: "no", Sent: 5, Most: 5, Recorded: 5, Verdict: comparison.MatchEqual},
		},
	}}}
	r.Judge()
	text := page(t, r)
	for _, want := range []string{"Hits are missing", `data-key="total visits"`, `<data value="-2">`, "✗ short",
		"90.224.0.0/16", `data-key="country se"`, "Recorded by main"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if strings.Contains(text, `data-key="country no"`) {
		t.Error("a country that is equal needs no row")
	}
	if text := junit(t, r); !strings.Contains(text, `message="visits: short by 2"`) {
		t.Error(text)
	}
}

func TestJUnitReportsTheVerdictsOfTargets(t *testing.T) {
	row := func(m comparison.Match, off float64) comparison.ReconciledRow {
		return comparison.ReconciledRow{Group: "total", Name: "visits", Off: off, Verdict: m}
	}
	for name, c := range map[string]struct {
		target comparison.ReconciledTarget
		want   string
	}{
		"a loss": {comparison.ReconciledTarget{Rows: []comparison.ReconciledRow{row(comparison.MatchShort, -1234567)}},
			`<failure message="visits: short by 1,234,567">`},
		"a surplus": {comparison.ReconciledTarget{Rows: []comparison.ReconciledRow{row(comparison.MatchMore, 106)}},
			`<failure message="visits: more by 106">`},
		"not archived": {comparison.ReconciledTarget{Rows: []comparison.ReconciledRow{row(comparison.MatchNotArchived, -5)}},
			`<error message="Matomo&#39;s reports do not show all`},
		"not asked": {comparison.ReconciledTarget{Error: "no route"}, `<error message="no route">`},
		"no verdict": {comparison.ReconciledTarget{Rows: []comparison.ReconciledRow{row(comparison.MatchIncomparable, 0)}},
			`<skipped message="the recorded figures cannot be compared`},
	} {
		r := &comparison.Reconciliation{Targets: []comparison.ReconciledTarget{c.target}}
		r.Judge()
		if text := junit(t, r); !strings.Contains(text, c.want) {
			t.Errorf("%s: %s", name, text)
		}
		if !strings.Contains(page(t, r), r.Verdict.Meaning()) {
			t.Errorf("%s: the page does not tell the verdict", name)
		}
	}
}
