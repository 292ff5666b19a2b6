package shop

import (
	"errors"
	"fmt"
	"math/rand/v2"
)

// MaxPieces is the most pieces an override can ask for.
const MaxPieces = 1000

// Override is what a person fixed of an order; nil leaves a value to the shop. Given values are kept exactly. What is
// missing follows from them:
//
//   - Revenue and Subtotal: what lies between them goes to the missing ones of tax and shipping (both missing: the
//     shipping cost that leaves a tax nearest to the rate's). Where nothing lies between, the missing ones are 0; where
//     the parts are more than the revenue, the rest is a discount.
//   - Revenue alone: shipping is drawn, tax is the rate's, to the cent that the rounding leaves, and the items make up
//     the rest. Where the drawn shipping leaves nothing for the items, it is 0.
//   - Subtotal alone: shipping is drawn, tax is the rate's, and revenue is their sum.
//   - Neither: the items are drawn as for any order, and the given tax and shipping replace the shop's. The range of
//     revenue binds only the order before that.
//
// Items is the number of pieces, the sum of the quantities, which is what Matomo calls the items of an order.
type Override struct {
	Revenue, Subtotal, Tax, Shipping *Cents
	Items                            *int
}

// minPieces is the least number of pieces.
func (o Override) minPieces() Cents {
	if o.Items == nil {
		return 1
	}
	return Cents(*o.Items)
}

// ValidateOverride tells why OrderWith cannot make an order of o, or nil where it always can.
func (s *Shop) ValidateOverride(o Override) error {
	named := []struct {
		name   string
		amount *Cents
	}{{"revenue", o.Revenue}, {"subtotal", o.Subtotal}, {"tax", o.Tax}, {"shipping", o.Shipping}}
	for _, n := range named {
		if n.amount != nil && (*n.amount < 0 || *n.amount > maxAmount) {
			return fmt.Errorf("%s must be 0 to %v, got %v", n.name, maxAmount, *n.amount)
		}
	}
	if o.Items != nil && (*o.Items < 1 || *o.Items > MaxPieces) {
		return fmt.Errorf("items must be 1 to %d, got %d", MaxPieces, *o.Items)
	}
	if o.Revenue == nil && o.Subtotal == nil {
		return nil
	}
	_, err := s.amounts(o, 0)
	return err
}

// OrderWith draws an order with what o fixes of it, or fails with the error of ValidateOverride. The items come to the
// subtotal exactly: by catalogue prices ±5 % where items of the configured number of lines can, else by scaling the
// prices of items that come near, because the person who fixed the sum wants that sum.
func (s *Shop) OrderWith(rng *rand.Rand, o Override) (Order, error) {
	if err := s.ValidateOverride(o); err != nil {
		return Order{}, err
	}
	if o.Revenue == nil && o.Subtotal == nil {
		return s.replaceAmounts(rng, o), nil
	}
	order, err := s.amounts(o, s.cfg.Shipping[rng.IntN(len(s.cfg.Shipping))])
	if err != nil {
		order, err = s.amounts(o, 0)
	}
	if err != nil {
		return Order{}, err
	}
	order.Items = s.itemsFor(rng, order.Subtotal, o.Items)
	return order, nil
}

// replaceAmounts draws the items, and puts the given tax and shipping around them.
func (s *Shop) replaceAmounts(rng *rand.Rand, o Override) Order {
	order := s.Order(rng)
	if o.Items != nil {
		order.Items = s.drawPrices(rng, s.drawPicks(rng, *o.Items), bounds{0, maxAmount})
		order.Subtotal = total(order.Items)
	}
	order.Shipping = valueOr(o.Shipping, order.Shipping)
	order.Tax = valueOr(o.Tax, s.tax.on(order.Subtotal+order.Shipping))
	order.Revenue = order.Subtotal + order.Tax + order.Shipping
	return order
}

// amounts derives the amounts of an order of which revenue or subtotal is given; drawn is the shipping where it is
// free.
func (s *Shop) amounts(o Override, drawn Cents) (Order, error) {
	var order Order
	switch {
	case o.Revenue == nil:
		order = Order{Subtotal: *o.Subtotal, Shipping: valueOr(o.Shipping, drawn)}
		order.Tax = valueOr(o.Tax, s.tax.on(order.Subtotal+order.Shipping))
		order.Revenue = order.Subtotal + order.Tax + order.Shipping
	case o.Subtotal == nil:
		order = Order{Revenue: *o.Revenue, Shipping: valueOr(o.Shipping, drawn)}
		order.Tax = valueOr(o.Tax, order.Revenue-s.tax.net(order.Revenue))
		order.Subtotal = order.Revenue - order.Tax - order.Shipping
		if order.Subtotal < o.minPieces() {
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
	if order.Subtotal < o.minPieces() {
		return Order{}, fmt.Errorf("subtotal must be at least 0.01 for each of the items (%d), got %v", o.minPieces(),
			order.Subtotal)
	}
	return order, nil
}

// splitGap gives what lies between subtotal and revenue to tax and shipping.
func (s *Shop) splitGap(o Override) Order {
	order := Order{Revenue: *o.Revenue, Subtotal: *o.Subtotal, Tax: valueOr(o.Tax, 0), Shipping: valueOr(o.Shipping, 0)}
	gap := max(0, order.Revenue-order.Subtotal-order.Tax-order.Shipping)
	switch {
	case o.Tax == nil && o.Shipping == nil:
		order.Tax = gap
		for _, shipping := range s.cfg.Shipping {
			if tax := gap - shipping; tax >= 0 &&
				s.taxError(order.Subtotal, tax, shipping) < s.taxError(order.Subtotal, order.Tax, order.Shipping) {
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

// taxError is how far tax is from the rate's.
func (s *Shop) taxError(subtotal, tax, shipping Cents) Cents {
	by := tax - s.tax.on(subtotal+shipping)
	return max(by, -by)
}

func valueOr(given *Cents, other Cents) Cents {
	if given == nil {
		return other
	}
	return *given
}
