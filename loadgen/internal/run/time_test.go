package run

import (
	"testing"
	"time"
)

func TestARunThatGoesOnUnderAClockThatWasSetBackEndsAfterItsStart(t *testing.T) {
	t.Parallel()
	began := time.Now()
	terms := Prepared{Started: began.Add(time.Hour), PriorDuration: time.Minute}
	if got := terms.endTime(began, 90*time.Second); got.Before(terms.Started) {
		t.Errorf("started %s, ended %s", terms.Started, got)
	}
	terms.Started = began.Add(-time.Hour)
	if got, want := terms.endTime(began, 90*time.Second), began.Add(30*time.Second); !got.Equal(want) {
		t.Errorf("ended %s, want %s: half a minute after this start", got, want)
	}
}
