// Package shop draws orders: items of the embedded catalogue, and amounts that always add up. It does not depend on
// visitors, order ids or the wire format.
package shop

import (
	_ "embed"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
)

// Cents is an amount of money in hundredths of the site's currency.
type Cents int64

// String formats the amount with two decimals, such as 15.99.
func (c Cents) String() string {
	sign := ""
	if c < 0 {
		sign, c = "-", -c
	}
	return fmt.Sprintf("%s%d.%02d", sign, c/100, c%100)
}

// Item is one line of an order. Its Price is that of one piece.
type Item struct {
	Product
	Quantity int
}

// Order is an order. Subtotal is the sum of the items, and Revenue = Subtotal + Tax + Shipping − Discount, to the cent.
// No amount is negative.
type Order struct {
	Items                                      []Item
	Subtotal, Tax, Shipping, Discount, Revenue Cents
}

// Config limits the orders.
type Config struct {
	// RevenueMin and RevenueMax limit the revenue, including tax and shipping.
	RevenueMin, RevenueMax Cents
	// ItemsMin and ItemsMax limit the number of lines, 1 to maxLines.
	ItemsMin, ItemsMax int
	// TaxRate is a fraction of subtotal and shipping, rounded to a millionth.
	TaxRate float64
	// Shipping costs are drawn from this list; none means free.
	Shipping []Cents
}

const (
	maxLines = 20 // of an order
	// No sum overflows up to these.
	maxAmount  Cents   = 1e12
	maxTaxRate float64 = 100
)

// Shop draws orders. It is safe for concurrent use.
type Shop struct {
	cfg      Config
	tax      taxRate
	products []Product
	sums     reachable
	counts   []lineCount // with which the range can be reached
	weights  float64     // of counts in total
}

// lineCount is a number of lines with the ways to reach the range.
type lineCount struct {
	lines  int
	weight float64
	ways   []way
}

// way is a shipping cost and the subtotals with which the revenue is in range.
type way struct {
	shipping Cents
	subtotal bounds
}

// New returns a shop, or an error if no order of the catalogue is in the range of revenue.
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
	case c.ItemsMin < 1 || c.ItemsMax > maxLines || c.ItemsMin > c.ItemsMax:
		return fmt.Errorf("lines per order must be 1 to %d, got %d to %d", maxLines, c.ItemsMin, c.ItemsMax)
	case !(c.TaxRate >= 0 && c.TaxRate <= maxTaxRate):
		return fmt.Errorf("tax rate must be 0 to %v, got %v", maxTaxRate, c.TaxRate)
	case c.RevenueMin < 0 || c.RevenueMax > maxAmount || c.RevenueMin > c.RevenueMax:
		return fmt.Errorf("revenue must be 0 to %v, the minimum first, got %v to %v", maxAmount, c.RevenueMin,
			c.RevenueMax)
	}
	for _, shipping := range c.Shipping {
		if shipping < 0 || shipping > maxAmount {
			return fmt.Errorf("shipping must be 0 to %v, got %v", maxAmount, shipping)
		}
	}
	return nil
}

// Order draws an order within the range: the number of lines among those with which the range can be reached, then the
// shipping among those that allow it, then the items. Products are different, and prices within 5 % of the catalogue's.
func (s *Shop) Order(rng *rand.Rand) Order {
	count := s.drawCount(rng)
	w := count.ways[rng.IntN(len(count.ways))]
	items := s.drawPrices(rng, s.choose(rng, count.lines, w.subtotal), w.subtotal)
	return s.addUp(Order{Items: items, Subtotal: total(items), Shipping: w.shipping}, nil)
}

// addUp sets the tax, that of the rate if it is not given, and the revenue.
func (s *Shop) addUp(o Order, tax *Cents) Order {
	o.Tax = valueOr(tax, s.tax.on(o.Subtotal+o.Shipping))
	o.Revenue = o.Subtotal + o.Tax + o.Shipping
	return o
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

// lineWeight returns the share of orders with n lines. Beyond five it falls to a quarter with each line, as from the
// fourth to the fifth.
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

//go:embed data/products.tsv
var productsTSV string

// Product is an article of the catalogue.
type Product struct {
	SKU, Name, Category string
	Price               Cents
}

// catalogue parses the embedded table of SKU, name, category and price with two decimals.
func catalogue() (products []Product) {
	for line := range strings.Lines(productsTSV) {
		cell := strings.Split(strings.TrimSpace(line), "\t")
		price, err := strconv.ParseInt(strings.Replace(cell[3], ".", "", 1), 10, 64)
		if err != nil {
			panic("embedded catalogue: " + err.Error())
		}
		products = append(products, Product{cell[0], cell[1], cell[2], Cents(price)})
	}
	return products
}

// priceBounds returns what one piece may cost: the catalogue's price ±5 %, to the cent.
func (p *Product) priceBounds() bounds { return bounds{(p.Price*95 + 99) / 100, p.Price * 105 / 100} }
