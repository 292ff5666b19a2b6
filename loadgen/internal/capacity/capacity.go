// Package capacity owns the search for the highest rate of visits that a server bears: which rate is tried next, by
// what the steps so far have shown. It is pure arithmetic: it knows neither clocks nor thresholds, nor who sends.
package capacity

import (
	"math"

	"github.com/puttrix/trafficinator/shared/endreason"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

const (
	// raiseFactor is by how much the rate grows from step to step until one breaks.
	raiseFactor = 4
	// precision is how near the highest rate that held comes to the lowest that broke.
	precision = 1.03
	// belowThroughput and above are where the throughput of an overloaded server is tried: just under it, and as far over it as a
	// short step needs for a growing queue to show.
	belowThroughput, aboveThroughput = 0.985, 1.08
	// mildOverload is how far over its throughput a server may have been loaded for the throughput to be the most it bears:
	// under more, many bear less.
	mildOverload = 1.12
	// maxConfirms is how many rates are held for a minute at most, so that a search ends on any server.
	maxConfirms = 5
)

// Step is a rate to try, in visits a second, and what for.
type Step struct {
	Kind runsummary.CapacityKind
	Rate float64
}

// Result is what a step showed.
type Result struct {
	Held bool
	// Throughput is what the server bore meanwhile: the hits accepted, as visits a second. 0 is not known.
	Throughput float64
}

// Search is a search under way.
type Search struct {
	from, to float64
	step     Step
	outcome  endreason.Reason

	held         []float64 // rates that held, in the order of trying, without those that broke since
	broken       float64   // lowest rate that broke, 0 for none
	throughput   float64   // at it
	target       float64   // rate that was tried because of a throughput
	misleading   bool      // a rate below a throughput broke
	confirmed    float64   // highest rate that was confirmed, 0 for none
	confirmCount int
}

// New begins a search between two rates in visits a second, 0 < from ≤ to.
func New(from, to float64) *Search {
	return &Search{from: from, to: to, step: Step{runsummary.CapacityRaise, from}}
}

// Step is what to try now; false once the search has ended.
func (s *Search) Step() (Step, bool) { return s.step, s.outcome == "" }

// Outcome is how the search has ended, "" while it goes on.
func (s *Search) Outcome() endreason.Reason { return s.outcome }

// Best is the highest rate found so far in visits a second, 0 for none, and whether it was confirmed.
func (s *Search) Best() (rate float64, confirmed bool) {
	if s.confirmed > 0 {
		return s.confirmed, true
	}
	return s.highestHeld(), false
}

// highestHeld is the highest rate that held, 0 for none.
func (s *Search) highestHeld() float64 {
	best := s.confirmed
	for _, rate := range s.held {
		best = max(best, rate)
	}
	return best
}

// End takes the result of the step and decides on the next.
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

// recordBroken notes a rate that broke. What held above it held by luck: the steps before were shorter.
func (s *Search) recordBroken(rate, throughput float64) {
	s.misleading = s.misleading || rate == s.target && rate < s.throughput
	s.broken, s.throughput = rate, throughput
	kept := s.held[:0]
	for _, h := range s.held {
		if h < rate {
			kept = append(kept, h)
		}
	}
	s.held = kept
}

// isClose says that a rate that held is as high as will be found: one a little higher broke, or the server took hardly
// more at one that was mildly too high.
func (s *Search) isClose(rate float64) bool {
	return rate*precision >= s.broken || s.broken <= mildOverload*s.throughput && rate*precision >= s.throughput
}

// nextBisect is a rate between the highest that held and the lowest that broke: by the throughput of an overloaded server,
// unless that has misled or lies elsewhere, else the middle.
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

// nextConfirm is the next rate to confirm after one broke: a little below what the server bore then, and ever lower. Shorter
// steps that held do not count against it.
func (s *Search) nextConfirm() float64 {
	rate := s.broken / math.Pow(precision, float64(s.confirmCount))
	if s.throughput > 0 {
		rate = min(rate, belowThroughput*s.throughput)
	}
	return max(rate, s.from)
}
