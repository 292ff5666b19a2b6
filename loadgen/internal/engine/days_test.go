package engine_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
	_ "time/tzdata"

	"github.com/puttrix/trafficinator/loadgen/internal/engine"
	"github.com/puttrix/trafficinator/loadgen/internal/ledger"
	"github.com/puttrix/trafficinator/loadgen/internal/tracking"
	"github.com/puttrix/trafficinator/loadgen/internal/visit"
	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/hit"
)

func TestVisitsDoNotCrossTheSitesMidnight(t *testing.T) {
	zone := time.FixedZone("site", 0)
	synctest.Test(t, func(t *testing.T) {
		// synctest starts at midnight UTC 2000-01-01: visits of 200 s would start the day before.
		r := newRig(accept, func(c *engine.Config) { c.StopAfter, c.Zone = 3, zone })
		started := time.Now()
		_ = r.run(t.Context(), t.Context(), t)
		for _, s := range r.matomo.log {
			if !s.at.Before(started) {
				t.Errorf("hit %d of visit %d is recorded at %v, on the other side of midnight", s.hit, s.visit, s.at)
			}
		}
	})
	for beyond, want := range map[time.Duration]uint64{
		1500 * time.Millisecond: 0, // only the ping is after midnight
		500 * time.Millisecond:  1,
	} {
		synctest.Test(t, func(t *testing.T) {
			time.Sleep(24*time.Hour - beyond)
			r := newRig(accept, func(c *engine.Config) { c.StopAfter, c.Zone, c.Live = 1, zone, true })
			_ = r.run(t.Context(), t.Context(), t)
			if c := r.ledger.Counts(); c.Split != want {
				t.Errorf("live, %v before midnight: %d split, want %d", beyond, c.Split, want)
			}
		})
	}
}

// If the clock is set back over midnight, the day starts with the first one.
func TestADayStartsOnceWhenMidnightOccursTwice(t *testing.T) {
	amman, err := time.LoadLocation("Asia/Amman")
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		// at 22:00 it is midnight again
		time.Sleep(time.Until(time.Date(2000, 9, 28, 20, 59, 59, 500_000_000, time.UTC)))
		r := newRig(accept, func(c *engine.Config) { c.StopAfter, c.Zone, c.Live = 1, amman, true })
		_ = r.run(t.Context(), t.Context(), t)
		if c := r.ledger.Counts(); c.Split != 1 {
			t.Errorf("%d split, want 1", c.Split)
		}
	})
}

// An unknown hit may have kept a visit open over a long gap, but not over midnight.
func TestAVisitIsSplitAtMidnightDespiteAnUnknownHit(t *testing.T) {
	doubt := func(_ context.Context, s sent) tracking.Result {
		if s.hit == 1 {
			return classified(answer.Timeout)
		}
		return tracking.Result{}
	}
	for name, c := range map[string]struct {
		start time.Duration // after midnight
		gap   time.Duration // between two hits
		want  uint64
	}{
		"the doubtful hit is after midnight":  {24*time.Hour - time.Second, 10 * time.Second, 1},
		"the doubtful hit is before midnight": {24*time.Hour - 15*time.Second, 10 * time.Second, 1},
		"the doubtful hit may bridge a gap":   {12 * time.Hour, 1000 * time.Second, 0},
		"it cannot bridge this one":           {12 * time.Hour, 2000 * time.Second, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(c.start)
				r := newRig(doubt, func(cfg *engine.Config) {
					cfg.Visits, cfg.StopAfter, cfg.Live = paced{gap: c.gap}, 1, true
				})
				_ = r.run(t.Context(), t.Context(), t)
				if got := r.ledger.Counts(); got.Split != c.want || got.Visits[ledger.Partial] != 1 {
					t.Errorf("%d split, want %d; visits %v", got.Split, c.want, got.Visits)
				}
			})
		})
	}
}

// paced are visits of three pages with a gap between each two.
type paced struct {
	visits
	gap time.Duration
}

func (p paced) Outline(n uint64, v *visit.Visit) {
	v.Number, v.Hits = n, v.Hits[:0]
	for i := range time.Duration(3) {
		v.Hits = append(v.Hits, visit.Hit{Kind: hit.Pageview, SendOffset: i * p.gap, Offset: i * p.gap})
	}
}
