package reconcile

import (
	"slices"

	"github.com/puttrix/trafficinator/shared/funnel"
	"github.com/puttrix/trafficinator/shared/spec"
)

// Order is an upper bound for each figure of one order. Money is in the site's currency; Items are pieces.
type Order struct{ Revenue, Tax, Shipping, Items float64 }

// maxPieces is the maximum number of pieces of an item (loadgen/internal/shop/choose.go).
const maxPieces = 3

// cent is the maximum rounding difference.
const cent = 0.01

// largestOrder returns upper bounds of the orders of a run, by the rules of loadgen/internal/shop/override.go. It
// returns nil if a funnel fixes only the number of pieces, so that the catalogue decides the sum.
func largestOrder(k spec.Spec, funnels []funnel.Funnel) *Order {
	most := slices.Max(append([]float64{0}, k.ShippingRates...))
	largest := Order{
		Revenue: k.OrderValueMax, Tax: k.OrderValueMax*k.TaxRate/(1+k.TaxRate) + cent,
		Shipping: min(most, k.OrderValueMax),
		Items:    float64(maxPieces * k.ItemsMax),
	}
	for _, f := range funnels {
		for i := range f.Steps {
			s := &f.Steps[i]
			if !f.Enabled || s.Type != funnel.Ecommerce {
				continue
			}
			var o Order
			switch {
			case s.Revenue != nil: // it includes tax and shipping
				o = Order{Revenue: *s.Revenue, Tax: or(s.Tax, *s.Revenue), Shipping: or(s.Shipping, *s.Revenue)}
			case s.ItemsCount != nil && s.Subtotal == nil:
				return nil
			default:
				subtotal := or(s.Subtotal, k.OrderValueMax)
				o.Shipping = or(s.Shipping, most)
				o.Tax = or(s.Tax, k.TaxRate*(subtotal+o.Shipping)+cent)
				o.Revenue = subtotal + o.Tax + o.Shipping
			}
			if s.ItemsCount != nil {
				o.Items = float64(*s.ItemsCount)
			}
			largest = Order{max(largest.Revenue, o.Revenue), max(largest.Tax, o.Tax), max(largest.Shipping, o.Shipping),
				max(largest.Items, o.Items)}
		}
	}
	return &largest
}

func or(given *float64, other float64) float64 {
	if given == nil {
		return other
	}
	return *given
}
