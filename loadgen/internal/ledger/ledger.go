// Package ledger counts the outcome of every planned hit and visit. For each target and kind, planned is the sum of the
// outcomes once a run has ended. It does not depend on HTTP, clocks or schedules.
package ledger

import (
	"cmp"
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

// Latencies are recorded in microseconds from 1 µs to 10 min, with 3 significant digits.
const (
	latencyMin, latencyMax, latencyDigits = 1, int64(10 * time.Minute / time.Microsecond), 3
)

// Ledger counts the hits and visits of a run. It is safe for concurrent use.
type Ledger struct {
	mu      sync.Mutex
	rows    []Rows        // by target
	totals  []VisitTotals // by target
	latency []*hdrhistogram.Histogram
	bulk    runsummary.Bulk
	due     uint64
	missed  []Missed // by standstill
	reasons map[reasonKey]*Reason
}

// New returns a ledger for n targets.
func New(n int) *Ledger {
	l := &Ledger{rows: make([]Rows, n), totals: make([]VisitTotals, n), reasons: map[reasonKey]*Reason{}}
	for t := range n {
		l.latency = append(l.latency, hdrhistogram.New(latencyMin, latencyMax, latencyDigits))
		l.totals[t].Opened = newOpened()
	}
	return l
}

// Kinds counts hits by kind.
type Kinds [hit.Kinds]uint64

// CountKinds counts hits by the kind that Matomo records.
func CountKinds(hits []visit.Hit) (k Kinds) {
	for i := range hits {
		k[hits[i].RecordedAs]++
	}
	return k
}

// Plan adds a visit that starts, with all its hits.
func (l *Ledger) Plan(target int, hits Kinds) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.plan(target, hits)
}

// PlanUnscheduled adds a visit without an arrival time: it is due when it starts.
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

// Move moves a visit to another target before any of its hits has an outcome.
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

// Send marks hits as in flight, until Answer or Requeue.
func (l *Ledger) Send(target int, hits Kinds) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for k, n := range hits {
		l.rows[target][k].InFlight += n
	}
}

// Requeue marks hits as no longer in flight: they will be sent again after answer a.
func (l *Ledger) Requeue(target int, a *answer.Answer, hits Kinds) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.addReason(target, a.Class, a, 0) // keeps its excerpt in case no other attempt is made
	for k, n := range hits {
		l.rows[target][k].InFlight -= n
	}
}

// NoLatency is the latency of a hit during which this process stood still: it is unknown when its answer arrived.
const NoLatency time.Duration = -1

// Answered is the outcome of a hit that was in flight.
type Answered struct {
	Kind  hit.Kind
	Class answer.Class // of this hit
	// Latency is the time from when the hit was due to the answer, or NoLatency.
	Latency time.Duration
	// Sales are counted if the hit is accepted; zero unless it is an order.
	Sales Sales
}

// SentHit returns hit i of a visit without its outcome.
func SentHit(v *visit.Visit, i int) Answered {
	a := Answered{Kind: v.Hits[i].RecordedAs}
	if v.Hits[i].Kind == hit.Order {
		o := v.Order(i)
		a.Sales = Sales{Revenue: o.Revenue, Tax: o.Tax, Shipping: o.Shipping}
		for _, item := range o.Items {
			a.Sales.Items += uint64(item.Quantity)
		}
	}
	return a
}

// Answer records the outcomes of hits in flight after answer a, and Matomo's receipt if it has one.
func (l *Ledger) Answer(target int, a *answer.Answer, hits []Answered) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if a.Receipt.Tracked+a.Receipt.Invalid > 0 {
		l.bulk.Requests++
		l.bulk.Hits += uint64(len(hits))
		l.bulk.Tracked += uint64(a.Receipt.Tracked)
		l.bulk.Invalid += uint64(a.Receipt.Invalid)
	}
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
		if h.Latency != NoLatency {
			// The value is clamped to the histogram's range, so that there is no error.
			_ = l.latency[target].RecordValue(min(max(h.Latency.Microseconds(), latencyMin), latencyMax))
		}
	}
}

// SetDue sets how many visits should have started by now.
func (l *Ledger) SetDue(visits uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.due = visits
}

// End records the outcome of hits that are not in flight, by the class of a.
func (l *Ledger) End(target int, a *answer.Answer, hits Kinds) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.end(target, a, hits)
}

// end returns the number of hits.
func (l *Ledger) end(target int, a *answer.Answer, hits Kinds) (total uint64) {
	for k, n := range hits {
		l.rows[target][k].Outcomes[a.Class.Outcome()] += n
		total += n
	}
	l.addReason(target, a.Class, a, total)
	return total
}

// Miss records hits of a visit as shed because of standstill number n, from 0. visit is set if it does not take place.
func (l *Ledger) Miss(target, n int, hits Kinds, visit bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.missed) <= n {
		l.missed = append(l.missed, Missed{})
	}
	l.missed[n].Hits += l.end(target, &answer.Answer{Class: answer.Standstill}, hits)
	if visit {
		l.missed[n].Visits++
	}
}

// OpenVisit counts a visit that Matomo has opened.
func (l *Ledger) OpenVisit(target int, d Dimensions) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.totals[target].Opened.add(d)
}

// CloseVisit records the outcome of a visit.
func (l *Ledger) CloseVisit(target int, o VisitOutcome) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.totals[target].Visits[o]++
}

// AddSplits counts further visits that Matomo records for an open visit, and those that it may record. They are counted
// before the visit is closed, because a kill may prevent that.
func (l *Ledger) AddSplits(target int, splits, repeats uint16) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.totals[target].Split += uint64(splits)
	l.totals[target].Repeated += uint64(repeats)
}

// reasonKey identifies a reason.
type reasonKey struct {
	target int
	class  answer.Class
	status int
}

// Reason is why hits of a target were not accepted, or were accepted with a malformed answer.
type Reason struct {
	Target int
	// Answer has the class and status, with the first excerpt and server seen.
	Answer answer.Answer
	Hits   uint64
}

func (r *Reason) key() reasonKey { return reasonKey{r.Target, r.Answer.Class, r.Answer.Status} }

func (l *Ledger) addReason(target int, class answer.Class, a *answer.Answer, hits uint64) {
	key := reasonKey{target, class, a.Status}
	r := l.reasons[key]
	if r == nil {
		r = &Reason{Target: target, Answer: answer.Answer{Class: class, Status: a.Status}}
		l.reasons[key] = r
	}
	r.Hits += hits
	r.Answer.Excerpt, r.Answer.Server = cmp.Or(r.Answer.Excerpt, a.Excerpt), cmp.Or(r.Answer.Server, a.Server)
}

// Counts returns a copy of the ledger.
func (l *Ledger) Counts() Counts {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := Counts{Rows: slices.Clone(l.rows), VisitTotals: VisitTotals{Opened: newOpened()}, Bulk: l.bulk, Due: l.due,
		Missed: slices.Clone(l.missed)}
	for _, r := range l.reasons {
		if r.Hits > 0 {
			c.Reasons = append(c.Reasons, *r)
		}
	}
	for t, a := range l.totals {
		a.Opened = newOpened()
		a.Opened.merge(l.totals[t].Opened)
		c.Targets = append(c.Targets, a)
		c.add(a)
		c.Latency = append(c.Latency, hdrhistogram.Import(l.latency[t].Export()))
	}
	return c
}
