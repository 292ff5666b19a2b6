package shop

import "math/rand/v2"

// maxQuantity is the most pieces of a product in a drawn order.
const maxQuantity = 3

// attempts is how many free draws are made for a range before the choice is guided. Free draws that fail are dropped
// whole, so that what they find is unbiased; an attempt costs a tenth of a microsecond.
const attempts = 48

// pick is a product and its quantity.
type pick struct {
	product  *Product
	quantity int
}

// choose picks n products and quantities whose sums can be brought into b. The caller knows that this is possible.
func (s *Shop) choose(rng *rand.Rand, n int, b bounds) []pick {
	picks := make([]pick, n)
	for range attempts {
		s.drawProducts(rng, picks)
		for i := range picks {
			picks[i].quantity = drawQuantity(rng)
		}
		if sumOf(picks).overlaps(b) {
			return picks
		}
	}
	return s.chooseGuided(rng, picks[:0], n, b)
}

// chooseGuided walks the catalogue once, taking each product with the probability of a free draw unless that, or leaving it,
// would put b out of reach.
func (s *Shop) chooseGuided(rng *rand.Rand, picks []pick, n int, b bounds) []pick {
	var sum span
	for i := 0; n > 0; i++ {
		p, q := &s.products[i], drawQuantity(rng)
		take := rng.IntN(len(s.products)-i) < n
		if !take && s.sums.canComplete(i+1, n, sum, b) {
			continue
		}
		if q = s.fittingQuantity(i, n, q, sum, b); q == 0 {
			continue
		}
		picks = append(picks, pick{p, q})
		sum = sum.plus(lineSums(p, q))
		n--
	}
	return picks
}

// fittingQuantity is the quantity of product i, the drawn one where possible, with which b stays in reach; 0 where there is
// none.
func (s *Shop) fittingQuantity(i, n, drawn int, sum span, b bounds) int {
	for k := range maxQuantity {
		q := (drawn-1+k)%maxQuantity + 1
		if s.sums.canComplete(i+1, n-1, sum.plus(lineSums(&s.products[i], q)), b) {
			return q
		}
	}
	return 0
}

// drawProducts fills picks with different products, all equally likely.
func (s *Shop) drawProducts(rng *rand.Rand, picks []pick) {
	for i := range picks {
	draw:
		for {
			p := &s.products[rng.IntN(len(s.products))]
			for _, before := range picks[:i] {
				if before.product == p {
					continue draw
				}
			}
			picks[i].product = p
			break
		}
	}
}

// drawQuantity is 1 at 80 %, else 2 or 3 evenly.
func drawQuantity(rng *rand.Rand) int {
	switch n := rng.IntN(10); n {
	case 0, 1:
		return 2 + n
	default:
		return 1
	}
}

// drawPrices draws the prices of picks, each evenly among those that let the sum end in b; where b is wide those are all
// within 5 % of the catalogue's.
func (s *Shop) drawPrices(rng *rand.Rand, picks []pick, b bounds) []Item {
	var rest [MaxLines + 1]span // rest[i] are the sums of the picks before i
	for i, p := range picks {
		rest[i+1] = rest[i].plus(lineSums(p.product, p.quantity))
	}
	items := make([]Item, len(picks))
	for i := len(picks) - 1; i >= 0; i-- { // the first last: a single piece meets every sum
		p := picks[i]
		price := p.product.drawPrice(rng, Cents(p.quantity), rest[i], b)
		b.lo, b.hi = b.lo-price*Cents(p.quantity), b.hi-price*Cents(p.quantity)
		items[i] = Item{SKU: p.product.SKU, Name: p.product.Name, Category: p.product.Category, Price: price,
			Quantity: p.quantity}
	}
	return items
}

// drawPrice draws what one of q pieces costs, so that they and the sums of rest can end in b.
func (p *Product) drawPrice(rng *rand.Rand, q Cents, rest span, b bounds) Cents {
	u := p.priceBounds()
	u.lo = max(u.lo, (b.lo-rest.hi+q-1)/q)
	u.hi = min(u.hi, (b.hi-rest.lo)/q)
	drawn := u.lo + Cents(rng.Int64N(int64(u.hi-u.lo+1)))
	for d := Cents(0); ; d++ { // At least every third price is possible.
		for _, price := range [...]Cents{drawn + d, drawn - d} {
			if price >= u.lo && price <= u.hi && rest.overlaps(bounds{b.lo - q*price, b.hi - q*price}) {
				return price
			}
		}
	}
}
