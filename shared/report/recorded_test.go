package report_test

import (
	"strings"
	"testing"

	"github.com/puttrix/trafficinator/shared/record"
	"github.com/puttrix/trafficinator/shared/report"
)

func TestWhatMatomoShowsIsToldWithItsCauses(t *testing.T) {
	r := tenSeconds()
	r.Recorded = &record.Reconciliation{Taken: start, Targets: []record.ReconciledTarget{{
		Name: "main", SiteID: 3, Slice: "dimension",
		Causes: []record.Cause{{Kind: "excluded_addresses", Message: "visits from 90.224.0.0/16 are not recorded",
			Cure: "look there"}},
		Rows: []record.ReconciledRow{
			{Group: "total", Name: "visits", Sent: 20, Most: 20, Recorded: 18, Off: -2, Verdict: record.MatchShort},
			{Group: "total", Name: "pageviews", Sent: 90, Most: 100, Recorded: 95, Verdict: record.MatchEqual},
			{Group: "country", Name: "se", Sent: 2, Most: 2, Off: -2, Verdict: record.MatchShort},
			{Group: "country", Name: "no", Sent: 5, Most: 5, Recorded: 5, Verdict: record.MatchEqual},
		},
	}}}
	r.Recorded.Judge()
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
	var b strings.Builder
	if err := report.JUnit(&b, r); err != nil || !strings.Contains(b.String(), `message="visits: short by 2"`) {
		t.Errorf("%v: %s", err, b.String())
	}
}

func TestCIIsToldWhatWasRecordedAsTheCommandIs(t *testing.T) {
	row := func(m record.Match, off float64) record.ReconciledRow {
		return record.ReconciledRow{Group: "total", Name: "visits", Off: off, Verdict: m}
	}
	for name, c := range map[string]struct {
		target record.ReconciledTarget
		want   string
	}{
		"a loss": {record.ReconciledTarget{Rows: []record.ReconciledRow{row(record.MatchShort, -1234567)}},
			`<failure message="visits: short by 1,234,567">`},
		"a surplus": {record.ReconciledTarget{Rows: []record.ReconciledRow{row(record.MatchMore, 106)}},
			`<failure message="visits: more by 106">`},
		"not archived": {record.ReconciledTarget{Rows: []record.ReconciledRow{row(record.MatchNotArchived, -5)}},
			`<error message="the reports do not show yet`},
		"not asked": {record.ReconciledTarget{Error: "no route"}, `<error message="no route">`},
		"no verdict": {record.ReconciledTarget{Rows: []record.ReconciledRow{row(record.MatchIncomparable, 0)}},
			`<skipped message="what was recorded cannot be compared`},
	} {
		r := tenSeconds()
		r.Recorded = &record.Reconciliation{Targets: []record.ReconciledTarget{c.target}}
		r.Recorded.Judge()
		var b strings.Builder
		if err := report.JUnit(&b, r); err != nil || !strings.Contains(b.String(), c.want) {
			t.Errorf("%s: %v: %s", name, err, b.String())
		}
		if !strings.Contains(page(t, r), report.Matched(r.Recorded.Verdict)) {
			t.Errorf("%s: the page does not tell the verdict", name)
		}
	}
}
