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
	clock  clock
	random *rand.Rand // nil for even arrivals

	span      span
	taken     uint64  // arrivals of the span that are over
	remaining float64 // share of the span's visits that lies behind the last random arrival

	next  time.Time
	ended bool
}

// New begins at start with visit number first, which lies where the profile has that many visits behind it if it is
// one of stages; others begin from the start again. random is nil for even arrivals.
func New(p profile.Profile, start time.Time, first uint64, random *rand.Rand) *Schedule {
	s := &Schedule{clock: clock{profile: p, start: start, scale: 1}, random: random}
	lead := 0.0
	if end, ends := s.clock.end(); ends && first > 0 {
		begin, found := p.TimeOf(start, start, end, float64(first))
		if !found {
			begin = end
		}
		s.clock.start = start.Add(-begin.Sub(start))
		// A moment is cut to the nanosecond, in which a high rate has a part of a visit.
		if lead = float64(first) - s.clock.visits(s.clock.start, start); lead < rounding {
			lead = 0
		}
	}
	s.loadPiece(start, lead)
	return s
}

// Next is when the next visit arrives; false where none does, for now or for ever.
func (s *Schedule) Next() (time.Time, bool) { return s.next, !s.ended && s.clock.running() }

// End is when the profile is over; false where it never is, or while the schedule is held.
func (s *Schedule) End() (time.Time, bool) { return s.clock.end() }

// Advance moves on from Next to the arrival after it.
func (s *Schedule) Advance() {
	s.taken++
	s.draw()
}

// Overdue is how many arrivals have their moment at now or before it and were not taken. Where more than one is, it
// does not draw them but counts how many the profile has.
func (s *Schedule) Overdue(now time.Time) uint64 {
	next, ok := s.Next()
	if !ok || next.After(now) {
		return 0
	}
	return max(1, profile.Count(s.clock.visits(next, now)))
}

// Pause stops the schedule at a moment not after Next: no time of the profile passes, unless it goes by the clock.
func (s *Schedule) Pause(at time.Time) {
	if s.clock.running() {
		s.span = newSpan(profile.Piece{From: at, To: at}, s.lead(at))
		s.clock.pause(at)
	}
}

// Resume continues from a moment not before Hold.
func (s *Schedule) Resume(at time.Time) {
	if !s.clock.running() {
		s.clock.resume(at)
		s.loadPiece(at, s.span.lead)
	}
}

// Scale multiplies the rate of the profile from a moment on that is not after Next.
func (s *Schedule) Scale(at time.Time, by float64) {
	if !s.clock.running() {
		s.clock.scale = by
		return
	}
	lead := s.lead(at)
	s.clock.scale = by
	s.loadPiece(at, lead)
}

// Rate of the next arrival in visits a second, 0 where none comes.
func (s *Schedule) Rate() float64 {
	next, ok := s.Next()
	if !ok {
		return 0
	}
	return s.span.piece.Rate(next) / (24 * 60 * 60)
}

// lead is how many visits of the profile lie between a moment and the next even arrival. Random arrivals may be ahead
// of the profile or behind it, for which the rest of the piece makes up.
func (s *Schedule) lead(at time.Time) float64 {
	piece := s.span.piece
	lead := s.span.lead + (float64(s.taken) + s.clock.visits(at, piece.From) - piece.VisitsBefore(at))
	if math.Abs(lead) < rounding {
		return 0
	}
	return lead
}

// rounding is below what profile.Count tells apart.
const rounding = 1e-6

// loadPiece continues with the piece of the profile around at, or with the first one after it that has an arrival.
func (s *Schedule) loadPiece(at time.Time, lead float64) {
	for {
		piece, ok := s.clock.piece(at)
		if s.ended = !ok; s.ended {
			piece = profile.Piece{From: at, To: at}
		}
		s.span, s.taken, s.remaining = newSpan(piece, lead), 0, 1
		if s.ended || s.span.n > 0 {
			s.draw()
			return
		}
		at, lead = piece.To, s.span.carry(0)
	}
}

// draw finds the next arrival.
func (s *Schedule) draw() {
	switch {
	case s.ended:
	case s.taken == s.span.n:
		s.loadPiece(s.span.piece.To, s.span.carry(s.taken))
	case s.random == nil:
		s.next = s.span.even(s.taken)
	default:
		// Of k moments that lie at random the first leaves a share of the visits behind it that is distributed as the
		// k-th root of a random number.
		s.remaining *= math.Exp(-s.random.ExpFloat64() / float64(s.span.n-s.taken))
		s.next = s.span.before(s.remaining)
	}
}
