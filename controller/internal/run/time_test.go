package run

import (
	"testing"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
	"github.com/puttrix/trafficinator/controller/internal/record"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

func TestUptimeDoesNotFollowTheWallClock(t *testing.T) {
	now := time.Now()
	loadgen := launcher.Status{State: launcher.Running, Started: now.Add(-time.Minute).UTC()}
	first := startedAt(&Status{}, loadgen, now)
	if up := now.Sub(first); up != time.Minute {
		t.Errorf("up for %s when it is seen first, want a minute", up)
	}
	// The wall clock is set back, and a minute passes: only the monotonic clock has that minute.
	later := now.Add(time.Minute)
	known := &Status{Loadgen: loadgen, Since: first}
	if up := later.Sub(startedAt(known, loadgen, later)); up != 2*time.Minute {
		t.Errorf("up for %s a minute later", up)
	}
	away := &Status{Loadgen: launcher.Status{State: launcher.Unavailable}, Since: first}
	if got := startedAt(known, launcher.Status{State: launcher.Unavailable}, later); !got.Equal(first) ||
		!startedAt(away, loadgen, later).Equal(first) {
		t.Error("an engine that does not answer for a while makes it young again")
	}
	// by a wall clock that was set forward
	again := launcher.Status{State: launcher.Running, Started: later.Add(time.Hour)}
	if up := later.Sub(startedAt(known, again, later)); up != 0 {
		t.Errorf("another loadgen, started just now, is up for %s", up)
	}
	if got := startedAt(known, launcher.Status{State: launcher.Exited}, later); !got.IsZero() {
		t.Errorf("none runs, since %s", got)
	}
}

func TestRunDoesNotEndBeforeItStarted(t *testing.T) {
	started := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	left := &runsummary.Summary{RunID: "r", Started: started, DurationSeconds: 11}
	for name, ledger := range map[string]*runsummary.Summary{"without a ledger": nil, "with one left open": left} {
		r := record.Run{Head: record.Head{ID: "r", Started: started}}
		setEnd(&r, ledger, launcher.Status{State: launcher.Exited, Ended: started.Add(-time.Hour)}, "stopped")
		if r.Ended.Before(r.Started) {
			t.Errorf("%s: ended %s", name, r.Ended)
		}
		if s := r.Summary; s != nil && s.Ended.Before(s.Started) {
			t.Errorf("%s: its ledger ended %s", name, s.Ended)
		}
	}
}
