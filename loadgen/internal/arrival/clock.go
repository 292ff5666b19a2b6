package arrival

import (
	"time"

	"github.com/puttrix/trafficinator/shared/profile"
)

// clock maps real time to that of a profile, which a hold stops, and multiplies the profile's rate.
type clock struct {
	profile profile.Profile
	start   time.Time // of the profile; every hold moves it
	scale   float64
	held    time.Time // since when no time of the profile passes, zero while it does
}

func (c *clock) runs() bool { return c.held.IsZero() }

func (c *clock) hold(at time.Time) { c.held = at }

func (c *clock) release(at time.Time) { c.start, c.held = c.start.Add(at.Sub(c.held)), time.Time{} }

// end is when the profile is over; false where it never is, or while the clock is held.
func (c *clock) end() (time.Time, bool) {
	length := c.profile.Length()
	return c.start.Add(length), length > 0 && c.runs()
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
