package ledger

import (
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/shop"
	"github.com/puttrix/trafficinator/shared/hit"
	"github.com/puttrix/trafficinator/shared/outcome"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

// Summary returns the row in the form of the run summary.
func (r Row) Summary() runsummary.Hits {
	o := r.Outcomes
	return runsummary.Hits{
		Planned: r.Planned, Accepted: o[outcome.Accepted], Rejected: o[outcome.Rejected], Failed: o[outcome.Failed],
		Unknown: o[outcome.Unknown], Shed: o[outcome.Shed], Abandoned: o[outcome.Abandoned],
	}
}

// Fill writes the counts into s. names and targets are in the order of the ledger's targets; zone is the site's.
func (c Counts) Fill(s *runsummary.Summary, names []string, targets []runsummary.Target, zone *time.Location) {
	all, total := c.TotalLatency(), c.Total(-1)
	s.Hits, s.InFlight, s.OpenVisits, s.Due = total.Summary(), total.InFlight, c.OpenVisits(), c.Due
	s.ByKind, s.ByTarget, s.Targets = byKind(c.Kind), map[string]runsummary.Hits{}, map[string]runsummary.Target{}
	for i, name := range names {
		t := &targets[i]
		t.Latency, t.Histogram = runsummary.Percentiles(c.Latency[i]), runsummary.EncodeHistogram(c.Latency[i])
		t.Totals, t.ByKind = c.Targets[i].summary(zone), byKind(func(k hit.Kind) Row { return c.Rows[i][k] })
		s.ByTarget[name], s.Targets[name] = c.Total(i).Summary(), *t
	}
	for _, r := range c.Reasons {
		a := r.Answer
		reason := runsummary.Reason{Target: names[r.Target], Class: a.Class.String(), Status: a.Status, Hits: r.Hits,
			Server: a.Server, Excerpt: a.Excerpt}
		if a.Class.Outcome() == outcome.Accepted {
			s.Warnings = append(s.Warnings, reason)
		} else {
			s.Reasons = append(s.Reasons, reason)
		}
	}
	runsummary.SortReasons(s.Reasons)
	runsummary.SortReasons(s.Warnings)
	s.Totals, s.Latency = c.summary(zone), runsummary.Percentiles(all)
	if c.Bulk.Requests > 0 {
		s.Bulk = &c.Bulk
	}
}

func byKind(row func(hit.Kind) Row) map[string]runsummary.Hits {
	rows := map[string]runsummary.Hits{}
	for k := range hit.Kind(hit.Kinds) {
		rows[k.String()] = row(k).Summary()
	}
	return rows
}

func (a VisitTotals) summary(zone *time.Location) runsummary.Totals {
	v := a.Visits
	out := runsummary.Totals{
		Visits: runsummary.Visits{
			Planned: a.Planned, Complete: v[Complete], Partial: v[Partial], Uncertain: v[Uncertain], Lost: v[Lost],
			Unsent: v[Unsent], Split: a.Split, Repeated: a.Repeated,
		},
		Revenue: amount(a.Sales.Revenue), Tax: amount(a.Sales.Tax), Shipping: amount(a.Sales.Shipping),
		Items: a.Sales.Items,
		Opened: runsummary.Opened{Days: map[string]uint64{}, Countries: a.Opened.Countries, Sources: a.Opened.Sources,
			Devices: a.Opened.Devices},
	}
	for day, n := range a.Opened.Days {
		out.Opened.Days[time.Unix(day, 0).In(zone).Format(time.DateOnly)] += n
	}
	return out
}

func amount(c shop.Cents) float64 { return float64(c) / 100 }
