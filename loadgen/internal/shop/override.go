package shop

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"sort"
)

// maxPieces limits the pieces of an override.
const maxPieces = 1000

// Override sets amounts of an order; nil leaves a value to the shop. Given values are kept exactly, and the others
// follow:
//
//   - Revenue and Subtotal: the difference goes to tax and shipping, whichever is not given; if neither is, to the
//     shipping cost with which the tax is nearest to the rate. Without a difference they are 0; if the parts exceed the
//     revenue, the rest is a discount.
//   - Only Revenue: shipping is drawn, tax is that of the rate, and the items make up the rest. If the drawn shipping
//     leaves nothing for the items, it is 0.
//   - Only Subtotal: shipping is drawn, tax is that of the rate, and revenue is the sum.
//   - Neither: items are drawn as for any order, and the given tax and shipping replace the drawn ones. The range of
//     revenue applies to the order before that.
//
// Items is the number of pieces, which is what Matomo calls the items of an order.
type Override struct {
	Revenue, Subtotal, Tax, Shipping *Cents
	Items                            *int
}

// minPieces returns the smallest number of pieces.
func (o Override) minPieces() int { return valueOr(o.Items, 1) }

// ValidateOverride returns why OrderWith cannot draw an order with o, nil if it can.
func (s *Shop) ValidateOverride(o Override) error {
	for i, amount := range []*Cents{o.Revenue, o.Subtotal, o.Tax, o.Shipping} {
		if amount != nil && (*amount < 0 || *amount > maxAmount) {
			name := []string{"revenue", "subtotal", "tax", "shipping"}[i]
			return fmt.Errorf("%s must be 0 to %v, got %v", name, maxAmount, *amount)
		}
	}
	if o.Items != nil && (*o.Items < 1 || *o.Items > maxPieces) {
		return fmt.Errorf("items must be 1 to %d, got %d", maxPieces, *o.Items)
	}
	if o.Revenue == nil && o.Subtotal == nil {
		return nil
	}
	_, err := s.amounts(o, 0)
	return err
}

// OrderWith draws an order with the amounts of o, or returns the error of ValidateOverride. The items add up to the
// subtotal: with catalogue prices ±5 % if the configured number of lines allows it, otherwise with scaled prices.
func (s *Shop) OrderWith(rng *rand.Rand, o Override) (Order, error) {
	if err := s.ValidateOverride(o); err != nil {
		return Order{}, err
	}
	if o.Revenue == nil && o.Subtotal == nil {
		return s.replaceAmounts(rng, o), nil
	}
	order, err := s.amounts(o, s.cfg.Shipping[rng.IntN(len(s.cfg.Shipping))])
	if err != nil { // the drawn shipping leaves nothing for the items; valid without, as checked above
		order, _ = s.amounts(o, 0)
	}
	order.Items = s.itemsFor(rng, order.Subtotal, o.Items)
	return order, nil
}

// replaceAmounts draws an order and replaces its tax and shipping by the given ones.
func (s *Shop) replaceAmounts(rng *rand.Rand, o Override) Order {
	order := s.Order(rng)
	if o.Items != nil {
		order.Items = s.drawPrices(rng, s.drawPicks(rng, *o.Items), bounds{0, maxAmount})
		order.Subtotal = total(order.Items)
	}
	order.Shipping = valueOr(o.Shipping, order.Shipping)
	return s.addUp(order, o.Tax)
}

// amounts derives the amounts of an order with a given revenue or subtotal; drawn is the shipping if it is not given.
func (s *Shop) amounts(o Override, drawn Cents) (Order, error) {
	var order Order
	switch {
	case o.Revenue == nil:
		order = s.addUp(Order{Subtotal: *o.Subtotal, Shipping: valueOr(o.Shipping, drawn)}, o.Tax)
	case o.Subtotal == nil:
		order = Order{Revenue: *o.Revenue, Shipping: valueOr(o.Shipping, drawn)}
		order.Tax = valueOr(o.Tax, order.Revenue-s.tax.net(order.Revenue))
		order.Subtotal = order.Revenue - order.Tax - order.Shipping
		if order.Subtotal < Cents(o.minPieces()) {
			return Order{}, fmt.Errorf("revenue %v leaves less than 0.01 for each of the items (%d) after tax and "+
				"shipping", order.Revenue, o.minPieces())
		}
	default:
		order = s.splitGap(o)
		order.Discount = order.Subtotal + order.Tax + order.Shipping - order.Revenue
		if order.Discount < 0 {
			return Order{}, errors.New("revenue is more than subtotal, tax and shipping together")
		}
	}
	if order.Subtotal < Cents(o.minPieces()) {
		return Order{}, fmt.Errorf("subtotal must be at least 0.01 for each of the items (%d), got %v", o.minPieces(),
			order.Subtotal)
	}
	return order, nil
}

// splitGap divides the difference between subtotal and revenue between tax and shipping.
func (s *Shop) splitGap(o Override) Order {
	order := Order{Revenue: *o.Revenue, Subtotal: *o.Subtotal, Tax: valueOr(o.Tax, 0), Shipping: valueOr(o.Shipping, 0)}
	gap := max(0, order.Revenue-order.Subtotal-order.Tax-order.Shipping)
	switch {
	case o.Tax == nil && o.Shipping == nil:
		order.Tax = gap
		off := func(tax, shipping Cents) Cents { // how far the tax is from that of the rate
			by := tax - s.tax.on(order.Subtotal+shipping)
			return max(by, -by)
		}
		for _, shipping := range s.cfg.Shipping {
			if tax := gap - shipping; tax >= 0 && off(tax, shipping) < off(order.Tax, order.Shipping) {
				order.Tax, order.Shipping = tax, shipping
			}
		}
	case o.Tax == nil:
		order.Tax = gap
	case o.Shipping == nil:
		order.Shipping = gap
	}
	return order
}

func valueOr[T any](given *T, other T) T {
	if given == nil {
		return other
	}
	return *given
}

const million = 1_000_000

// taxRate is in millionths, so that taxes are computed in integers.
type taxRate int64

// on returns the tax on base, rounded half up to the cent.
func (r taxRate) on(base Cents) Cents { return divide(base, int64(r), million) }

// net returns the amount that with its tax is nearest to gross.
func (r taxRate) net(gross Cents) Cents { return divide(gross, million, million+int64(r)) }

// divide returns c × by ÷ of, rounded, for factors up to 101 million. It multiplies quotient and remainder separately,
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
		reaches := func(subtotal int) bool { return s.revenue(Cents(subtotal), shipping) >= revenue }
		return Cents(sort.Search(int(revenue), reaches))
	}
	return bounds{first(s.cfg.RevenueMin), first(s.cfg.RevenueMax+1) - 1}
}

// unreachable returns an error with the revenues that are possible instead.
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
		"no order of %d to %d lines can be worth %v to %v with the catalogue, tax and shipping; possible "+
			"are %v to %v%s",
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
