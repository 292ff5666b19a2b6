package shop

import "math/rand/v2"

// itemsFor draws items that come to sum exactly: of the given number of pieces, or, where that is nil, by the
// quantities of any order.
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
			picks[len(picks)-1].quantity <= maxQuantity { // A span of more pieces has wider gaps.
			return s.drawPrices(rng, picks, exactly)
		}
		if off := max(at.lo-sum, sum-at.hi); near == nil || off < by {
			near, by = picks, off
		}
	}
	return scalePrices(near, sum)
}

// drawPieces is the given number of pieces, else any that the configured lines could have; a piece costs a cent at
// least.
func (s *Shop) drawPieces(rng *rand.Rand, sum Cents, given *int) int {
	if given != nil {
		return *given
	}
	return int(min(sum, Cents(s.cfg.ItemsMin+rng.IntN(maxQuantity*s.cfg.ItemsMax-s.cfg.ItemsMin+1))))
}

// drawLines draws a number of lines in the configured bounds by its weight among those that can come into b; 0 where
// none can.
func (s *Shop) drawLines(rng *rand.Rand, b bounds) int {
	drawn, all := 0, 0.0
	for n := s.cfg.ItemsMin; n <= s.cfg.ItemsMax; n++ {
		if s.sums.of(n).overlaps(b) {
			all += lineWeight(n)
			if rng.Float64()*all < lineWeight(n) {
				drawn = n
			}
		}
	}
	return drawn
}

// drawPicks picks products for a number of pieces. The number of lines is drawn by its weight within the configured bounds
// as far as the pieces allow; several pieces take at least two lines, because the first has a single piece: by its
// price alone every sum is met to the cent.
func (s *Shop) drawPicks(rng *rand.Rand, pieces int) []pick {
	most := min(pieces, max(2, s.cfg.ItemsMax))
	fewest := min(most, max(2, s.cfg.ItemsMin))
	n, all := fewest, 0.0
	for k := fewest; k <= most; k++ {
		all += lineWeight(k)
		if rng.Float64()*all < lineWeight(k) {
			n = k
		}
	}
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

// scalePrices prices picks in proportion to the catalogue so that they come to sum, which is at least a cent for each
// piece. The first pick is a single piece and takes the cents that the rounding leaves.
func scalePrices(picks []pick, sum Cents) []Item {
	var listed, pieces Cents
	for _, p := range picks {
		listed += p.product.Price * Cents(p.quantity)
		pieces += Cents(p.quantity)
	}
	items := make([]Item, len(picks))
	for i, p := range picks {
		price := 1 + (sum-pieces)*p.product.Price/listed // At most 1e12 × 1.3e5: no overflow.
		items[i] = Item{SKU: p.product.SKU, Name: p.product.Name, Category: p.product.Category, Price: price,
			Quantity: p.quantity}
	}
	items[0].Price += sum - total(items)
	return items
}
