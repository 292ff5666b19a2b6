// Package reconcile owns the comparison of a run with Matomo's figures: it queries what was recorded, compares it
// with the run summary, and explains differences. It sends no hits and depends neither on routes nor on pages.
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

// figures are what a site shows of a run, without what it showed before.
type figures struct {
	reports matomo.Figures
	// raw is nil if the raw log cannot be read.
	raw *evidence.RawLog
	// behind reports that the reports do not show all of the raw log yet.
	behind bool
	// wasBehind reports that they did not when the run started, so they contain earlier visits.
	wasBehind bool
	// otherTraffic is why more hits than were sent are no error, or "".
	otherTraffic string
}

// sent is what a run sent to a site.
type sent struct {
	runsummary.Target
	// largest is an upper bound for an order in doubt, nil if there is none.
	largest *Order
}

// rows compares what a site shows with what was sent to it.
func rows(t sent, s figures) []comparison.ReconciledRow {
	c := comparer{sent: t, figures: s}
	v, doubtful := t.Visits, c.visitsInDoubt()
	known := v.Complete + v.Partial
	sure := known // second parts of split visits are sure if no hit was rejected, which may have kept its visit open
	if sum(t.ByKind).Rejected == 0 {
		sure += v.Split
	}
	c.logged("visits", sure, known+v.Split+v.Repeated+doubtful, s.reports.Visits,
		func(l *evidence.RawLog) *evidence.Span { return &l.Visits })
	if s.reports.Unique == nil {
		c.rows = append(c.rows, comparison.ReconciledRow{
			Group: "total", Name: "unique visitors", Sent: float64(known), Most: float64(known + doubtful),
			Verdict: comparison.MatchIncomparable,
			Why:     "Matomo does not compute them for several days, and they do not add up",
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
	c.breakdown("day", t.Opened.Days, s.reports.Days)
	if _, unplaced := t.Opened.Countries[""]; !unplaced {
		c.breakdown("country", t.Opened.Countries, s.reports.Countries)
	}
	c.breakdown("source", t.Opened.Sources, s.reports.Sources)
	c.breakdown("device", t.Opened.Devices, s.reports.Devices)
	return c.rows
}

// comparer collects rows.
type comparer struct {
	sent
	figures
	rows []comparison.ReconciledRow
}

// inDoubt returns the hits that may have been recorded without a clear response. Matomo rejects hits with the same
// status if its database is not available, so a rejection is no proof.
func (c *comparer) inDoubt(h runsummary.Hits) uint64 { return h.Unknown + h.Rejected }

// visitsInDoubt returns the visits that may have been recorded. A visit is lost in the summary if every hit was
// rejected.
func (c *comparer) visitsInDoubt() uint64 {
	return c.Visits.Uncertain + min(c.Visits.Lost, sum(c.ByKind).Rejected)
}

// logged compares a total that the raw log has too. The raw log takes precedence over the reports, which may be
// behind; if it has less than they do, it has been purged.
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
		row.Why = fmt.Sprintf("according to the raw log; the reports show %s so far", export.Figure(float64(reported)))
	}
	c.rows = append(c.rows, row)
}

func (c *comparer) count(group, name string, sure, doubtful, shown uint64) {
	c.add(group, name, float64(sure), float64(sure+doubtful), float64(shown))
}

// orders compares revenue and pieces. An order in doubt is worth up to the largest order.
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
				Why: fmt.Sprintf("the value of the %s orders in doubt has no upper bound",
					export.Figure(float64(doubtful))),
			})
			continue
		}
		c.add("total", a.name, a.sure, a.sure+float64(doubtful)*a.largest, a.shown)
	}
}

// tolerance is the relative tolerance of money, because Matomo's sums are floats.
const tolerance = 1e-6

// breakdown compares the visits of a report with one row for each value. Visits in doubt, repeated ones, and the second
// parts of split ones, may be in any row.
func (c *comparer) breakdown(group string, known, shown map[string]uint64) {
	loose := c.visitsInDoubt() + c.Visits.Split + c.Visits.Repeated + known[""]
	names := maps.Clone(known)
	delete(names, "") // visits without a value are in some row
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
		r.Why = "the reports were behind the raw log when the run started, so the baseline is unknown"
	case shown > most && c.otherTraffic != "":
		r.Why = c.otherTraffic
	case shown > most:
		r.Verdict, r.Off = comparison.MatchMore, shown-most
	case sum(c.ByKind).Accepted+c.Visits.Complete+c.Visits.Partial == 0:
		r.Why = "no hits were accepted, so none can be missing"
	default:
		r.Verdict = comparison.MatchEqual
		if most > sure {
			r.Why = fmt.Sprintf("between %s accepted and %s with those in doubt", export.Figure(sure),
				export.Figure(most))
		}
	}
	c.rows = append(c.rows, r)
}
