package capacity

import (
	"math"
	"slices"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/visit"
)

// Lag tells how long the rate of hits takes to follow that of visits, since a visit sends its hits over a while.
type Lag struct {
	waits  []time.Duration // of hits after their visits begin, sorted
	visits int
}

// sampled is how many visits are looked at, and settled how near the rate of hits must have come to its end, as a
// share.
const (
	sampleSize   = 5000
	settledShare = 0.01
)

// NewLag looks at the first visits that outline writes.
func NewLag(outline func(n uint64, v *visit.Visit)) Lag {
	l := Lag{visits: sampleSize}
	var v visit.Visit
	for n := range uint64(sampleSize) {
		outline(n, &v)
		for i := range v.Hits {
			l.waits = append(l.waits, v.Hits[i].SendOffset)
		}
	}
	slices.Sort(l.waits)
	return l
}

// HitsPerVisit is the mean.
func (l Lag) HitsPerVisit() float64 { return float64(len(l.waits)) / float64(l.visits) }

// LongestVisit is that of a visit.
func (l Lag) LongestVisit() time.Duration { return l.waits[len(l.waits)-1] }

// SettleTime is how long after a change of the rate of visits the rate of hits is within a hundredth of its new value.
func (l Lag) SettleTime(from, to float64) time.Duration {
	open := settledShare * to / math.Abs(to-from) // share of the hits that may come later
	if !(open < 1) {
		return 0
	}
	return l.waits[int((1-open)*float64(len(l.waits)))]
}
