// Package weighted draws indices by weight.
package weighted

import "math/rand/v2"

// Table draws indices in proportion to weights in constant time, by Vose's version of Walker's alias method. Each
// column gives its own index up to a threshold and an alias above it.
type Table struct {
	columns []column
}

type column struct {
	threshold float64
	alias     uint32
}

// New returns a table for n indices with weights of a positive sum.
func New(n int, weight func(i int) float64) Table {
	t := Table{make([]column, n)}
	total, scaled := 0.0, make([]float64, n)
	for i := range n {
		scaled[i] = weight(i)
		total += scaled[i]
	}
	var small, large []int
	for i := range n {
		if scaled[i] = scaled[i] / total * float64(n); scaled[i] < 1 {
			small = append(small, i)
		} else {
			large = append(large, i)
		}
	}
	for len(small) > 0 && len(large) > 0 {
		s, l := small[len(small)-1], large[len(large)-1]
		small = small[:len(small)-1]
		t.columns[s] = column{scaled[s], uint32(l)}
		if scaled[l] -= 1 - scaled[s]; scaled[l] < 1 {
			large = large[:len(large)-1]
			small = append(small, l)
		}
	}
	for _, i := range append(small, large...) { // full except for rounding errors
		t.columns[i] = column{1, uint32(i)}
	}
	return t
}

// Draw returns a random index.
func (t Table) Draw(rng *rand.Rand) int {
	x := rng.Float64() * float64(len(t.columns))
	i := int(x)
	if c := &t.columns[i]; x-float64(i) >= c.threshold {
		return int(c.alias)
	}
	return i
}
