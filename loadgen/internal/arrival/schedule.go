// Package arrival owns when visits begin. A schedule is pure arithmetic over a load profile; it waits for nothing.
package arrival

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/puttrix/trafficinator/shared/profile"
)

// Schedule is the arrivals of a profile, one after the other. The first comes at once, each other one when a whole
// visit of the profile lies behind the one before, or at random under the number that each piece of the profile has so.
// Moments are absolute, so that lateness never adds up. It can be held, released and scaled on the way.
type Schedule struct {
	profile profile.Profile
	length  time.Duration // of the profile, 0 for endless
	start   time.Time     // of the profile
	random  *rand.Rand    // nil for even arrivals
	scale   float64

	piece  profile.Piece
	visits float64 // of the piece
	// lead is how many visits of the piece lie before its first arrival, from 0 to 1 where arrivals are even.
	lead float64
	// taken of the n arrivals of the piece are over.
	taken, n uint64
	rest     float64 // share of the piece's visits that lies behind the last random arrival

	next  time.Time
	ended bool
	held  time.Time // since when, zero for not
}

// New begins at start with visit number first, which lies where the profile has that many visits behind it if it is
// one of stages; others begin anew. random is nil for even arrivals.
func New(p profile.Profile, start time.Time, first uint64, random *rand.Rand) *Schedule {
	s := &Schedule{profile: p, length: p.Length(), start: start, random: random, scale: 1}
	if s.length > 0 && first > 0 {
		end := start.Add(s.length)
		begin, found := p.When(start, start, end, float64(first))
		if !found {
			begin = end
		}
		s.start = start.Add(-begin.Sub(start))
		// A moment is cut to the nanosecond, in which a high rate has a part of a visit.
		if s.lead = float64(first) - p.Integral(s.start, s.start, start); s.lead < rounding {
			s.lead = 0
		}
	}
	s.load(start)
	return s
}

// Next is when the next visit arrives; false where none does, for now or for ever.
func (s *Schedule) Next() (time.Time, bool) { return s.next, !s.ended && s.held.IsZero() }

// End is when the profile is over; false where it never is, or while the schedule is held.
func (s *Schedule) End() (time.Time, bool) {
	return s.start.Add(s.length), s.length > 0 && s.held.IsZero()
}

// Take goes on from Next to the arrival after it.
func (s *Schedule) Take() {
	s.taken++
	s.draw()
}

// Overdue is how many arrivals have their moment at now or before it and were not taken. Where more than one is, it
// does not draw them but tells how many the profile has.
func (s *Schedule) Overdue(now time.Time) uint64 {
	next, ok := s.Next()
	if !ok || next.After(now) {
		return 0
	}
	return max(1, profile.Count(s.scale*s.profile.Integral(s.start, next, now)))
}

// Hold stops the schedule at a moment not after Next: no time of the profile passes, unless it goes by the clock.
func (s *Schedule) Hold(at time.Time) {
	if s.held.IsZero() {
		s.settle(at)
		s.held = at
	}
}

// Release goes on from a moment not before Hold.
func (s *Schedule) Release(at time.Time) {
	if s.held.IsZero() {
		return
	}
	s.start = s.start.Add(at.Sub(s.held))
	s.held = time.Time{}
	s.load(at)
}

// Scale multiplies the rate of the profile from a moment on that is not after Next.
func (s *Schedule) Scale(at time.Time, by float64) {
	if s.held.IsZero() {
		s.settle(at)
		s.scale = by
		s.load(at)
	} else {
		s.scale = by
	}
}

// Rate of the next arrival in visits a second, 0 where none comes.
func (s *Schedule) Rate() float64 {
	next, ok := s.Next()
	if !ok {
		return 0
	}
	return s.piece.Rate(next) / (24 * 60 * 60)
}

// settle counts lead from at on. Random arrivals may be ahead of the profile or behind it, for which the rest of the
// piece makes up.
func (s *Schedule) settle(at time.Time) {
	s.lead += float64(s.taken) + s.scale*s.profile.Integral(s.start, at, s.piece.From) - s.piece.Before(at)
	if math.Abs(s.lead) < rounding {
		s.lead = 0
	}
}

// rounding is below what profile.Count tells apart.
const rounding = 1e-6

// load goes on with the piece of the profile around at, or with the first one after it that has an arrival.
func (s *Schedule) load(at time.Time) {
	for {
		piece, ok := s.profile.Piece(s.start, at)
		s.ended = !ok
		if s.ended {
			s.piece = profile.Piece{From: at, To: at}
		} else {
			s.piece = piece.Scale(s.scale)
		}
		s.visits, s.rest = s.piece.Visits(), 1
		s.taken, s.n = 0, profile.Count(s.visits-s.lead)
		if s.ended || s.n > 0 {
			s.draw()
			return
		}
		s.lead -= s.visits
		at = s.piece.To
	}
}

// draw finds the next arrival.
func (s *Schedule) draw() {
	switch {
	case s.ended:
	case s.taken == s.n:
		s.lead += float64(s.n) - s.visits
		s.load(s.piece.To)
	case s.random == nil:
		s.next = s.piece.Moment(max(0, s.lead+float64(s.taken)))
	default:
		// Of k moments that lie at random the first leaves a share of the visits behind it that is distributed as the
		// k-th root of a random number.
		s.rest *= math.Exp(-s.random.ExpFloat64() / float64(s.n-s.taken))
		s.next = s.piece.Moment((1 - s.rest) * s.visits)
	}
}
