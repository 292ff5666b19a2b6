// Package capacity owns the search for the highest rate of visits that a server bears: which rate is tried next, by
// what the steps so far have shown. It is pure arithmetic: it knows neither clocks nor thresholds, nor who sends.
package capacity

import (
	"math"

	"github.com/puttrix/trafficinator/shared/endreason"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

const (
	// raise is by how much the rate grows from step to step until one breaks.
	raise = 4
	// precision is how near the highest rate that held comes to the lowest that broke.
	precision = 1.03
	// below and above are where the throughput of an overloaded server is tried: just under it, and as far over it as a
	// short step needs for a growing queue to show.
	below, above = 0.985, 1.08
	// mild is how far over its throughput a server may have been loaded for the throughput to be the most it bears:
	// under more, many bear less.
	mild = 1.12
	// confirmations is how many rates are held for a minute at most, so that a search ends on any server.
	confirmations = 5
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

	held       []float64 // rates that held, in the order of trying, without those that broke since
	broke      float64   // lowest rate that broke, 0 for none
	throughput float64   // at it
	aim        float64   // rate that was tried because of a throughput
	misled     bool      // a rate below a throughput broke
	confirmed  float64   // highest rate that was confirmed, 0 for none
	confirms   int
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
	return s.highest(), false
}

// highest is the highest rate that held, 0 for none.
func (s *Search) highest() float64 {
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
		s.confirms++
	}
	switch {
	case r.Held && confirming:
		s.confirmed = rate
	case r.Held:
		s.held = append(s.held, rate)
	default:
		s.fail(rate, r.Throughput)
	}
	switch {
	case s.broke > 0 && s.broke <= s.from:
		s.outcome = endreason.CapacityNone
	case s.broke == 0 && s.confirmed > 0:
		s.outcome = endreason.CapacityNotReached
	case s.broke == 0 && rate < s.to:
		s.step = Step{runsummary.CapacityRaise, min(raise*rate, s.to)}
	case s.broke == 0:
		s.step = Step{runsummary.CapacityConfirm, s.to}
	case s.confirms == confirmations, s.confirmed > 0 && s.near(s.confirmed):
		s.outcome = endreason.CapacityFound
	case confirming && !r.Held && s.lower() > s.confirmed:
		s.step = Step{runsummary.CapacityConfirm, s.lower()}
	case confirming && !r.Held:
		s.outcome = endreason.CapacityFound
	case s.near(s.highest()):
		s.step = Step{runsummary.CapacityConfirm, s.highest()}
	default:
		s.step = Step{runsummary.CapacityBisect, s.between()}
	}
}

// fail notes a rate that broke. What held above it held by luck: the steps before were shorter.
func (s *Search) fail(rate, throughput float64) {
	s.misled = s.misled || rate == s.aim && rate < s.throughput
	s.broke, s.throughput = rate, throughput
	kept := s.held[:0]
	for _, h := range s.held {
		if h < rate {
			kept = append(kept, h)
		}
	}
	s.held = kept
}

// near says that a rate that held is as high as will be found: one a little higher broke, or the server took hardly
// more at one that was mildly too high.
func (s *Search) near(rate float64) bool {
	return rate*precision >= s.broke || s.broke <= mild*s.throughput && rate*precision >= s.throughput
}

// between is a rate between the highest that held and the lowest that broke: by the throughput of an overloaded server,
// unless that has misled or lies elsewhere, else the middle.
func (s *Search) between() float64 {
	low := s.highest()
	if s.throughput < s.broke/precision && !s.misled {
		for _, s.aim = range []float64{below * s.throughput, above * s.throughput} {
			if s.aim > low*precision && s.aim < s.broke/precision {
				return s.aim
			}
		}
	}
	return math.Sqrt(low * s.broke)
}

// lower is the next rate to confirm after one broke: a little below what the server bore then, and ever lower. Shorter
// steps that held do not count against it.
func (s *Search) lower() float64 {
	rate := s.broke / math.Pow(precision, float64(s.confirms))
	if s.throughput > 0 {
		rate = min(rate, below*s.throughput)
	}
	return max(rate, s.from)
}
