package run

import (
	"testing"
	"time"
)

func TestResumedRunEndsAfterItsStartIfTheClockWasSetBack(t *testing.T) {
	t.Parallel()
	began := time.Now()
	prepared := Prepared{Started: began.Add(time.Hour), PriorDuration: time.Minute}
	if got := prepared.endTime(began, 90*time.Second); got.Before(prepared.Started) {
		t.Errorf("started %s, ended %s", prepared.Started, got)
	}
	prepared.Started = began.Add(-time.Hour)
	if got, want := prepared.endTime(began, 90*time.Second), began.Add(30*time.Second); !got.Equal(want) {
		t.Errorf("ended %s, want %s: half a minute after this start", got, want)
	}
}
