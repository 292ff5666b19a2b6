// Package capacity owns the search for the highest visit rate a server sustains: it chooses the next rate from the
// results of the previous steps. It is pure arithmetic without clocks, thresholds and the sender.
package capacity

import (
	"math"
	"slices"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/visit"
	"github.com/puttrix/trafficinator/shared/endreason"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

const (
	// raiseFactor is the growth of the rate per step until a step fails.
	raiseFactor = 4
	// precision is the ratio of the lowest failed to the highest passed rate at which the search stops.
	precision = 1.03
	// The throughput of an overloaded server is tried from just below, and from as far above as a short step needs for
	// a growing queue to show.
	belowThroughput, aboveThroughput = 0.985, 1.08
	// mildOverload is the load, relative to the throughput measured at it, up to which that throughput counts as the
	// server's maximum: many servers achieve less when loaded more.
	mildOverload = 1.12
	// maxConfirms limits the rates confirmed for a minute each, so that every search ends.
	maxConfirms = 5
)

// Step is a rate to try, in visits per second, and its purpose.
type Step struct {
	Kind runsummary.CapacityKind
	Rate float64
}

// Result is the result of a step.
type Result struct {
	Held bool
	// Throughput is the rate of accepted hits, in visits per second; 0 if unknown.
	Throughput float64
}

// Search is a search in progress.
type Search struct {
	from, to float64
	step     Step
	outcome  endreason.Reason

	held         []float64 // passed rates below broken, in order of the steps
	broken       float64   // lowest failed rate, 0 for none
	throughput   float64   // measured at broken
	target       float64   // last rate chosen by a throughput
	misleading   bool      // a rate below a measured throughput failed
	confirmed    float64   // highest confirmed rate, 0 for none
	confirmCount int
}

// New starts a search between two rates in visits per second, 0 < from ≤ to.
func New(from, to float64) *Search {
	return &Search{from: from, to: to, step: Step{runsummary.CapacityRaise, from}}
}

// Step returns the current step, or false if the search has ended.
func (s *Search) Step() (Step, bool) { return s.step, s.outcome == "" }

// Outcome returns how the search ended, or "" while it is in progress.
func (s *Search) Outcome() endreason.Reason { return s.outcome }

// Best returns the highest passed rate so far in visits per second, 0 for none, and whether it was confirmed.
func (s *Search) Best() (rate float64, confirmed bool) {
	if s.confirmed > 0 {
		return s.confirmed, true
	}
	return s.highestHeld(), false
}

func (s *Search) highestHeld() float64 { return slices.Max(append(s.held, s.confirmed)) }

// End records the result of the current step and chooses the next.
func (s *Search) End(r Result) {
	rate := s.step.Rate
	confirming := s.step.Kind == runsummary.CapacityConfirm
	if confirming {
		s.confirmCount++
	}
	switch {
	case r.Held && confirming:
		s.confirmed = rate
	case r.Held:
		s.held = append(s.held, rate)
	default:
		s.recordBroken(rate, r.Throughput)
	}
	switch {
	case s.broken > 0 && s.broken <= s.from:
		s.outcome = endreason.CapacityNone
	case s.broken == 0 && s.confirmed > 0:
		s.outcome = endreason.CapacityNotReached
	case s.broken == 0 && rate < s.to:
		s.step = Step{runsummary.CapacityRaise, min(raiseFactor*rate, s.to)}
	case s.broken == 0:
		s.step = Step{runsummary.CapacityConfirm, s.to}
	case s.confirmCount == maxConfirms, s.confirmed > 0 && s.isClose(s.confirmed):
		s.outcome = endreason.CapacityFound
	case confirming && !r.Held && s.nextConfirm() > s.confirmed:
		s.step = Step{runsummary.CapacityConfirm, s.nextConfirm()}
	case confirming && !r.Held:
		s.outcome = endreason.CapacityFound
	case s.isClose(s.highestHeld()):
		s.step = Step{runsummary.CapacityConfirm, s.highestHeld()}
	default:
		s.step = Step{runsummary.CapacityBisect, s.nextBisect()}
	}
}

// recordBroken records a failed rate. Higher rates that passed are dropped: their steps were shorter.
func (s *Search) recordBroken(rate, throughput float64) {
	s.misleading = s.misleading || rate == s.target && rate < s.throughput
	s.broken, s.throughput = rate, throughput
	s.held = slices.DeleteFunc(s.held, func(h float64) bool { return h >= rate })
}

// isClose reports whether a passed rate is precise enough: a slightly higher one failed, or the throughput under mild
// overload was hardly higher.
func (s *Search) isClose(rate float64) bool {
	return rate*precision >= s.broken || s.broken <= mildOverload*s.throughput && rate*precision >= s.throughput
}

// nextBisect returns a rate between the highest passed and the lowest failed one: near the throughput measured under
// overload if that lies between and has not been misleading, else the geometric mean.
func (s *Search) nextBisect() float64 {
	low := s.highestHeld()
	if s.throughput < s.broken/precision && !s.misleading {
		for _, s.target = range []float64{belowThroughput * s.throughput, aboveThroughput * s.throughput} {
			if s.target > low*precision && s.target < s.broken/precision {
				return s.target
			}
		}
	}
	return math.Sqrt(low * s.broken)
}

// nextConfirm returns the next rate to confirm after a confirmation failed: just below the throughput then, and lower
// with each attempt. Shorter steps that passed are ignored.
func (s *Search) nextConfirm() float64 {
	rate := s.broken / math.Pow(precision, float64(s.confirmCount))
	if s.throughput > 0 {
		rate = min(rate, belowThroughput*s.throughput)
	}
	return max(rate, s.from)
}

// Lag is how far the hit rate lags behind the visit rate, because a visit spreads its hits over time.
type Lag struct {
	offsets []time.Duration // of hits from the start of their visits, sorted
}

const (
	sampleSize   = 5000 // visits
	settledShare = 0.01 // of the final hit rate
)

// NewLag measures the first visits of outline.
func NewLag(outline func(n uint64, v *visit.Visit)) (l Lag) {
	var v visit.Visit
	for n := range uint64(sampleSize) {
		outline(n, &v)
		for i := range v.Hits {
			l.offsets = append(l.offsets, v.Hits[i].SendOffset)
		}
	}
	slices.Sort(l.offsets)
	return l
}

// HitsPerVisit returns the mean number of hits.
func (l Lag) HitsPerVisit() float64 { return float64(len(l.offsets)) / sampleSize }

// LongestVisit returns the longest duration of a visit.
func (l Lag) LongestVisit() time.Duration { return l.offsets[len(l.offsets)-1] }

// SettleTime returns how long after a change of the visit rate the hit rate is within 1 % of its new value.
func (l Lag) SettleTime(from, to float64) time.Duration {
	late := settledShare * to / math.Abs(to-from) // share of the hits that may come later
	if !(late < 1) {
		return 0
	}
	return l.offsets[int((1-late)*float64(len(l.offsets)))]
}
