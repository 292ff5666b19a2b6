package profile

import (
	"iter"
	"math"
	"time"
)

// Piece is a stretch of time in which the rate goes linearly from Begin to End, both in visits per 24 hours.
type Piece struct {
	From, To           time.Time
	StartRate, EndRate float64
}

// Visits is the integral of the piece.
func (p Piece) Visits() float64 { return (p.StartRate + p.EndRate) / 2 * p.days() }

// Scale multiplies the rate.
func (p Piece) Scale(by float64) Piece {
	p.StartRate, p.EndRate = by*p.StartRate, by*p.EndRate
	return p
}

// Rate at a moment of the piece.
func (p Piece) Rate(at time.Time) float64 { return p.after(at).StartRate }

// VisitsBefore is how many visits lie between the beginning of the piece and at.
func (p Piece) VisitsBefore(at time.Time) float64 {
	return p.Visits() - p.after(at).Visits()
}

// TimeOf is when x visits of the piece lie behind it, from 0 to Visits. Where nobody comes it is the end.
func (p Piece) TimeOf(x float64) time.Time {
	// The root of Begin·t + (End-Begin)/(2·days)·t² = x, in the form that does not cancel where the rate hardly
	// changes.
	root := math.Sqrt(max(0, p.StartRate*p.StartRate+2*(p.EndRate-p.StartRate)*x/p.days()))
	if p.StartRate+root == 0 {
		if x > 0 || p.EndRate == 0 {
			return p.To
		}
		return p.From
	}
	after := time.Duration(2 * x / (p.StartRate + root) * float64(day))
	return p.From.Add(min(after, p.To.Sub(p.From)))
}

// after is the rest of the piece from at on, the whole where at lies before it.
func (p Piece) after(at time.Time) Piece {
	if at.Before(p.From) {
		return p
	}
	if length := p.To.Sub(p.From); length > 0 {
		p.StartRate += (p.EndRate - p.StartRate) * float64(at.Sub(p.From)) / float64(length)
	}
	p.From = at
	return p
}

// until is the piece up to at.
func (p Piece) until(at time.Time) Piece {
	if at.Before(p.To) {
		p.EndRate = p.after(at).StartRate
		p.To = at
	}
	return p
}

func (p Piece) days() float64 { return float64(p.To.Sub(p.From)) / float64(day) }

// Pieces are those between two moments, each cut to lie there.
func (p Profile) Pieces(start, from, to time.Time) iter.Seq[Piece] {
	return func(yield func(Piece) bool) {
		for at := from; at.Before(to); {
			piece, ok := p.Piece(start, at)
			if !ok {
				return
			}
			if piece = piece.until(to); !yield(piece) {
				return
			}
			at = piece.To
		}
	}
}
