// Package shop owns orders: what is bought and what it costs, with sums that always hold. Prices are those of the
// embedded catalogue; an order's value is met by choosing items. It knows no visitor, no order id and no wire format.
package shop

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// Cents is an amount of money in hundredths of the site's currency.
type Cents int64

// String is the amount with two decimals, such as 15.99.
func (c Cents) String() string {
	sign := ""
	if c < 0 {
		sign, c = "-", -c
	}
	return fmt.Sprintf("%s%d.%02d", sign, c/100, c%100)
}

// Item is one line of an order. Price is that of one unit.
type Item struct {
	SKU, Name, Category string
	Price               Cents
	Quantity            int
}

// Order is what a visitor bought. Subtotal is the sum of the items, and Revenue = Subtotal + Tax + Shipping − Discount,
// both to the cent. No amount is negative.
type Order struct {
	Items                                      []Item
	Subtotal, Tax, Shipping, Discount, Revenue Cents
}

// Config bounds the orders.
type Config struct {
	// RevenueMin and RevenueMax bound the revenue, tax and shipping included.
	RevenueMin, RevenueMax Cents
	// ItemsMin and ItemsMax bound the number of lines, 1..MaxLines.
	ItemsMin, ItemsMax int
	// TaxRate is a fraction of subtotal and shipping from 0, taken to the nearest millionth.
	TaxRate float64
	// Shipping is what is drawn from for the shipping costs; none means free.
	Shipping []Cents
}

// MaxLines is the most lines an order can have.
const MaxLines = 20

// The highest amounts and rate with which no sum overflows.
const (
	maxAmount  Cents   = 1e12
	maxTaxRate float64 = 100
)

// Shop draws orders. It is safe for concurrent use.
type Shop struct {
	cfg      Config
	tax      taxRate
	products []Product
	sums     *reachable
	// counts are the numbers of lines with which the range can be met, and weights the sum of theirs.
	counts  []lineCount
	weights float64
}

// lineCount is a number of lines with the ways to meet the range by it.
type lineCount struct {
	lines  int
	weight float64
	ways   []way
}

// way is a shipping cost and the bounds of the subtotal with which the revenue is in range.
type way struct {
	shipping Cents
	subtotal bounds
}

// New makes a shop, or fails with a *RangeError where no order of the catalogue is in the range of revenue.
func New(cfg Config) (*Shop, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	if len(cfg.Shipping) == 0 {
		cfg.Shipping = []Cents{0}
	}
	s := &Shop{cfg: cfg, tax: taxRate(math.Round(cfg.TaxRate * million)), products: catalogue()}
	s.sums = newReachable(s.products, cfg.ItemsMax)
	for n := cfg.ItemsMin; n <= cfg.ItemsMax; n++ {
		c := lineCount{lines: n, weight: lineWeight(n)}
		for _, shipping := range cfg.Shipping {
			subtotal := s.subtotalBounds(shipping)
			if s.sums.of(n).overlaps(subtotal) {
				c.ways = append(c.ways, way{shipping, subtotal})
			}
		}
		if len(c.ways) > 0 {
			s.counts = append(s.counts, c)
			s.weights += c.weight
		}
	}
	if len(s.counts) == 0 {
		return nil, s.unreachable()
	}
	return s, nil
}

func (c Config) check() error {
	switch {
	case c.ItemsMin < 1 || c.ItemsMax > MaxLines || c.ItemsMin > c.ItemsMax:
		return fmt.Errorf("lines per order must be 1 to %d, got %d to %d", MaxLines, c.ItemsMin, c.ItemsMax)
	case !(c.TaxRate >= 0 && c.TaxRate <= maxTaxRate):
		return fmt.Errorf("tax rate must be 0 to %v, got %v", maxTaxRate, c.TaxRate)
	case c.RevenueMin < 0 || c.RevenueMax > maxAmount || c.RevenueMin > c.RevenueMax:
		return fmt.Errorf("revenue must be 0 to %v and not end before it begins, got %v to %v", maxAmount, c.RevenueMin,
			c.RevenueMax)
	}
	for _, shipping := range c.Shipping {
		if shipping < 0 || shipping > maxAmount {
			return fmt.Errorf("shipping must be 0 to %v, got %v", maxAmount, shipping)
		}
	}
	return nil
}

// Order draws an order within the range. The number of lines is drawn first, among those with which the range can be
// met at all; then the shipping, evenly among those that allow it with so many lines; then the items. The same product
// is never in two lines, and prices are within 5 % of the catalogue's.
func (s *Shop) Order(rng *rand.Rand) Order {
	count := s.drawCount(rng)
	w := count.ways[rng.IntN(len(count.ways))]
	order := Order{Items: s.drawPrices(rng, s.choose(rng, count.lines, w.subtotal), w.subtotal), Shipping: w.shipping}
	order.Subtotal = total(order.Items)
	order.Tax = s.tax.on(order.Subtotal + order.Shipping)
	order.Revenue = order.Subtotal + order.Tax + order.Shipping
	return order
}

func (s *Shop) drawCount(rng *rand.Rand) *lineCount {
	at := rng.Float64() * s.weights
	last := len(s.counts) - 1
	for i := range s.counts[:last] {
		if at -= s.counts[i].weight; at < 0 {
			return &s.counts[i]
		}
	}
	return &s.counts[last]
}

// lineWeight is how often an order has n lines. Beyond five, each further line is a quarter as often as the one
// before, as the fifth is beside the fourth.
func lineWeight(n int) float64 {
	if known := [...]float64{.6, .25, .1, .04, .01}; n <= len(known) {
		return known[n-1]
	}
	return .01 * math.Pow(.25, float64(n-5))
}

func total(items []Item) Cents {
	var sum Cents
	for _, it := range items {
		sum += it.Price * Cents(it.Quantity)
	}
	return sum
}
