package compare

import (
	"fmt"
	"math"

	"github.com/HdrHistogram/hdrhistogram-go"
)

const (
	// sigmas is the number of standard deviations beyond which a difference is real; one in 370 exceeds it at random.
	sigmas = 3
	// minLatencyShift is the share by which latencies must differ in any case, because machines do too.
	minLatencyShift = 0.05
	// searchPrecision is the share by which capacities may differ: a search narrows each to within 3 %.
	searchPrecision = 0.06
)

// shareDeviation returns by how many standard deviations two shares k/n differ, by the two-proportion z-test.
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

// rateDeviation returns by how many standard deviations two Poisson rates differ, n events in t seconds each.
func rateDeviation(na, ta, nb, tb float64) float64 {
	if ta <= 0 || tb <= 0 || na+nb == 0 {
		return 0
	}
	return math.Abs(nb/tb-na/ta) / math.Sqrt(na/(ta*ta)+nb/(tb*tb))
}

func judgeDeviation(deviations float64, what string) (beyond bool, why string) {
	if deviations > sigmas {
		return true, fmt.Sprintf("%s differ by %.1f standard deviations; more than %d is not random", what,
			deviations, sigmas)
	}
	return false, fmt.Sprintf("%s differ by %.1f standard deviations, which can be random", what, deviations)
}

// confidenceInterval returns the seconds between which the true percentile q, 0 to 1, lies: the values whose ranks are
// sigmas standard deviations from its rank.
func confidenceInterval(h *hdrhistogram.Histogram, q float64) (low, high float64) {
	n := float64(h.TotalCount())
	spread := sigmas * math.Sqrt(q*(1-q)/n)
	at := func(q float64) float64 { return float64(h.ValueAtQuantile(100*min(1, max(0, q)))) / 1e6 }
	return at(q - spread), at(q + spread)
}

// comparePercentiles compares the percentile q of two runs, which is was and is seconds.
func comparePercentiles(a, b *hdrhistogram.Histogram, q, was, is float64) (beyond bool, why string) {
	if a == nil || b == nil {
		return false, "one of the runs has no histogram of latencies"
	}
	lowA, highA := confidenceInterval(a, q)
	lowB, highB := confidenceInterval(b, q)
	span := fmt.Sprintf("%.4g to %.4g ms against %.4g to %.4g ms", 1e3*lowA, 1e3*highA, 1e3*lowB, 1e3*highB)
	switch {
	case lowA <= highB && lowB <= highA:
		return false, "the confidence intervals overlap: " + span
	case math.Abs(is-was) <= minLatencyShift*was:
		return false, "less than 5 %, the usual variation between measurements"
	}
	return true, "the confidence intervals do not overlap: " + span
}
