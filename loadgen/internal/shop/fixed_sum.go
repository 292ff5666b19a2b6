package shop

import "math/rand/v2"

// itemsFor draws items worth exactly sum: with the given number of pieces or, if that is nil, with the quantities of
// any order.
func (s *Shop) itemsFor(rng *rand.Rand, sum Cents, pieces *int) []Item {
	exactly := bounds{sum, sum}
	if pieces == nil {
		if n := s.drawLines(rng, exactly); n > 0 {
			return s.drawPrices(rng, s.choose(rng, n, exactly), exactly)
		}
	}
	near, by := []pick(nil), maxAmount
	for range attempts {
		picks := s.drawPicks(rng, s.drawPieces(rng, sum, pieces))
		at := sumOf(picks)
		if at.overlaps(exactly) &&
			picks[len(picks)-1].quantity <= maxQuantity { // a span of more pieces has wider gaps
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

// drawLines draws a number of lines within the configured limits, by weight among those that can be worth b; 0 if none
// can.
func (s *Shop) drawLines(rng *rand.Rand, b bounds) int {
	return drawLineCount(rng, s.cfg.ItemsMin, s.cfg.ItemsMax, func(n int) bool { return s.sums.of(n).overlaps(b) })
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
// Several pieces take at least two lines, because the first has a single piece, whose price alone can reach every sum.
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
