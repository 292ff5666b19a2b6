package capacity_test

import (
	"testing"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/capacity"
	"github.com/puttrix/trafficinator/loadgen/internal/visit"
)

func TestTheRateOfHitsFollowsThatOfVisits(t *testing.T) {
	l := capacity.NewLag(func(_ uint64, v *visit.Visit) { // 100 hits, 100 ms apart
		v.Hits = v.Hits[:0]
		for i := range 100 {
			v.Hits = append(v.Hits, visit.Hit{SendOffset: time.Duration(i) * 100 * time.Millisecond})
		}
	})
	if l.HitsPerVisit() != 100 || l.LongestVisit() != 9900*time.Millisecond {
		t.Errorf("%v hits, %v long", l.HitsPerVisit(), l.LongestVisit())
	}
	for _, c := range []struct {
		from, to, seconds float64
	}{{0, 50, 9.9}, {1, 4, 9.8}, {50, 55, 8.9}, {100, 50, 9.9}, {50, 50.4, 0}, {50, 50, 0}} {
		got := l.SettleTime(c.from, c.to).Seconds()
		if got < c.seconds-.11 || got > c.seconds+.01 {
			t.Errorf("from %v to %v: %v s, want %v", c.from, c.to, got, c.seconds)
		}
	}
}
