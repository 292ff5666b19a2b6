package shop

import (
	"cmp"
	"fmt"
	"sort"
)

const million = 1_000_000

// taxRate is in millionths, so that taxes are computed in integers.
type taxRate int64

// on returns the tax on base, rounded half up to the cent.
func (r taxRate) on(base Cents) Cents { return divide(base, int64(r), million) }

// net returns the amount that with its tax is nearest to gross.
func (r taxRate) net(gross Cents) Cents { return divide(gross, million, million+int64(r)) }

// divide returns c × by ÷ of, rounded, for factors up to 101 million. Quotient and remainder are multiplied separately,
// so that the highest amounts do not overflow.
func divide(c Cents, by, of int64) Cents {
	quotient, rest := int64(c)/of, int64(c)%of
	return Cents(quotient*by + (rest*by+of/2)/of)
}

func (s *Shop) revenue(subtotal, shipping Cents) Cents {
	return subtotal + shipping + s.tax.on(subtotal+shipping)
}

// subtotalBounds returns the subtotals for which the revenue is in range with a shipping cost. Revenue grows with the
// subtotal; the rounded tax can skip a range of a cent or two, and the bounds are empty then.
func (s *Shop) subtotalBounds(shipping Cents) bounds {
	first := func(revenue Cents) Cents {
		return Cents(
			sort.Search(int(revenue), func(sub int) bool { return s.revenue(Cents(sub), shipping) >= revenue }),
		)
	}
	return bounds{first(s.cfg.RevenueMin), first(s.cfg.RevenueMax+1) - 1}
}

// unreachable returns an error that says which revenues are possible instead.
func (s *Shop) unreachable() error {
	c := s.cfg
	var lowest, highest, below, above Cents // 0 for none
	for n := c.ItemsMin; n <= c.ItemsMax; n++ {
		for _, shipping := range c.Shipping {
			gap := s.subtotalBounds(shipping)
			for _, sums := range s.sums.of(n) {
				lowest = minNonZero(lowest, s.revenue(sums.lo, shipping))
				highest = max(highest, s.revenue(sums.hi, shipping))
				if under, found := sums.last(gap.hi); found {
					below = max(below, s.revenue(under, shipping))
				}
				if over, found := sums.first(gap.lo); found {
					above = minNonZero(above, s.revenue(over, shipping))
				}
			}
		}
	}
	nearest := ""
	if below > 0 && above > 0 {
		nearest = fmt.Sprintf(", the nearest %v and %v", below, above)
	}
	return fmt.Errorf(
		"no order of %d to %d lines can be worth %v to %v with the catalogue, tax and shipping; possible are "+
			"%v to %v%s",
		c.ItemsMin,
		c.ItemsMax,
		c.RevenueMin,
		c.RevenueMax,
		lowest,
		highest,
		nearest,
	)
}

func minNonZero(a, b Cents) Cents { return min(cmp.Or(a, b), b) }
