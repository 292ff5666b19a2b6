package ledger

import (
	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/puttrix/trafficinator/loadgen/internal/shop"
	"github.com/puttrix/trafficinator/loadgen/internal/visitor"
	"github.com/puttrix/trafficinator/shared/hit"
	"github.com/puttrix/trafficinator/shared/outcome"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

// Counts is a consistent copy of a ledger.
type Counts struct {
	// Rows, Targets and Latency are by target.
	Rows        []Rows
	Targets     []VisitTotals
	Latency     []*hdrhistogram.Histogram
	VisitTotals // of all targets
	Bulk        runsummary.Bulk
	Due         uint64   // visits that should have started
	Missed      []Missed // by standstill
	Reasons     []Reason // in no particular order
}

// Rows are the rows of a target by kind.
type Rows [hit.Kinds]Row

// Row counts the hits of one target and kind.
type Row struct {
	Planned  uint64
	InFlight uint64
	Outcomes [outcome.Count]uint64
}

func (r *Row) add(o Row) {
	r.Planned += o.Planned
	r.InFlight += o.InFlight
	for i, n := range o.Outcomes {
		r.Outcomes[i] += n
	}
}

// Open returns the number of planned hits without an outcome.
func (r Row) Open() uint64 {
	open := r.Planned
	for _, n := range r.Outcomes {
		open -= n
	}
	return open
}

// Missed counts what was not sent because this process stood still when it fell due: visits that did not take place,
// and hits, including theirs.
type Missed struct{ Visits, Hits uint64 }

// AllMissed sums Missed over all standstills.
func (c Counts) AllMissed() (sum Missed) {
	for _, m := range c.Missed {
		sum.Visits += m.Visits
		sum.Hits += m.Hits
	}
	return sum
}

// Total sums the rows of a target, or of all targets if target is negative.
func (c Counts) Total(target int) (sum Row) {
	for t := range c.Rows {
		if target < 0 || t == target {
			for _, r := range c.Rows[t] {
				sum.add(r)
			}
		}
	}
	return sum
}

// Kind sums the rows of a kind over all targets.
func (c Counts) Kind(k hit.Kind) (sum Row) {
	for t := range c.Rows {
		sum.add(c.Rows[t][k])
	}
	return sum
}

// TotalLatency merges the latencies of all targets.
func (c Counts) TotalLatency() *hdrhistogram.Histogram {
	all := hdrhistogram.New(latencyMin, latencyMax, latencyDigits)
	for _, h := range c.Latency {
		all.Merge(h)
	}
	return all
}

// Since returns the difference to before, an earlier copy of the same ledger: hits, visits by outcome, due visits, the
// sum of missed ones, reasons and latencies. InFlight is the current number; sales, opened visits and receipts are left
// out. Due only shrinks if arrivals pause while visits are overdue, and is 0 then.
func (c Counts) Since(before Counts) Counts {
	d := Counts{Due: max(c.Due, before.Due) - before.Due, VisitTotals: VisitTotals{Planned: c.Planned - before.Planned}}
	for o, n := range before.Visits {
		d.Visits[o] = c.Visits[o] - n
	}
	now, then := c.AllMissed(), before.AllMissed()
	d.Missed = []Missed{{now.Visits - then.Visits, now.Hits - then.Hits}}
	for _, r := range c.Reasons {
		for _, old := range before.Reasons {
			if old.key() == r.key() {
				r.Hits -= old.Hits
			}
		}
		if r.Hits > 0 {
			d.Reasons = append(d.Reasons, r)
		}
	}
	for t, rows := range c.Rows {
		for k := range rows {
			rows[k].Planned -= before.Rows[t][k].Planned
			for o, n := range before.Rows[t][k].Outcomes {
				rows[k].Outcomes[o] -= n
			}
		}
		d.Rows = append(d.Rows, rows)
		latency := c.Latency[t].Export()
		for i, n := range before.Latency[t].Export().Counts {
			latency.Counts[i] -= n
		}
		d.Latency = append(d.Latency, hdrhistogram.Import(latency))
	}
	return d
}

// VisitTotals count a target's visits and what they brought.
type VisitTotals struct {
	// Planned visits have started. Split are those that Matomo records in addition to one each, Repeated those that it
	// may record.
	Planned, Split, Repeated uint64
	Visits                   [VisitOutcomes]uint64
	Sales                    Sales
	Opened                   Opened
}

func (a *VisitTotals) add(o VisitTotals) {
	a.Planned += o.Planned
	a.Split += o.Split
	a.Repeated += o.Repeated
	for i, n := range o.Visits {
		a.Visits[i] += n
	}
	a.Sales.add(o.Sales)
	a.Opened.merge(o.Opened)
}

// OpenVisits returns the number of visits that have started and not ended.
func (a VisitTotals) OpenVisits() uint64 {
	open := a.Planned
	for _, n := range a.Visits {
		open -= n
	}
	return open
}

// Sales are the amounts of accepted orders. Items counts pieces, as Matomo does (core/Tracker/GoalManager.php).
type Sales struct {
	Revenue, Tax, Shipping shop.Cents
	Items                  uint64
}

func (s *Sales) add(o Sales) {
	s.Revenue += o.Revenue
	s.Tax += o.Tax
	s.Shipping += o.Shipping
	s.Items += o.Items
}

// Dimensions are the values by which Matomo's reports break a visit down.
type Dimensions struct {
	// Day is the start of the site's day as a Unix time.
	Day int64
	// Visitor is as visit.AsReported returns it.
	Visitor visitor.Visitor
	// SourceLost is set if the visit was not opened by its first hit, the only one with the source.
	SourceLost bool
}

// Opened counts the visits that Matomo has opened.
type Opened struct {
	// Days is by Dimensions.Day, Countries by ISO code; "" in Sources are unknown ones.
	Days                        map[int64]uint64
	Countries, Sources, Devices map[string]uint64
}

func newOpened() Opened {
	return Opened{map[int64]uint64{}, map[string]uint64{}, map[string]uint64{}, map[string]uint64{}}
}

func (c Opened) add(d Dimensions) {
	c.Days[d.Day]++
	c.Countries[d.Visitor.Place.Country]++
	source := string(d.Visitor.Source.Type)
	if d.SourceLost {
		source = ""
	}
	c.Sources[source]++
	c.Devices[d.Visitor.Device.Type]++
}

func (c Opened) merge(o Opened) {
	addCounts(c.Days, o.Days)
	addCounts(c.Countries, o.Countries)
	addCounts(c.Sources, o.Sources)
	addCounts(c.Devices, o.Devices)
}

func addCounts[K comparable](into, from map[K]uint64) {
	for k, n := range from {
		into[k] += n
	}
}
