// Package weighted draws indices by weight. It knows nothing of what is drawn.
package weighted

import "math/rand/v2"

// Table draws indices in proportion to weights in constant time, by Vose's version of Walker's alias method. Each
// column stands for its own index up to a threshold and for an alias above it.
type Table struct {
	columns []column
}

type column struct {
	threshold float64
	alias     uint32
}

// New returns a table for weights with a positive sum.
func New(weights []float64) Table {
	total := 0.0
	for _, w := range weights {
		total += w
	}
	n := len(weights)
	t := Table{make([]column, n)}
	var small, large []int
	scaled := make([]float64, n)
	for i, w := range weights {
		scaled[i] = w / total * float64(n)
		if scaled[i] < 1 {
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
