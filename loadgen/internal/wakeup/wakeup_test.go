package wakeup_test

import (
	"testing"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/wakeup"
)

func TestAnAlarmComesNoEarlierThanSetAndCanBeSetAnew(t *testing.T) {
	for name, a := range map[string]wakeup.Timer{"timer": wakeup.NewTimer(), "exact": wakeup.NewHighRes()} {
		t.Run(name, func(t *testing.T) {
			defer a.Stop()
			for _, d := range []time.Duration{5 * time.Millisecond, time.Millisecond, 0, -time.Second} {
				a.Reset(time.Hour)
				began := time.Now()
				a.Reset(d)
				<-a.C()
				if took := time.Since(began); took < d {
					t.Errorf("an alarm after %v came after %v", d, took)
				}
			}
		})
	}
}

func BenchmarkLateness(b *testing.B) {
	for name, a := range map[string]wakeup.Timer{"timer": wakeup.NewTimer(), "exact": wakeup.NewHighRes()} {
		b.Run(name, func(b *testing.B) {
			defer a.Stop()
			var late time.Duration
			for b.Loop() {
				due := time.Now().Add(700 * time.Microsecond)
				a.Reset(700 * time.Microsecond)
				<-a.C()
				late += time.Since(due)
			}
			b.ReportMetric(float64(late.Microseconds())/float64(b.N), "µs-late")
		})
	}
}
