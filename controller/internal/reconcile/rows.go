// Package reconcile owns what Matomo makes of a run: it asks what was recorded, sets it beside the ledger, and says
// what is missing and why. It starts nothing, sends no hit, and knows neither HTTP routes nor the page.
package reconcile

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/puttrix/trafficinator/controller/internal/reconcile/comparison"
	"github.com/puttrix/trafficinator/controller/internal/reconcile/evidence"
	"github.com/puttrix/trafficinator/shared/export"
	"github.com/puttrix/trafficinator/shared/hit"
	"github.com/puttrix/trafficinator/shared/matomo"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

// sight is what a site shows of a run: what is there less what was there before.
type sight struct {
	reports matomo.Figures
	// raw is nil where the raw log cannot be read.
	raw *evidence.RawLog
	// behind says that the reports do not show yet all that the raw log holds.
	behind bool
	// wasBehind says that they did not when the run began, so that the reports hold visits of before.
	wasBehind bool
	// others is why more than was sent proves nothing, "" where it does.
	others string
}

// sent is what a run sent to a site.
type sent struct {
	runsummary.Target
	// largest bounds an order in doubt, nil where nothing does.
	largest *Order
}

// rows compare what a site shows with what was sent to it.
func rows(t sent, s sight) []comparison.ReconciledRow {
	c := comparer{sent: t, sight: s}
	v, doubtful := t.Visits, c.visitsInDoubt()
	known := v.Complete + v.Partial
	c.logged("visits", c.surely(known), known+v.Split+v.Repeated+doubtful, s.reports.Visits,
		func(l *evidence.RawLog) *evidence.Span { return &l.Visits })
	if s.reports.Unique == nil {
		c.rows = append(c.rows, comparison.ReconciledRow{
			Group: "total", Name: "unique visitors", Sent: float64(known), Most: float64(known + doubtful),
			Verdict: comparison.MatchIncomparable, Why: "they are not computed for several days, and do not add up",
		})
	} else {
		c.count("total", "unique visitors", known, doubtful, *s.reports.Unique)
	}
	var actions, actionsInDoubt uint64
	for _, kind := range hit.Rows {
		if h := t.ByKind[kind.Name]; kind.Action {
			actions, actionsInDoubt = actions+h.Accepted, actionsInDoubt+c.inDoubt(h)
		}
	}
	c.logged("actions", actions, actions+actionsInDoubt, s.reports.Actions(), func(l *evidence.RawLog) *evidence.Span {
		return l.Actions
	})
	for _, kind := range hit.Rows {
		if h := t.ByKind[kind.Name]; kind.Figure != "" {
			c.count("total", kind.Figure, h.Accepted, c.inDoubt(h), s.reports.Hits[kind.Name])
		}
	}
	c.orders()
	c.broken("day", t.Opened.Days, s.reports.Days)
	if _, unplaced := t.Opened.Countries[""]; !unplaced {
		c.broken("country", t.Opened.Countries, s.reports.Countries)
	}
	c.broken("source", t.Opened.Sources, s.reports.Sources)
	c.broken("device", t.Opened.Devices, s.reports.Devices)
	return c.rows
}

// comparer gathers rows.
type comparer struct {
	sent
	sight
	rows []comparison.ReconciledRow
}

// inDoubt are hits that may have been recorded though nobody said so. Matomo refuses hits with the same status when its
// database is away, so that a refusal is no proof.
func (c *comparer) inDoubt(h runsummary.Hits) uint64 { return h.Unknown + h.Rejected }

// visitsInDoubt are visits that may have been recorded: the ledger calls those lost of which every hit was refused.
func (c *comparer) visitsInDoubt() uint64 {
	return c.Visits.Uncertain + min(c.Visits.Lost, sum(c.ByKind).Rejected)
}

// surely adds the second parts of split visits, which are sure where no hit was refused: one of those may have kept its
// visit open.
func (c *comparer) surely(visits uint64) uint64 {
	if sum(c.ByKind).Rejected > 0 {
		return visits
	}
	return visits + c.Visits.Split
}

// nothing tells whether no hit was accepted.
func (c *comparer) nothing() bool {
	return sum(c.ByKind).Accepted+c.Visits.Complete+c.Visits.Partial == 0
}

