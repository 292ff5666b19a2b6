package runsummary

import "time"

// Standstill is a time in which the loadgen's process did not run: it was stopped, its container paused, or its machine
// asleep.
type Standstill struct {
	// At is when it ended, by the wall clock.
	At      time.Time `json:"at"`
	Seconds float64   `json:"seconds"`
	// Visits did not begin and Hits were not sent because they fell due meanwhile. The hits, with those of the visits,
	// are among the shed.
	Visits uint64 `json:"visits"`
	Hits   uint64 `json:"hits"`
}

// TotalStandstill sums the standstills of a run. At is that of the last.
func (s *Summary) TotalStandstill() Standstill {
	var sum Standstill
	for _, one := range s.Standstills {
		sum = Standstill{one.At, sum.Seconds + one.Seconds, sum.Visits + one.Visits, sum.Hits + one.Hits}
	}
	return sum
}

// Duration is how long the run has lasted: DurationSeconds, or what Started and Ended say in older summaries.
func (s *Summary) Duration() time.Duration {
	if s.DurationSeconds > 0 {
		return time.Duration(s.DurationSeconds * float64(time.Second))
	}
	return max(0, s.Ended.Sub(s.Started))
}
