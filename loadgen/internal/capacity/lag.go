package capacity

import (
	"math"
	"slices"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/visit"
)

// Lag is how far the hit rate lags behind the visit rate, because a visit spreads its hits over time.
type Lag struct {
	offsets []time.Duration // of hits from the start of their visits, sorted
}

const (
	sampleSize   = 5000 // visits
	settledShare = 0.01 // of the final hit rate
)

// NewLag measures the first visits of outline.
func NewLag(outline func(n uint64, v *visit.Visit)) (l Lag) {
	var v visit.Visit
	for n := range uint64(sampleSize) {
		outline(n, &v)
		for i := range v.Hits {
			l.offsets = append(l.offsets, v.Hits[i].SendOffset)
		}
	}
	slices.Sort(l.offsets)
	return l
}

// HitsPerVisit returns the mean number of hits.
func (l Lag) HitsPerVisit() float64 { return float64(len(l.offsets)) / sampleSize }

// LongestVisit returns the longest duration of a visit.
func (l Lag) LongestVisit() time.Duration { return l.offsets[len(l.offsets)-1] }

// SettleTime returns how long after a change of the visit rate the hit rate is within 1 % of its new value.
func (l Lag) SettleTime(from, to float64) time.Duration {
	late := settledShare * to / math.Abs(to-from) // share of the hits that may come later
	if !(late < 1) {
		return 0
	}
	return l.offsets[int((1-late)*float64(len(l.offsets)))]
}
