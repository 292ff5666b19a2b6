package arrival

import (
	"time"

	"github.com/puttrix/trafficinator/shared/profile"
)

// clock maps real time to that of a profile, which a hold stops, and multiplies the profile's rate.
type clock struct {
	profile  profile.Profile
	start    time.Time // of the profile; every hold moves it
	scale    float64
	pausedAt time.Time // since when no time of the profile passes, zero while it does
}

func (c *clock) running() bool { return c.pausedAt.IsZero() }

func (c *clock) pause(at time.Time) { c.pausedAt = at }

func (c *clock) resume(at time.Time) {
	c.start, c.pausedAt = c.start.Add(at.Sub(c.pausedAt)), time.Time{}
}

// end is when the profile is over; false where it never is, or while the clock is held.
func (c *clock) end() (time.Time, bool) {
	length := c.profile.Length()
	return c.start.Add(length), length > 0 && c.running()
}

// visits is how many of them the scaled profile has between two moments.
func (c *clock) visits(from, to time.Time) float64 {
	return c.scale * c.profile.Integral(c.start, from, to)
}

// piece is the scaled piece of the profile from a moment on; false after its end.
func (c *clock) piece(at time.Time) (profile.Piece, bool) {
	p, ok := c.profile.Piece(c.start, at)
	return p.Scale(c.scale), ok
}
