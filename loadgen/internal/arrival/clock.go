package arrival

import (
	"time"

	"github.com/puttrix/trafficinator/shared/profile"
)

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
