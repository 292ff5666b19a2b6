// Package arrival computes when visits arrive. A schedule is pure arithmetic over a load profile and never waits.
package arrival

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/puttrix/trafficinator/shared/profile"
)

// Schedule generates the arrivals of a profile. The first is at the start. Even arrivals are one visit of the profile
// apart; random ones are spread over each piece of the profile, with the same number. Times are absolute, so that
// lateness does not accumulate. A schedule can be paused, resumed and scaled.
type Schedule struct {
	clock  clock
	random *rand.Rand // nil for even arrivals

	span      span
	taken     uint64  // arrivals of the span so far
	remaining float64 // share of the span's visits that lies behind the last random arrival

	next  time.Time
	ended bool
}

// New returns a schedule that starts at start with visit number first. A profile of stages continues where it has had
// that many visits; others start from the beginning. random is nil for even arrivals.
func New(p profile.Profile, start time.Time, first uint64, random *rand.Rand) *Schedule {
	s := &Schedule{clock: clock{profile: p, start: start, scale: 1}, random: random}
	lead := 0.0
	if end, ends := s.clock.end(); ends && first > 0 {
		begin, found := p.TimeOf(start, start, end, float64(first))
		if !found {
			begin = end
		}
		s.clock.start = start.Add(-begin.Sub(start))
		// Times are cut to the nanosecond, in which a high rate has a fraction of a visit.
		if lead = float64(first) - s.clock.visits(s.clock.start, start); lead < rounding {
			lead = 0
		}
	}
	s.loadPiece(start, lead)
	return s
}

// Next returns when the next visit arrives; false during a pause or after the end.
func (s *Schedule) Next() (time.Time, bool) { return s.next, !s.ended && s.clock.running() }

// End returns when the profile ends; false if it never does, or during a pause.
func (s *Schedule) End() (time.Time, bool) { return s.clock.end() }

// Advance moves to the arrival after Next.
func (s *Schedule) Advance() {
	s.taken++
	s.draw()
}

// Overdue returns how many arrivals are due by now and not advanced over. It does not draw them but counts the visits
// of the profile.
func (s *Schedule) Overdue(now time.Time) uint64 {
	next, ok := s.Next()
	if !ok || next.After(now) {
		return 0
	}
	return max(1, profile.Count(s.clock.visits(next, now)))
}

// Pause pauses the schedule at a time not after Next. Stages stop; the hours of a week pass.
func (s *Schedule) Pause(at time.Time) {
	if s.clock.running() {
		s.span = newSpan(profile.Piece{From: at, To: at}, s.lead(at))
		s.clock.pause(at)
	}
}

// Resume resumes the schedule at a time not before Pause.
func (s *Schedule) Resume(at time.Time) {
	if !s.clock.running() {
		s.clock.resume(at)
		s.loadPiece(at, s.span.lead)
	}
}

// Scale scales the rate of the profile from a time on that is not after Next.
func (s *Schedule) Scale(at time.Time, by float64) {
	if !s.clock.running() {
		s.clock.scale = by
		return
	}
	lead := s.lead(at)
	s.clock.scale = by
	s.loadPiece(at, lead)
}

// Rate returns the rate at the next arrival in visits per second, 0 if there is none.
func (s *Schedule) Rate() float64 {
	next, ok := s.Next()
	if !ok {
		return 0
	}
	return s.span.piece.Rate(next) / (24 * 60 * 60)
}

// lead returns the number of visits of the profile between a time and the next even arrival. Random arrivals may be
// ahead of the profile or behind, which the rest of the piece compensates.
func (s *Schedule) lead(at time.Time) float64 {
	piece := s.span.piece
	lead := s.span.lead + (float64(s.taken) + s.clock.visits(at, piece.From) - piece.VisitsBefore(at))
	if math.Abs(lead) < rounding {
		return 0
	}
	return lead
}

// rounding is below what profile.Count distinguishes.
const rounding = 1e-6

// loadPiece loads the piece of the profile at at, or the first one after it with an arrival.
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

// draw computes the next arrival.
func (s *Schedule) draw() {
	switch {
	case s.ended:
	case s.taken == s.span.n:
		s.loadPiece(s.span.piece.To, s.span.carry(s.taken))
	case s.random == nil:
		s.next = s.span.even(s.taken)
	default:
		// The first of k random times leaves a share of the visits that is distributed as the k-th root of a random
		// number.
		s.remaining *= math.Exp(-s.random.ExpFloat64() / float64(s.span.n-s.taken))
		s.next = s.span.before(s.remaining)
	}
}
