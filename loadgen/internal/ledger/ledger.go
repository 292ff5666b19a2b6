// Package ledger owns the count of what became of every planned hit and visit. It adds up: for each target and
// kind, planned is the sum of the outcomes once a run has ended. It knows nothing of HTTP, clocks or schedules.
package ledger

import (
	"slices"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/puttrix/trafficinator/loadgen/internal/visit"
	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/hit"
	"github.com/puttrix/trafficinator/shared/outcome"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

// Latencies are kept in microseconds from 1 µs to 10 min, to 3 digits.
const (
	latencyMin, latencyMax, latencyDigits = 1, int64(10 * time.Minute / time.Microsecond), 3
)

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

// Rows are those of a target, by kind.
type Rows [hit.Kinds]Row

// Open is the number of planned hits that have no outcome yet.
func (r Row) Open() uint64 {
	open := r.Planned
	for _, n := range r.Outcomes {
		open -= n
	}
	return open
}

// VisitOutcome is what became of a visit.
type VisitOutcome uint8

// The fates. Matomo should show Complete + Partial + splits, and at most Uncertain + repeats more.
const (
	// Complete: every hit was accepted.
	Complete VisitOutcome = iota
	// Partial: at least one hit that opens a visit was accepted.
	Partial
	// Uncertain: none was, but at least one is unknown.
	Uncertain
	// Lost: sent, and none accepted or unknown.
	Lost
	// Unsent: nothing was sent.
	Unsent
	VisitOutcomes int = iota
)

// Ledger is safe for concurrent use.
type Ledger struct {
	mu      sync.Mutex
	rows    []Rows        // by target
	totals  []VisitTotals // by target
	latency []*hdrhistogram.Histogram
	bulk    runsummary.Bulk
	due     uint64
	missed  []Missed                     // by standstill
	reasons []map[reasonKey]*reasonCount // by target
}

// New makes a ledger of n targets.
func New(n int) *Ledger {
	l := &Ledger{rows: make([]Rows, n), totals: make([]VisitTotals, n), reasons: make([]map[reasonKey]*reasonCount, n)}
	for t := range n {
		l.latency = append(l.latency, hdrhistogram.New(latencyMin, latencyMax, latencyDigits))
		l.totals[t].Opened, l.reasons[t] = newOpened(), map[reasonKey]*reasonCount{}
	}
	return l
}

// Kinds counts hits by kind.
type Kinds [hit.Kinds]uint64

// CountKinds counts hits by the kind that Matomo books.
func CountKinds(hits []visit.Hit) (k Kinds) {
	for i := range hits {
		k[hits[i].RecordedAs]++
	}
	return k
}

// Plan books a visit that begins, with all its hits.
func (l *Ledger) Plan(target int, hits Kinds) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.plan(target, hits)
}

// PlanUnscheduled books a visit that no schedule makes due: it is due when it begins.
func (l *Ledger) PlanUnscheduled(target int, hits Kinds) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.plan(target, hits)
	l.due++
}

func (l *Ledger) plan(target int, hits Kinds) {
	l.totals[target].Planned++
	for k, n := range hits {
		l.rows[target][k].Planned += n
	}
}

// Move books that a visit of which no hit has ended goes to another target.
func (l *Ledger) Move(from, to int, hits Kinds) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.totals[from].Planned--
	l.totals[to].Planned++
	for k, n := range hits {
		l.rows[from][k].Planned -= n
		l.rows[to][k].Planned += n
	}
}

// Send books that hits are in flight, until Answer or Return.
func (l *Ledger) Send(target int, hits Kinds) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for k, n := range hits {
		l.rows[target][k].InFlight += n
	}
}

// Requeue books that hits are in flight no more and will be sent again, because of answer a.
func (l *Ledger) Requeue(target int, a *answer.Answer, hits Kinds) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.addReason(target, a.Class, a, 0) // its words, for hits of which none will be more
	for k, n := range hits {
		l.rows[target][k].InFlight -= n
	}
}

// NoLatency is that of a hit during which this process stood still: nothing tells when its answer came.
const NoLatency time.Duration = -1

// Answered is a hit in flight that was answered, or will not be.
type Answered struct {
	Kind hit.Kind
	// Class is what the answer means for this hit.
	Class answer.Class
	// Latency is the time from its intended moment to the answer, or NoLatency.
	Latency time.Duration
	// Sales is what the order brings, if it is accepted; zero for what is no order.
	Sales Sales
}

