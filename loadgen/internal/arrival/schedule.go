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
		from, found := p.TimeOf(start, start, end, float64(first))
		if !found {
			from = end
		}
		s.clock.start = start.Add(-from.Sub(start))
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

// span is a piece of a profile with its arrivals: the pure inverse of the piece's integral.
type span struct {
	piece  profile.Piece
	visits float64 // of the piece, its integral
	// lead is the number of visits of the piece before its first arrival, from 0 to 1 for even arrivals.
	lead float64
	n    uint64 // arrivals
}

func newSpan(piece profile.Piece, lead float64) span {
	visits := piece.Visits()
	return span{piece, visits, lead, profile.Count(visits - lead)}
}

// even returns the time of arrival k, from 0 to n-1, if arrivals are one visit of the profile apart.
func (s span) even(k uint64) time.Time { return s.piece.TimeOf(max(0, s.lead+float64(k))) }

// before returns the time at which a share of the piece's visits, from 0 to 1, is left.
func (s span) before(rest float64) time.Time { return s.piece.TimeOf((1 - rest) * s.visits) }

// carry returns the lead of the next piece after so many arrivals of this one.
func (s span) carry(taken uint64) float64 { return s.lead + (float64(taken) - s.visits) }

// clock maps real time to the time of a profile, which a pause stops, and scales the profile's rate.
type clock struct {
	profile  profile.Profile
	start    time.Time // of the profile; every pause moves it
	scale    float64
	pausedAt time.Time // zero while the clock is running
}

func (c *clock) running() bool { return c.pausedAt.IsZero() }

func (c *clock) pause(at time.Time) { c.pausedAt = at }

func (c *clock) resume(at time.Time) {
	c.start, c.pausedAt = c.start.Add(at.Sub(c.pausedAt)), time.Time{}
}

// end returns when the profile ends; false if it never does, or during a pause.
func (c *clock) end() (time.Time, bool) {
	length := c.profile.Length()
	return c.start.Add(length), length > 0 && c.running()
}

// visits returns the number of visits of the scaled profile between two times.
func (c *clock) visits(from, to time.Time) float64 {
	return c.scale * c.profile.Integral(c.start, from, to)
}

// piece returns the scaled piece of the profile from a time on; false after its end.
func (c *clock) piece(at time.Time) (profile.Piece, bool) {
	p, ok := c.profile.Piece(c.start, at)
	return p.Scale(c.scale), ok
}
