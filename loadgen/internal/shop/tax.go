package shop

import (
	"fmt"
	"sort"
)

const million = 1_000_000

// taxRate is in millionths, so that a tax is computed in whole numbers.
type taxRate int64

// on is the tax on base, rounded to the cent, half a cent up.
func (r taxRate) on(base Cents) Cents { return divide(base, int64(r), million) }

// net is the base that with its tax comes nearest to gross.
func (r taxRate) net(gross Cents) Cents { return divide(gross, million, million+int64(r)) }

// divide is c × by ÷ of, rounded, for factors up to 101 millions. Whole and rest are multiplied apart, so that even
// the highest amounts do not overflow.
func divide(c Cents, by, of int64) Cents {
	whole, rest := int64(c)/of, int64(c)%of
	return Cents(whole*by + (rest*by+of/2)/of)
}

func (s *Shop) revenue(subtotal, shipping Cents) Cents {
	return subtotal + shipping + s.tax.on(subtotal+shipping)
}

// subtotalBounds are the bounds of the subtotal with which the revenue is in range at this shipping. Revenue grows with the
// subtotal; by the rounding of the tax it can leap over a range of a cent or two, and the bounds are then empty.
func (s *Shop) subtotalBounds(shipping Cents) bounds {
	first := func(revenue Cents) Cents {
		return Cents(sort.Search(int(revenue), func(sub int) bool {
			return s.revenue(Cents(sub), shipping) >= revenue
		}))
	}
	return bounds{first(s.cfg.RevenueMin), first(s.cfg.RevenueMax+1) - 1}
}

// RangeError tells that no order of the catalogue has a revenue in the range asked for.
type RangeError struct {
	// Min and Max are what was asked for, Lowest and Highest the least and greatest revenue that can be reached.
	Min, Max, Lowest, Highest Cents
	// Below and Above are the reachable revenues next to the range where it lies in a hole between them, else 0.
	Below, Above Cents
	// ItemsMin and ItemsMax are the bounds of the number of lines.
	ItemsMin, ItemsMax int
}

// Error names what was asked for and what can be reached.
func (e *RangeError) Error() string {
	text := fmt.Sprintf("no order of %d to %d lines comes to between %v and %v with the catalogue, tax and shipping; "+
		"reachable is %v to %v",
		e.ItemsMin, e.ItemsMax, e.Min, e.Max, e.Lowest, e.Highest)
	if e.Below > 0 {
		text += fmt.Sprintf(", next to the range %v and %v", e.Below, e.Above)
	}
	return text
}

// unreachable finds what can be reached instead.
func (s *Shop) unreachable() *RangeError {
	e := &RangeError{Min: s.cfg.RevenueMin, Max: s.cfg.RevenueMax, ItemsMin: s.cfg.ItemsMin, ItemsMax: s.cfg.ItemsMax}
	var below, above Cents
	for n := s.cfg.ItemsMin; n <= s.cfg.ItemsMax; n++ {
		for _, shipping := range s.cfg.Shipping {
			gap := s.subtotalBounds(shipping)
			for _, sp := range s.sums.of(n) {
				lowest, highest := s.revenue(sp.lo, shipping), s.revenue(sp.hi, shipping)
				e.Lowest, e.Highest = minNonZero(e.Lowest, lowest), max(e.Highest, highest)
				if under, found := sp.last(gap.hi); found {
					below = max(below, s.revenue(under, shipping))
				}
				if over, found := sp.first(gap.lo); found {
					above = minNonZero(above, s.revenue(over, shipping))
				}
			}
		}
	}
	if below > 0 && above > 0 {
		e.Below, e.Above = below, above
	}
	return e
}

// minNonZero is the smaller of two, where 0 stands for none yet.
func minNonZero(a, b Cents) Cents {
	if a == 0 {
		return b
	}
	return min(a, b)
}
