package runsummary_test

import (
	"testing"
	"time"

	"github.com/puttrix/trafficinator/shared/runsummary"
)

func TestARunLastsAsLongAsItsOwnClockSays(t *testing.T) {
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		s    runsummary.Summary
		want time.Duration
	}{
		"the wall clock was set back": {runsummary.Summary{Started: start, Ended: start.Add(-time.Hour),
			DurationSeconds: 11}, 11 * time.Second},
		"the wall clock was set forward": {runsummary.Summary{Started: start, Ended: start.Add(time.Hour),
			DurationSeconds: 11}, 11 * time.Second},
		"in progress": {runsummary.Summary{Started: start, DurationSeconds: 3}, 3 * time.Second},
		"of an older loadgen": {runsummary.Summary{Started: start, Ended: start.Add(time.Minute)},
			time.Minute},
		"of an older loadgen, under way":      {runsummary.Summary{Started: start}, 0},
		"of an older loadgen, clock set back": {runsummary.Summary{Started: start, Ended: start.Add(-time.Hour)}, 0},
	} {
		if got := c.s.Duration(); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestAKilledRunEndsAfterItsStartWhateverTheClockSays(t *testing.T) {
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	s := runsummary.Summary{Started: start, DurationSeconds: 11}
	s.CloseKilled(start.Add(-time.Hour))
	if want := start.Add(11 * time.Second); !s.Ended.Equal(want) {
		t.Errorf("ended %s, want %s", s.Ended, want)
	}
}
