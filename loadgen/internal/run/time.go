package run

import (
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/ledger"
	"github.com/puttrix/trafficinator/shared/record"
)

// now is the moment by the clock of the run: the wall clock as it went when the run began, with what has passed since.
// It does not jump where somebody sets the wall clock.
func (s *session) now() time.Time { return s.began.Add(s.clock.Now()) }

// endAfter is when a run ended that lasted so long: never before it began, though a backfill may go on under a wall
// clock that was set back.
func (s *session) endAfter(lasted time.Duration) time.Time {
	if at := s.began.Add(lasted - s.earlier).UTC(); at.After(s.started) {
		return at
	}
	return s.started
}

// fillTime writes how long the run has lasted, and when this process stood still, with what was missed each time. That
// was counted before, so that all of it has its standstill here.
func (s *session) fillTime(sum *record.Summary, missed []ledger.Missed) {
	sum.DurationSeconds = (s.earlier + s.clock.Now()).Seconds()
	for i, gap := range s.clock.Gaps(0) {
		one := record.Standstill{At: s.began.Add(gap.To).UTC(), Seconds: gap.Length().Seconds()}
		if i < len(missed) {
			one.Visits, one.Hits = missed[i].Visits, missed[i].Hits
		}
		sum.Standstills = append(sum.Standstills, one)
	}
}

// tellStandstills logs the standstills that ended since it was called last.
func (s *session) tellStandstills() {
	for _, gap := range s.clock.Gaps(s.standstills) {
		s.standstills++
		s.log.Warn("this process stood still: it was stopped, its container paused, or its machine asleep; what fell "+
			"due meanwhile is not sent",
			"seconds", gap.Length().Seconds(), "until", s.began.Add(gap.To).UTC())
	}
}
