package engine_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/engine"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

func TestTheDailyCapPausesAndResumes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var kept runsummary.Cap
		keep := func(s runsummary.Cap) error { kept = s; return nil }
		r := newRig(accept, func(c *engine.Config) {
			c.Cap = engine.NewCap(100, runsummary.Cap{}, keep)
			c.AutoStop = 49 * time.Hour
		})
		started := time.Now()
		_ = r.run(t.Context(), t.Context(), t)
		if n := r.ledger.Counts().Planned; n != 300 {
			t.Errorf("%d visits in 49 hours, want 100 in each of three windows", n)
		}
		starts := map[int]int{}
		for _, s := range r.matomo.log {
			if s.hit == 0 {
				starts[int(s.when.Sub(started)/(24*time.Hour))]++
			}
		}
		if starts[0] != 100 || starts[1] != 100 || starts[2] != 100 {
			t.Errorf("visits by window: %v", starts)
		}
		if kept.Reserved != 100 {
			t.Errorf("stored %+v", kept)
		}
	})
}

func TestACapSurvivesARestart(t *testing.T) {
	start := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	var kept runsummary.Cap
	keep := func(s runsummary.Cap) error { kept = s; return nil }
	taken := 0
	for range 5 { // killed again and again, without Release
		c := engine.NewCap(1000, kept, keep)
		for range 55 {
			if ok, _, err := c.Take(start); err != nil {
				t.Fatal(err)
			} else if ok {
				taken++
			}
		}
	}
	c := engine.NewCap(1000, kept, keep)
	for {
		ok, resume, err := c.Take(start.Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			if !resume.Equal(start.Add(24 * time.Hour)) {
				t.Errorf("resumes at %v", resume)
			}
			break
		}
		taken++
	}
	if taken > 1000 || taken < 950 {
		t.Errorf("%d visits started, want up to 1000 and little less", taken)
	}
	if ok, _, _ := c.Take(start.Add(24 * time.Hour)); !ok {
		t.Error("no visit in the next window")
	}
}