// logged compares a total that the raw log tells too: it goes before the reports, which may be behind. Where it holds
// less than they do, it was deleted since.
func (c *comparer) logged(name string, sure, most, reported uint64, of func(*evidence.RawLog) *evidence.Span) {
	if c.raw == nil || of(c.raw) == nil {
		c.count("total", name, sure, most-sure, reported)
		return
	}
	n := *of(c.raw)
	if !c.wasBehind {
		n.Least, n.Most = max(n.Least, reported), max(n.Most, reported)
	}
	byLog := *c
	byLog.behind, byLog.wasBehind, byLog.rows = false, false, nil
	byLog.count("total", name, sure, most-sure, min(max(sure, n.Least), n.Most))
	row := byLog.rows[0]
	if c.behind && reported < n.Least && row.Verdict != comparison.MatchIncomparable {
		row.Why = fmt.Sprintf("by the raw log; the reports show %s so far", export.Figure(float64(reported)))
	}
	c.rows = append(c.rows, row)
}

func (c *comparer) count(group, name string, sure, doubtful, shown uint64) {
	c.add(group, name, float64(sure), float64(sure+doubtful), float64(shown))
}

// orders compares their money and pieces. What is in doubt is worth the largest order at most.
func (c *comparer) orders() {
	doubtful := c.inDoubt(c.ByKind[hit.Order.String()])
	var largest Order
	if c.largest != nil {
		largest = *c.largest
	}
	for _, a := range []struct {
		name                 string
		sure, largest, shown float64
	}{
		{"revenue", c.Revenue, largest.Revenue, c.reports.Revenue},
		{"tax", c.Tax, largest.Tax, c.reports.Tax},
		{"shipping", c.Shipping, largest.Shipping, c.reports.Shipping},
		{"items", float64(c.Items), largest.Items, float64(c.reports.Items)},
	} {
		if math.Abs(a.shown-a.sure) <= tolerance*math.Max(1, math.Abs(a.sure)) {
			a.shown = a.sure
		}
		if c.largest == nil && doubtful > 0 && a.shown > a.sure {
			c.rows = append(c.rows, comparison.ReconciledRow{
				Group: "total", Name: a.name, Sent: a.sure, Most: a.sure, Recorded: a.shown,
				Verdict: comparison.MatchIncomparable,
				Why: fmt.Sprintf("cannot tell: nothing bounds what the %s orders in doubt were worth",
					export.Figure(float64(doubtful))),
			})
			continue
		}
		c.add("total", a.name, a.sure, a.sure+float64(doubtful)*a.largest, a.shown)
	}
}

// tolerance of money, relative: Matomo's sums are floats.
const tolerance = 1e-6

// broken compares visits by what a report breaks them down by. Visits in doubt, repeated ones, and the second halves of
// split ones, may be in any row.
func (c *comparer) broken(group string, known, shown map[string]uint64) {
	loose := c.visitsInDoubt() + c.Visits.Split + c.Visits.Repeated + known[""]
	names := maps.Clone(known)
	delete(names, "") // whatever these are, they are in some row
	if names == nil {
		names = map[string]uint64{}
	}
	for name := range shown {
		names[name] += 0
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		c.count(group, name, known[name], loose, shown[name])
	}
}

func (c *comparer) add(group, name string, sure, most, shown float64) {
	r := comparison.ReconciledRow{Group: group, Name: name, Sent: sure, Most: most, Recorded: shown,
		Verdict: comparison.MatchIncomparable}
	switch {
	case shown < sure && c.behind:
		r.Verdict, r.Off = comparison.MatchNotArchived, shown-sure
	case shown < sure:
		r.Verdict, r.Off = comparison.MatchShort, shown-sure
	case shown > most && c.behind && group != "total": // a visit may change its row while the reports are made
		r.Verdict, r.Off = comparison.MatchNotArchived, shown-most
	case c.wasBehind:
		r.Why = "the reports were behind the raw log when the run began, so that what was there before is not known"
	case shown > most && c.others != "":
		r.Why = c.others
	case shown > most:
		r.Verdict, r.Off = comparison.MatchMore, shown-most
	case c.nothing():
		r.Why = "nothing was accepted, so that nothing can be missing"
	default:
		r.Verdict = comparison.MatchEqual
		if most > sure {
			r.Why = fmt.Sprintf("between %s that were accepted and %s with those in doubt", export.Figure(sure),
				export.Figure(most))
		}
	}
	c.rows = append(c.rows, r)
}
