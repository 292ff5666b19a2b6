package ledger

import (
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/visit"
	"github.com/puttrix/trafficinator/shared/hit"
	"github.com/puttrix/trafficinator/shared/outcome"
)

// Course is how a visit goes as Matomo sees it, hit by hit. It is small, because millions may be under way.
type Course struct {
	// Taken is the Unix second of the latest action that was recorded, last that of the latest which may have been; 0
	// is none.
	Taken, last       uint32
	accepted, unknown uint16
	// Splits are the visits that Matomo makes beyond the first.
	Splits uint16
	// Repeats are the visits that it may make because it was still at work on an earlier request when the visit went
	// on, and pending are such requests since. Once an action was accepted its visit is there for all to find.
	Repeats uint16
	pending uint16
}

// Book takes in the outcome of the next hit, recorded at the Unix second at; sameDay says whether that is of the day of
// Taken.
func (c *Course) Book(became outcome.Outcome, kind hit.Kind, at int64, sameDay bool) {
	switch became {
	case outcome.Unknown:
		c.unknown++
	case outcome.Accepted:
		c.accepted++
	default:
		return
	}
	if !hit.Rows[kind].Opens {
		return
	}
	if c.Taken == 0 {
		c.Repeats += c.pending
		c.pending = 0
	}
	// An action in doubt may have kept the visit open, but not over midnight.
	if became == outcome.Accepted {
		if c.Taken > 0 && (at-int64(c.last) > int64(visit.MaxGap/time.Second) || !sameDay) {
			c.Splits++
		}
		c.Taken = uint32(at)
	}
	c.last = uint32(at)
}

// AtWork books that Matomo may still be at work on the request of the last hits, which had an action.
func (c *Course) AtWork() {
	if c.Taken == 0 {
		c.pending++
	}
}

// Fate is what became of a visit of so many hits; sent says that one went out.
func (c *Course) Fate(hits int, sent bool) Fate {
	switch {
	case int(c.accepted) == hits:
		return Complete
	case c.Taken > 0:
		return Partial
	case c.unknown > 0:
		return Uncertain
	case sent:
		return Lost
	default:
		return Unsent
	}
}