// SentHit is hit i of a visit before its answer.
func SentHit(v *visit.Visit, i int) Answered {
	return Answered{Kind: v.Hits[i].RecordedAs, Sales: salesOf(v, i)}
}

// Answer books the outcomes of hits in flight, which answer a brought.
func (l *Ledger) Answer(target int, a *answer.Answer, hits []Answered) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range hits {
		h := &hits[i]
		row := &l.rows[target][h.Kind]
		row.InFlight--
		row.Outcomes[h.Class.Outcome()]++
		if h.Class != answer.Accepted || a.Malformed {
			l.addReason(target, h.Class, a, 1)
		}
		if h.Class.Outcome() == outcome.Accepted {
			l.totals[target].Sales.add(h.Sales)
		}
		if h.Latency == NoLatency {
			continue
		}
		// The value is clamped into the histogram's range, so that there is no error.
		_ = l.latency[target].RecordValue(min(max(h.Latency.Microseconds(), latencyMin), latencyMax))
	}
}

// SetDue books how many visits should have begun by now.
func (l *Ledger) SetDue(visits uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.due = visits
}

// AddReceipt books Matomo's receipt for a bulk request of n hits.
func (l *Ledger) AddReceipt(n, tracked, invalid int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.bulk.Requests++
	l.bulk.Hits += uint64(n)
	l.bulk.Tracked += uint64(tracked)
	l.bulk.Invalid += uint64(invalid)
}

// End books hits that are not in flight, and why: their class says what became of them.
func (l *Ledger) End(target int, a *answer.Answer, hits Kinds) {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := uint64(0)
	for k, n := range hits {
		l.rows[target][k].Outcomes[a.Class.Outcome()] += n
		all += n
	}
	l.addReason(target, a.Class, a, all)
}

// OpenVisit books that Matomo has opened a visit.
func (l *Ledger) OpenVisit(target int, o Dimensions) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.totals[target].Opened.add(o)
}

// CloseVisit books the fate of a visit; splits is how many more visits than one Matomo makes of it, as far as More has not
// told.
func (l *Ledger) CloseVisit(target int, f VisitOutcome, splits int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.totals[target].Visits[f]++
	l.totals[target].Split += uint64(splits)
}

// AddSplits books that Matomo makes so many visits more of one that is open, and so many that it may make. It must not wait
// until the visit is closed, which a kill prevents.
func (l *Ledger) AddSplits(target int, splits, repeats uint16) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.totals[target].Split += uint64(splits)
	l.totals[target].Repeated += uint64(repeats)
}

// Counts is a consistent copy of a ledger.
type Counts struct {
	// Rows, Accounts and Latency are by target.
	Rows    []Rows
	Targets []VisitTotals
	Latency []*hdrhistogram.Histogram
	// Account sums those of the targets.
	VisitTotals
	Bulk runsummary.Bulk
	// Due is how many visits should have begun.
	Due uint64
	// Missed is by standstill.
	Missed []Missed
	// Reasons are why hits were not accepted, and what was odd about answers that accepted them, in no order.
	Reasons []Reason
}

// Counts copies the ledger as it stands.
func (l *Ledger) Counts() Counts {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := Counts{Rows: slices.Clone(l.rows), VisitTotals: VisitTotals{Opened: newOpened()}, Bulk: l.bulk, Due: l.due,
		Missed: slices.Clone(l.missed), Reasons: l.reasonList()}
	for t := range l.totals {
		a := l.totals[t]
		a.Opened = a.Opened.clone()
		c.Targets = append(c.Targets, a)
		c.add(a)
		c.Latency = append(c.Latency, hdrhistogram.Import(l.latency[t].Export()))
	}
	return c
}

// Total sums the rows of a target, of all where target is below 0.
func (c Counts) Total(target int) Row {
	var sum Row
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
func (c Counts) Kind(k hit.Kind) Row {
	var sum Row
	for t := range c.Rows {
		sum.add(c.Rows[t][k])
	}
	return sum
}

// String is the fate's name in summaries and metrics.
func (f VisitOutcome) String() string {
	return [VisitOutcomes]string{"complete", "partial", "uncertain", "lost", "unsent"}[f]
}
