package shop

import (
	"math/rand/v2"
	"slices"
)

// maxQuantity limits the pieces of a product in a drawn order.
const maxQuantity = 3

// attempts is how many free draws are made before the choice is guided. A draw that misses the range is dropped
// completely, so that the others are unbiased. It costs a tenth of a microsecond.
const attempts = 48

// pick is a product and its quantity.
type pick struct {
	product  *Product
	quantity int
}

func (p pick) item(price Cents) Item {
	item := Item{*p.product, p.quantity}
	item.Price = price
	return item
}

// choose draws n products and quantities whose sum can be in b, which must be possible.
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

// chooseGuided goes through the catalogue once and picks each product with the probability of a free draw, unless
// picking it, or leaving it, makes b unreachable.
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

// fittingQuantity returns the quantity of product i with which b stays reachable, the drawn one if possible; 0 for
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

// drawProducts fills picks with different products, all with the same probability.
func (s *Shop) drawProducts(rng *rand.Rand, picks []pick) {
	for i := 0; i < len(picks); {
		p := &s.products[rng.IntN(len(s.products))]
		if !slices.ContainsFunc(picks[:i], func(before pick) bool { return before.product == p }) {
			picks[i].product = p
			i++
		}
	}
}

// drawQuantity returns 1 for 80 %, otherwise 2 or 3 evenly.
func drawQuantity(rng *rand.Rand) int {
	if n := rng.IntN(10); n < 2 {
		return 2 + n
	}
	return 1
}

// drawPrices draws the prices of picks, each evenly among those with which the sum can be in b; if b is wide, these are
// all within 5 % of the catalogue's.
func (s *Shop) drawPrices(rng *rand.Rand, picks []pick, b bounds) []Item {
	var rest [maxLines + 1]span // rest[i] are the sums of the picks before i
	for i, p := range picks {
		rest[i+1] = rest[i].plus(lineSums(p.product, p.quantity))
	}
	items := make([]Item, len(picks))
	for i := len(picks) - 1; i >= 0; i-- { // the first last: a single piece reaches every sum
		p := picks[i]
		price := p.product.drawPrice(rng, Cents(p.quantity), rest[i], b)
		b.lo, b.hi = b.lo-price*Cents(p.quantity), b.hi-price*Cents(p.quantity)
		items[i] = p.item(price)
	}
	return items
}

// drawPrice draws the price of each of q pieces, so that they and the sums of rest can be in b.
func (p *Product) drawPrice(rng *rand.Rand, q Cents, rest span, b bounds) Cents {
	u := p.priceBounds()
	u.lo = max(u.lo, (b.lo-rest.hi+q-1)/q)
	u.hi = min(u.hi, (b.hi-rest.lo)/q)
	drawn := u.lo + Cents(rng.Int64N(int64(u.hi-u.lo+1)))
	for d := Cents(0); ; d++ { // at least every third price is possible
		for _, price := range [...]Cents{drawn + d, drawn - d} {
			if price >= u.lo && price <= u.hi && rest.overlaps(bounds{b.lo - q*price, b.hi - q*price}) {
				return price
			}
		}
	}
}

// itemsFor draws items worth exactly sum: with the given number of pieces or, if that is nil, with the quantities of
// any order.
func (s *Shop) itemsFor(rng *rand.Rand, sum Cents, pieces *int) []Item {
	exactly := bounds{sum, sum}
	if pieces == nil {
		possible := func(n int) bool { return s.sums.of(n).overlaps(exactly) }
		if n := drawLineCount(rng, s.cfg.ItemsMin, s.cfg.ItemsMax, possible); n > 0 {
			return s.drawPrices(rng, s.choose(rng, n, exactly), exactly)
		}
	}
	near, by := []pick(nil), maxAmount
	for range attempts {
		picks := s.drawPicks(rng, s.drawPieces(rng, sum, pieces))
		at := sumOf(picks)
		if at.overlaps(exactly) && picks[len(picks)-1].quantity <= maxQuantity { // more pieces have wider gaps
			return s.drawPrices(rng, picks, exactly)
		}
		if off := max(at.lo-sum, sum-at.hi); near == nil || off < by {
			near, by = picks, off
		}
	}
	return scalePrices(near, sum)
}

// drawPieces returns the given number of pieces, or draws one that the configured lines can have; a piece costs at
// least a cent.
func (s *Shop) drawPieces(rng *rand.Rand, sum Cents, given *int) int {
	if given != nil {
		return *given
	}
	return int(min(sum, Cents(s.cfg.ItemsMin+rng.IntN(maxQuantity*s.cfg.ItemsMax-s.cfg.ItemsMin+1))))
}

// drawLineCount draws a possible number of lines from first to last by weight; 0 if none is possible.
func drawLineCount(rng *rand.Rand, first, last int, possible func(int) bool) (drawn int) {
	total := 0.0
	for n := first; n <= last; n++ {
		if possible(n) {
			total += lineWeight(n)
			if rng.Float64()*total < lineWeight(n) {
				drawn = n
			}
		}
	}
	return drawn
}

// drawPicks draws products for a number of pieces, within the configured limits of lines as far as the pieces allow.
// Several pieces take at least two lines, because the first line has a single piece, whose price can reach every sum.
func (s *Shop) drawPicks(rng *rand.Rand, pieces int) []pick {
	last := min(pieces, max(2, s.cfg.ItemsMax))
	n := drawLineCount(rng, min(last, max(2, s.cfg.ItemsMin)), last, func(int) bool { return true })
	picks := make([]pick, n)
	s.drawProducts(rng, picks)
	left := pieces
	for i := range picks {
		picks[i].quantity = 1
		if i > 0 {
			picks[i].quantity = left / (n - i)
		}
		left -= picks[i].quantity
	}
	return picks
}

func sumOf(picks []pick) span {
	var sum span
	for _, p := range picks {
		sum = sum.plus(lineSums(p.product, p.quantity))
	}
	return sum
}

// scalePrices scales the catalogue's prices of picks to sum, which is at least a cent for each piece. The first pick, a
// single piece, takes the cents that rounding leaves.
func scalePrices(picks []pick, sum Cents) []Item {
	var listed, pieces Cents
	for _, p := range picks {
		listed += p.product.Price * Cents(p.quantity)
		pieces += Cents(p.quantity)
	}
	items := make([]Item, len(picks))
	for i, p := range picks {
		price := 1 + (sum-pieces)*p.product.Price/listed // at most 1e12 × 1.3e5: no overflow
		items[i] = p.item(price)
	}
	items[0].Price += sum - total(items)
	return items
}
