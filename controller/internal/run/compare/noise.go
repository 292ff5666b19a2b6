package compare

import (
	"fmt"
	"math"

	"github.com/HdrHistogram/hdrhistogram-go"
)

const (
	// sigmas is how far a difference must lie outside of chance: three standard deviations, one in 370 by chance.
	sigmas = 3
	// slight is the part by which latencies may differ whatever chance says: machines are never quite alike.
	minLatencyShift = 0.05
	// search is the part by which capacities may differ: a search narrows each to within 3 %.
	searchPrecision = 0.06
)

// proportions tells by how many standard deviations two shares differ, k of n each, by the two-proportion z-test.
func shareDeviation(ka, na, kb, nb float64) float64 {
	if na == 0 || nb == 0 {
		return 0
	}
	pooled := (ka + kb) / (na + nb)
	spread := math.Sqrt(pooled * (1 - pooled) * (1/na + 1/nb))
	if !(spread > 0) {
		return 0
	}
	return math.Abs(kb/nb-ka/na) / spread
}

// poisson tells by how many standard deviations two rates differ, n events in t seconds each.
func rateDeviation(na, ta, nb, tb float64) float64 {
	if ta <= 0 || tb <= 0 || na+nb == 0 {
		return 0
	}
	return math.Abs(nb/tb-na/ta) / math.Sqrt(na/(ta*ta)+nb/(tb*tb))
}

// far says in words how far a difference is from chance.
func judgeDeviation(deviations float64, what string) (beyond bool, why string) {
	if deviations > sigmas {
		return true, fmt.Sprintf("%s differ by %.1f standard deviations; more than %d is no chance", what,
			deviations, sigmas)
	}
	return false, fmt.Sprintf("%s differ by %.1f standard deviations, which is chance", what, deviations)
}

// between are the seconds between which the true percentile q, 0 to 1, of n values lies: those whose ranks are three
// standard deviations from its own.
func confidenceInterval(h *hdrhistogram.Histogram, q float64) (low, high float64) {
	n := float64(h.TotalCount())
	spread := sigmas * math.Sqrt(q*(1-q)/n)
	at := func(q float64) float64 { return float64(h.ValueAtQuantile(100*min(1, max(0, q)))) / 1e6 }
	return at(q - spread), at(q + spread)
}

// slower compares a percentile of two runs.
func comparePercentiles(a, b *hdrhistogram.Histogram, q, was, is float64) (beyond bool, why string) {
	if a == nil || b == nil {
		return false, "one of the runs kept no latencies to judge by"
	}
	lowA, highA := confidenceInterval(a, q)
	lowB, highB := confidenceInterval(b, q)
	span := fmt.Sprintf("%.4g to %.4g ms against %.4g to %.4g ms", 1e3*lowA, 1e3*highA, 1e3*lowB, 1e3*highB)
	switch {
	case lowA <= highB && lowB <= highA:
		return false, "the ranges in which chance puts them overlap: " + span
	case math.Abs(is-was) <= minLatencyShift*was:
		return false, "less than 5 %, which machines differ by"
	}
	return true, "the ranges in which chance puts them lie apart: " + span
}
