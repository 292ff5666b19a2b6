// Package proof owns what Matomo makes of a run: it asks what was recorded, sets it beside the ledger, and says what
// is missing and why. It starts nothing, sends no hit, and knows neither HTTP routes nor the page.
package proof

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/puttrix/trafficinator/shared/matomo"
	"github.com/puttrix/trafficinator/shared/record"
)

// rows compare what a target shows with its part of the ledger.
func rows(t record.Target, killed bool, shown matomo.Recorded) []record.ReconciledRow {
	c := comparison{t: t, killed: killed}
	v := t.Visits
	sure := v.Complete + v.Partial
	c.count("total", "visits", sure+v.Split, v.Uncertain, shown.Visits)
	if shown.Unique == nil {
		c.add("total", "unique visitors", float64(sure), float64(sure+v.Uncertain), 0, "they are not computed for several days, and do not add up")
	} else {
		c.count("total", "unique visitors", sure, v.Uncertain, *shown.Unique)
	}
	for _, k := range []struct {
		kind, name string
		shown      uint64
	}{
		{"pageview", "pageviews", shown.Pageviews}, {"search", "searches", shown.Searches}, {"event", "events", shown.Events},
		{"outlink", "outlinks", shown.Outlinks}, {"download", "downloads", shown.Downloads}, {"order", "orders", shown.Orders},
	} {
		c.count("total", k.name, t.ByKind[k.kind].Accepted, c.doubtful(t.ByKind[k.kind]), k.shown)
	}
	doubtful := c.doubtful(t.ByKind["order"])
	c.amount("revenue", t.Revenue, shown.Revenue, doubtful)
	c.amount("tax", t.Tax, shown.Tax, doubtful)
	c.amount("shipping", t.Shipping, shown.Shipping, doubtful)
	c.amount("items", float64(t.Items), float64(shown.Items), doubtful)
	c.broken("day", t.Opened.Days, shown.Days)
	if _, unplaced := t.Opened.Countries[""]; !unplaced {
		c.broken("country", t.Opened.Countries, shown.Countries)
	}
	c.broken("source", t.Opened.Sources, shown.Sources)
	c.broken("device", t.Opened.Devices, shown.Devices)
	return c.rows
}

// comparison gathers rows.
type comparison struct {
	t      record.Target
	killed bool
	rows   []record.ReconciledRow
}

// doubtful are hits that may have been recorded though nobody said so. Matomo refuses hits with the same status when its
// database is away, so that a refusal is no proof; what a killed loadgen booked as abandoned may have been sent.
func (c *comparison) doubtful(h record.Hits) uint64 {
	n := h.Unknown + h.Rejected
	if c.killed {
		n += h.Abandoned
	}
	return n
}

func (c *comparison) count(group, name string, sure, doubtful, shown uint64) {
	c.add(group, name, float64(sure), float64(sure+doubtful), float64(shown), "")
}

// amount compares money and pieces, which are floats in Matomo. Nothing tells what an order in doubt would have brought.
func (c *comparison) amount(name string, sure, shown float64, doubtful uint64) {
	most := sure
	if doubtful > 0 {
		most = math.Max(sure, shown) // any more is possible
	}
	if math.Abs(shown-sure) <= tolerance*math.Max(1, math.Abs(sure)) {
		shown = sure
	}
	c.add("total", name, sure, most, shown, "")
}

// tolerance of money, relative.
const tolerance = 1e-6

// broken compares visits by what a report breaks them down by. Visits in doubt, and the second halves of split ones, may
// be in any row.
func (c *comparison) broken(group string, sent, shown map[string]uint64) {
	loose := c.t.Visits.Uncertain + c.t.Visits.Split + sent[""]
	names := maps.Clone(sent)
	delete(names, "") // whatever these are, they are in some row
	if names == nil {
		names = map[string]uint64{}
	}
	for name := range shown {
		names[name] += 0
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		c.count(group, name, sent[name], loose, shown[name])
	}
}

func (c *comparison) add(group, name string, sure, most, shown float64, incomparable string) {
	r := record.ReconciledRow{Group: group, Name: name, Sent: sure, Most: most, Recorded: shown, Verdict: record.RowEqual}
	switch {
	case incomparable != "":
		r.Verdict, r.Why = record.RowIncomparable, incomparable
	case shown < sure:
		r.Verdict, r.Off = record.RowShort, shown-sure
	case shown > most && c.killed:
		r.Most, r.Why = shown, "more than was booked, as hits are that a loadgen sent in the second before it was killed"
	case shown > most:
		r.Verdict, r.Off = record.RowMore, shown-most
	case most > sure:
		r.Why = fmt.Sprintf("between %v that were accepted and %v with those in doubt", sure, most)
	}
	c.rows = append(c.rows, r)
}
