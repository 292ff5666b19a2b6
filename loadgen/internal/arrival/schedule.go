// Package arrival owns when visits begin. A schedule is pure arithmetic over time; it waits for nothing.
package arrival

import "time"

const day = 24 * time.Hour

// Schedule spreads visits evenly from Start on, visit i at Start + i × day / PerDay. Moments are absolute, so that
// lateness never adds up.
type Schedule struct {
	Start time.Time
	// PerDay is the rate in visits per 24 hours, above 0.
	PerDay float64
}

// At is the moment of the i-th arrival, counted from 0. An arrival beyond what a time.Duration can hold (292 years)
// is put there.
func (s Schedule) At(i uint64) time.Time {
	after := float64(i) * float64(day) / s.PerDay
	if after >= float64(1<<63-1) {
		return s.Start.Add(1<<63 - 1)
	}
	return s.Start.Add(time.Duration(after))
}
