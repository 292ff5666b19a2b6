package arrival

import (
	"time"

	"github.com/puttrix/trafficinator/shared/profile"
)

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
