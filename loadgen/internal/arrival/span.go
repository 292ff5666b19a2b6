package arrival

import (
	"time"

	"github.com/puttrix/trafficinator/shared/profile"
)

// span is a piece of a profile with the arrivals that lie in it. It is the inverse of the piece's integral, and pure.
type span struct {
	piece  profile.Piece
	visits float64 // of the piece, its integral
	// lead is how many visits of the piece lie before its first arrival, from 0 to 1 where arrivals are even.
	lead float64
	n    uint64 // arrivals
}

func newSpan(piece profile.Piece, lead float64) span {
	visits := piece.Visits()
	return span{piece, visits, lead, profile.Count(visits - lead)}
}

// even is the moment of arrival k, from 0 to n-1, where a whole visit lies between two.
func (s span) even(k uint64) time.Time { return s.piece.TimeOf(max(0, s.lead+float64(k))) }

// before is the moment at which a share of the piece's visits, from 0 to 1, is still to come.
func (s span) before(rest float64) time.Time { return s.piece.TimeOf((1 - rest) * s.visits) }

// carry is the lead of what comes after the piece, when so many of its arrivals are taken.
func (s span) carry(taken uint64) float64 { return s.lead + (float64(taken) - s.visits) }
