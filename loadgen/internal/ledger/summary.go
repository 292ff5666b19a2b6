package ledger

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/puttrix/trafficinator/loadgen/internal/shop"
	"github.com/puttrix/trafficinator/shared/hit"
	"github.com/puttrix/trafficinator/shared/outcome"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

// Summary are the row as the record has it.
func (r Row) Summary() runsummary.Hits {
	e := r.Outcomes
	return runsummary.Hits{
		Planned: r.Planned, Accepted: e[outcome.Accepted], Rejected: e[outcome.Rejected], Failed: e[outcome.Failed],
		Unknown: e[outcome.Unknown], Shed: e[outcome.Shed], Abandoned: e[outcome.Abandoned],
	}
}

// Fill writes the counts into s; names and targets are in the order of the ledger's targets. zone is that of the days.
func (c Counts) Fill(s *runsummary.Summary, names []string, targets []runsummary.Target, zone *time.Location) {
	s.Hits = c.Total(-1).Summary()
	s.ByKind, s.ByTarget, s.Targets = map[string]runsummary.Hits{}, map[string]runsummary.Hits{}, map[string]runsummary.Target{}
	for k := range hit.Kind(hit.Kinds) {
		s.ByKind[k.String()] = c.Kind(k).Summary()
	}
	all := hdrhistogram.New(latencyMin, latencyMax, latencyDigits)
	for i, name := range names {
		s.ByTarget[name] = c.Total(i).Summary()
		targets[i].Latency, targets[i].Histogram = runsummary.Percentiles(c.Latency[i]),
			runsummary.EncodeHistogram(c.Latency[i])
		targets[i].Totals = c.Targets[i].summary(zone)
		targets[i].ByKind = map[string]runsummary.Hits{}
		for k := range hit.Kind(hit.Kinds) {
			targets[i].ByKind[k.String()] = c.Rows[i][k].Summary()
		}
		s.Targets[name] = targets[i]
		all.Merge(c.Latency[i])
	}
	fillReasons(s, c.Reasons, names)
	s.Totals, s.Due = c.summary(zone), c.Due
	if c.Bulk.Requests > 0 {
		s.Bulk = &c.Bulk
	}
	s.Latency = runsummary.Percentiles(all)
	s.InFlight, s.OpenVisits = c.Total(-1).InFlight, c.OpenVisits()
}

func (a VisitTotals) summary(zone *time.Location) runsummary.Totals {
	v := a.Visits
	out := runsummary.Totals{
		Visits: runsummary.Visits{
			Planned: a.Planned, Complete: v[Complete], Partial: v[Partial], Uncertain: v[Uncertain], Lost: v[Lost],
			Unsent: v[Unsent], Split: a.Split, Repeated: a.Repeated,
		},
		Revenue: money(a.Sales.Revenue), Tax: money(a.Sales.Tax), Shipping: money(a.Sales.Shipping),
		Items: a.Sales.Items,
		Opened: runsummary.Opened{Days: map[string]uint64{}, Countries: a.Opened.Countries, Sources: a.Opened.Sources,
			Devices: a.Opened.Devices},
	}
	for day, n := range a.Opened.Days {
		out.Opened.Days[time.Unix(day, 0).In(zone).Format(time.DateOnly)] += n
	}
	return out
}

func money(c shop.Cents) float64 { return float64(c) / 100 }
