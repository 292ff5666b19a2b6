package backfill

import (
	"math/rand/v2"
	"time"

	"github.com/puttrix/trafficinator/shared/calendar"
	"github.com/puttrix/trafficinator/shared/profile"
)

// daySchedule distributes the visits of one day over its hours.
type daySchedule struct {
	day    calendar.Day
	pieces []profile.Piece
	seed   uint64
}

func newDaySchedule(d calendar.Day, curve profile.Profile, seed uint64) daySchedule {
	s := daySchedule{day: d, seed: seed}
	for p := range curve.Pieces(d.Start, d.Start, d.End) {
		s.pieces = append(s.pieces, p)
	}
	return s
}

// start returns when visit k of the day starts, as a Unix time. The curve divides the day into as many equally likely
// stretches as it has visits, and visit k starts at a random time of the k-th, early enough to end within the day. It
// returns false if the visit is longer than the day.
func (s *daySchedule) start(k, number uint64, length time.Duration) (int64, bool) {
	last := s.day.End.Add(-length - time.Second)
	if last.Before(s.day.Start) {
		return 0, false
	}
	const stream = 0x9fb21c651e98df25 // independent of the draws of visits
	rng := rand.New(rand.NewPCG(s.seed^stream, number))
	share := (float64(k) + rng.Float64()) / float64(s.day.Visits)
	at := s.timeOf(share * s.visitsBefore(last))
	if at.After(last) {
		at = last
	}
	return at.Unix(), true
}

// visitsBefore returns how many visits the curve has before a time.
func (s *daySchedule) visitsBefore(at time.Time) float64 {
	sum := 0.0
	for _, p := range s.pieces {
		if !at.After(p.From) {
			break
		}
		if at.Before(p.To) {
			return sum + p.VisitsBefore(at)
		}
		sum += p.Visits()
	}
	return sum
}

// timeOf is the inverse of visitsBefore.
func (s *daySchedule) timeOf(visits float64) time.Time {
	for _, p := range s.pieces {
		n := p.Visits()
		if visits < n {
			return p.TimeOf(visits)
		}
		visits -= n
	}
	return s.day.End
}
