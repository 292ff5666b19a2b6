package ledger

import (
	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/puttrix/trafficinator/shared/hit"
	"github.com/puttrix/trafficinator/shared/outcome"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

// Counts is a consistent copy of a ledger.
type Counts struct {
	// Rows, Targets and Latency are by target.
	Rows    []Rows
	Targets []VisitTotals
	Latency []*hdrhistogram.Histogram
	// VisitTotals are the sums over all targets.
	VisitTotals
	Bulk runsummary.Bulk
	// Due is how many visits should have started.
	Due uint64
	// Missed is by standstill.
	Missed []Missed
	// Reasons are in no particular order.
	Reasons []Reason
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

// Since returns what was counted after before, an earlier copy of the same ledger: hits, visits by outcome, due visits,
// missed ones in one sum, reasons and latencies. InFlight is the current number; sales, opened visits and receipts are
// left out. Due can only shrink when arrivals pause while visits are overdue, and is 0 then.
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
