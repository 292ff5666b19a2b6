package ledger

import (
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/visit"
	"github.com/puttrix/trafficinator/shared/hit"
	"github.com/puttrix/trafficinator/shared/outcome"
)

// VisitState is how a visit goes as Matomo sees it, hit by hit. It is small, because millions may be under way.
type VisitState struct {
	// LastAction is the Unix second of the latest action that was recorded, last that of the latest which may have been; 0
	// is none.
	LastAction, lastPossible uint32
	accepted, unknown        uint16
	// Splits are the visits that Matomo makes beyond the first.
	Splits uint16
	// Repeats are the visits that it may make because it was still at work on an earlier request when the visit went
	// on, and pending are such requests since. Once an action was accepted its visit is there for all to find.
	Repeats uint16
	pending uint16
}

// Add takes in the outcome of the next hit, recorded at the Unix second at; sameDay says whether that is of the day of
// Taken.
func (c *VisitState) Add(became outcome.Outcome, kind hit.Kind, at int64, sameDay bool) {
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
	if c.LastAction == 0 {
		c.Repeats += c.pending
		c.pending = 0
	}
	// An action in doubt may have kept the visit open, but not over midnight.
	if became == outcome.Accepted {
		if c.LastAction > 0 && (at-int64(c.lastPossible) > int64(visit.MaxGap/time.Second) || !sameDay) {
			c.Splits++
		}
		c.LastAction = uint32(at)
	}
	c.lastPossible = uint32(at)
}

// AddPending books that Matomo may still be at work on the request of the last hits, which had an action.
func (c *VisitState) AddPending() {
	if c.LastAction == 0 {
		c.pending++
	}
}

// Outcome is what became of a visit of so many hits; sent says that one went out.
func (c *VisitState) Outcome(hits int, sent bool) VisitOutcome {
	switch {
	case int(c.accepted) == hits:
		return Complete
	case c.LastAction > 0:
		return Partial
	case c.unknown > 0:
		return Uncertain
	case sent:
		return Lost
	default:
		return Unsent
	}
}
