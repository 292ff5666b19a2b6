package ledger

import (
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/visit"
	"github.com/puttrix/trafficinator/shared/hit"
	"github.com/puttrix/trafficinator/shared/outcome"
)

// VisitOutcome is the outcome of a visit.
type VisitOutcome uint8

// The outcomes of a visit. Matomo should show Complete + Partial + splits, and up to Uncertain + repeats more.
const (
	// Complete: every hit was accepted.
	Complete VisitOutcome = iota
	// Partial: at least one hit that opens a visit was accepted.
	Partial
	// Uncertain: none was, but at least one is unknown.
	Uncertain
	// Lost: some were sent, and none accepted or unknown.
	Lost
	// Unsent: none was sent.
	Unsent
	// VisitOutcomes is the number of outcomes.
	VisitOutcomes int = iota
)

// String returns the name of the outcome in summaries and metrics.
func (o VisitOutcome) String() string {
	return [VisitOutcomes]string{"complete", "partial", "uncertain", "lost", "unsent"}[o]
}

// VisitState follows a visit as Matomo sees it, hit by hit. It is small, because there may be millions.
type VisitState struct {
	// LastAction is the Unix time of the latest accepted action, lastPossible that of the latest accepted or unknown
	// one; 0 for none.
	LastAction, lastPossible uint32
	accepted, unknown        uint16
	// Splits are the visits that Matomo records in addition to the first, and Repeats those that it may record because
	// it was still working on a request when the next was sent. pending are such requests since the last repeat; once
	// an action was accepted, every later request finds its visit.
	Splits, Repeats, pending uint16
}

// Add adds the outcome of the next hit, recorded at the Unix time at; sameDay is whether that is on the day of
// LastAction.
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
	// An unknown action may have kept the visit open, but not over midnight.
	if became == outcome.Accepted {
		if c.LastAction > 0 && (at-int64(c.lastPossible) > int64(visit.MaxGap/time.Second) || !sameDay) {
			c.Splits++
		}
		c.LastAction = uint32(at)
	}
	c.lastPossible = uint32(at)
}

// AddPending records that Matomo may still be working on the last request, which contained an action.
func (c *VisitState) AddPending() {
	if c.LastAction == 0 {
		c.pending++
	}
}

// Outcome returns the outcome of a visit of so many hits; sent is whether one was sent.
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
