package shop

import (
	"cmp"
	"slices"
)

// bounds is a closed interval, empty if lo > hi.
type bounds struct{ lo, hi Cents }

// span is a set of sums from lo to hi; its kind is which of those in between it contains.
type span struct {
	bounds
	kind kind
}

// kind is which sums a span contains. It assumes that every price can vary by many cents.
type kind uint8

const (
	none   kind = 0 // no lines: only the sum 0
	ones   kind = 1 // a line of quantity 1 among them: every sum
	twos   kind = 2 // only quantity 2: every even sum
	threes kind = 3 // only quantity 3: every multiple of 3
	mixed  kind = 4 // 2 and 3: every sum but the second and the second to last
)

// step returns the distance between two sums.
func (k kind) step() Cents {
	if k == twos || k == threes {
		return Cents(k)
	}
	return 1
}

// lineSums returns the sums of q pieces of a product: exact up to maxQuantity, beyond that only the ends are.
func lineSums(p *Product, q int) span {
	u := p.priceBounds()
	return span{bounds{u.lo * Cents(q), u.hi * Cents(q)}, kind(min(q, maxQuantity))}
}

// plus returns the sums of one element of a and one of b.
func (a span) plus(b span) span {
	sum := span{bounds{a.lo + b.lo, a.hi + b.hi}, max(a.kind, b.kind)}
	switch {
	case a.kind == ones || b.kind == ones:
		sum.kind = ones
	case a.kind != b.kind && a.kind != none && b.kind != none:
		sum.kind = mixed
	}
	return sum
}

// first returns the smallest sum from at on, last the greatest one up to at.
func (a span) first(at Cents) (Cents, bool) {
	step := a.kind.step()
	sum := max(a.lo, (at+step-1)/step*step)
	if a.kind == mixed && (sum == a.lo+1 || sum == a.hi-1) {
		sum++
	}
	return sum, sum <= a.hi
}

func (a span) last(at Cents) (Cents, bool) {
	step := a.kind.step()
	sum := min(a.hi, at/step*step)
	if a.kind == mixed && (sum == a.lo+1 || sum == a.hi-1) {
		sum--
	}
	return sum, at >= 0 && sum >= a.lo
}

func (a span) overlaps(b bounds) bool {
	sum, found := a.first(b.lo)
	return found && sum <= b.hi
}

// set is a union of spans.
type set []span

func (s set) overlaps(b bounds) bool {
	return slices.ContainsFunc(s, func(a span) bool { return a.overlaps(b) })
}

// merged joins spans of the same kind if that adds no sum.
func (s set) merged() set {
	slices.SortFunc(s, func(a, b span) int {
		return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.lo, b.lo))
	})
	joined := s[:0]
	for _, a := range s {
		distance := a.kind.step()
		if a.kind == mixed { // they must overlap, so that each fills the gaps at the other's end
			distance = -3
		}
		if n := len(joined); n > 0 && joined[n-1].kind == a.kind && a.lo <= joined[n-1].hi+distance {
			joined[n-1].hi = max(joined[n-1].hi, a.hi)
			continue
		}
		joined = append(joined, a)
	}
	return slices.Clip(joined)
}

// reachable has the subtotals that are possible: a[i][n] are those with n lines of the products from i on.
type reachable [][]set

func newReachable(products []Product, lines int) reachable {
	a := make(reachable, len(products)+1)
	a[len(products)] = make([]set, lines+1)
	a[len(products)][0] = set{{}}
	for i := len(products) - 1; i >= 0; i-- {
		rest := a[i+1]
		a[i] = make([]set, lines+1)
		a[i][0] = rest[0]
		for n := 1; n <= lines; n++ {
			sums := slices.Clone(rest[n])
			for q := 1; q <= maxQuantity; q++ {
				own := lineSums(&products[i], q)
				for _, other := range rest[n-1] {
					sums = append(sums, own.plus(other))
				}
			}
			a[i][n] = sums.merged()
		}
	}
	return a
}

// of returns all subtotals of n lines.
func (a reachable) of(n int) set { return a[0][n] }

// canComplete reports whether n more lines of the products from i on can bring the sums of chosen into b.
func (a reachable) canComplete(i, n int, chosen span, b bounds) bool {
	return slices.ContainsFunc(a[i][n], func(rest span) bool { return chosen.plus(rest).overlaps(b) })
}
