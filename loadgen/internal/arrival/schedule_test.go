package arrival_test

import (
	"testing"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/arrival"
)

func TestADayHoldsTheRate(t *testing.T) {
	start := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	for _, perDay := range []float64{1, 7, 20_000, 1e6, 1e10} {
		s := arrival.Schedule{Start: start, PerDay: perDay}
		if first := s.At(0); !first.Equal(start) {
			t.Errorf("%g a day: the first arrives at %v, want the start", perDay, first)
		}
		next := s.At(uint64(perDay))
		if off := next.Sub(start.Add(24 * time.Hour)).Abs(); off > 100*time.Microsecond {
			t.Errorf("%g a day: the first of the next day is off by %v", perDay, off)
		}
	}
}

func TestArrivalsAreEven(t *testing.T) {
	s := arrival.Schedule{Start: time.Unix(0, 0), PerDay: 86_400 * 3}
	for i := range uint64(30_000) {
		gap := s.At(i + 1).Sub(s.At(i))
		if off := (gap - time.Second/3).Abs(); off > time.Microsecond {
			t.Fatalf("arrival %d comes %v after the one before, want 1/3 s", i+1, gap)
		}
	}
}
