package weighted_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/puttrix/trafficinator/loadgen/internal/weighted"
)

func TestIndicesAreDrawnInProportionToTheirWeights(t *testing.T) {
	const n = 400_000
	for name, weights := range map[string][]float64{
		"one": {3}, "even": {1, 1, 1}, "uneven": {1, 2, 7}, "with none": {0, 5, 0, 15}, "wide": {1000, 1, 1, 10, 100},
	} {
		t.Run(name, func(t *testing.T) {
			table, rng := weighted.New(
				len(weights),
				func(i int) float64 { return weights[i] },
			), rand.New(
				rand.NewPCG(1, 2),
			)
			got, total := make([]int, len(weights)), 0.0
			for _, w := range weights {
				total += w
			}
			for range n {
				got[table.Draw(rng)]++
			}
			for i, w := range weights {
				p := w / total
				if se := math.Sqrt(p * (1 - p) / n); math.Abs(float64(got[i])/n-p) > 4*se {
					t.Errorf("index %d: %d of %d, want the share %.5f", i, got[i], n, p)
				}
			}
		})
	}
}
