package backfill

import (
	"math/rand/v2"
	"time"

	"github.com/puttrix/trafficinator/shared/calendar"
	"github.com/puttrix/trafficinator/shared/profile"
)

// dayClock deals the visits of one day out over it by the curve of its hours.
type dayClock struct {
	day    calendar.Day
	pieces []profile.Piece
	seed   uint64
}

func newDayClock(d calendar.Day, week profile.Profile, seed uint64) dayClock {
	c := dayClock{day: d, seed: seed}
	for p := range week.Pieces(d.Start, d.Start, d.End) {
		c.pieces = append(c.pieces, p)
	}
	return c
}

// start is when visit k of the day's begins, in Unix seconds: somewhere in the k-th of as many stretches as the day has
// visits, which the curve makes equally likely, so that visits come in order and as unevenly as people do. A visit of
// that length lies wholly inside the day; false where the day has not so much time.
func (c *dayClock) start(k, number uint64, length time.Duration) (int64, bool) {
	last := c.day.End.Add(-length - time.Second)
	if last.Before(c.day.Start) {
		return 0, false
	}
	const apart = 0x9fb21c651e98df25 // from the draws of visits
	rng := rand.New(rand.NewPCG(c.seed^apart, number))
	share := (float64(k) + rng.Float64()) / float64(c.day.Visits)
	// The stretch in which it can begin ends earlier for a longer visit.
	at := c.at(share * c.before(last))
	if at.After(last) {
		at = last
	}
	return at.Unix(), true
}

// before is how much of the curve lies before a moment.
func (c *dayClock) before(at time.Time) float64 {
	sum := 0.0
	for _, p := range c.pieces {
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

// at is when so much of the curve lies behind.
func (c *dayClock) at(x float64) time.Time {
	for _, p := range c.pieces {
		n := p.Visits()
		if x < n {
			return p.TimeOf(x)
		}
		x -= n
	}
	return c.day.End
}
