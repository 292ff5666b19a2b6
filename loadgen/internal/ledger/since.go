package ledger

import "github.com/HdrHistogram/hdrhistogram-go"

// Since is what was booked after before, an earlier copy of the same ledger: hits, visits by fate, what was due, and
// latencies. What is in flight is that of now; accounts, sales and receipts are left out. Due alone can shrink, where
// arrivals pause that were overdue: nothing was due then. Missed is one sum.
func (c Counts) Since(before Counts) Counts {
	d := Counts{Due: max(c.Due, before.Due) - before.Due, VisitTotals: VisitTotals{Planned: c.Planned - before.Planned}}
	for f, n := range before.Visits {
		d.Visits[f] = c.Visits[f] - n
	}
	now, then := c.AllMissed(), before.AllMissed()
	d.Missed = []Missed{{now.Visits - then.Visits, now.Hits - then.Hits}}
	for _, r := range c.Reasons {
		for _, old := range before.Reasons {
			if old.Target == r.Target && old.Answer.Class == r.Answer.Class && old.Answer.Status == r.Answer.Status {
				r.Hits -= old.Hits
			}
		}
		if r.Hits > 0 {
			d.Reasons = append(d.Reasons, r)
		}
	}
	for t := range c.Rows {
		rows := c.Rows[t]
		for k := range rows {
			rows[k].Planned -= before.Rows[t][k].Planned
			for o, n := range before.Rows[t][k].Outcomes {
				rows[k].Outcomes[o] -= n
			}
		}
		d.Rows = append(d.Rows, rows)
		latency, old := c.Latency[t].Export(), before.Latency[t].Export()
		for i, n := range old.Counts {
			latency.Counts[i] -= n
		}
		d.Latency = append(d.Latency, hdrhistogram.Import(latency))
	}
	return d
}

// TotalLatency are those of all targets together.
func (c Counts) TotalLatency() *hdrhistogram.Histogram {
	all := hdrhistogram.New(latencyMin, latencyMax, latencyDigits)
	for _, h := range c.Latency {
		all.Merge(h)
	}
	return all
}
