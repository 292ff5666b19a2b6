package run

import (
	"testing"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/standstill"
)

func TestARunThatGoesOnUnderAClockThatWasSetBackEndsAfterItsStart(t *testing.T) {
	t.Parallel()
	began := time.Now()
	s := session{began: began, clock: standstill.New(began), started: began.Add(time.Hour), earlier: time.Minute}
	if got := s.endAfter(90 * time.Second); got.Before(s.started) {
		t.Errorf("started %s, ended %s", s.started, got)
	}
	s.started = began.Add(-time.Hour)
	if got, want := s.endAfter(90*time.Second), began.Add(30*time.Second); !got.Equal(want) {
		t.Errorf("ended %s, want %s: half a minute after this start", got, want)
	}
}
