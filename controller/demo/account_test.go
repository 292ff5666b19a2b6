package main

import (
	"bytes"
	"strings"
	"testing"
)

func entry(visits, pageviews int64, revenue float64) ledger {
	l := ledger{Revenue: revenue, ByKind: map[string]struct{ Accepted int64 }{"pageview": {pageviews}}}
	l.Visits.Complete = visits
	return l
}

func sunk(visits, pageviews, cents int64) counts {
	var c counts
	c.Total.Visits, c.Total.Revenue, c.Total.Hits = visits, cents, map[string]int64{"pageview": pageviews}
	return c
}

func TestTheAccountAddsUpAllRunsAndForgivesNothing(t *testing.T) {
	t.Parallel()
	split := entry(2, 4, 0.1)
	split.Visits.Split = 1
	objected := sunk(4, 7, 30)
	objected.Violations = 1
	unknown := sunk(4, 7, 30)
	unknown.Total.Hits["goal"] = 1
	for name, c := range map[string]struct {
		ledgers []ledger
		sink    counts
		equal   bool
		says    string
	}{
		"equal":                      {[]ledger{split, entry(1, 3, 0.2)}, sunk(4, 7, 30), true, "were recorded"},
		"a hit less in the sink":     {[]ledger{split, entry(1, 3, 0.2)}, sunk(4, 6, 30), false, "-1"},
		"a hit more in the sink":     {[]ledger{split, entry(1, 3, 0.2)}, sunk(4, 8, 30), false, "+1"},
		"a cent":                     {[]ledger{split, entry(1, 3, 0.2)}, sunk(4, 7, 31), false, "differ"},
		"a visit":                    {[]ledger{split, entry(1, 3, 0.2)}, sunk(3, 7, 30), false, "differ"},
		"a kind that nobody sent":    {[]ledger{split, entry(1, 3, 0.2)}, unknown, false, "goal"},
		"an objection":               {[]ledger{split, entry(1, 3, 0.2)}, objected, false, "1 violations"},
		"nothing is not equal to it": {nil, sunk(0, 0, 0), false, "Nothing was sent"},
	} {
		var out bytes.Buffer
		if got := compare(&out, c.ledgers, c.sink); got != c.equal || !strings.Contains(out.String(), c.says) {
			t.Errorf("%s: %v\n%s", name, got, out.String())
		}
	}
}
