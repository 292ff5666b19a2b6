package engine_test

import (
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/engine"
	"github.com/puttrix/trafficinator/loadgen/internal/ledger"
	"github.com/puttrix/trafficinator/shared/endreason"
	"github.com/puttrix/trafficinator/shared/outcome"
	"github.com/puttrix/trafficinator/shared/phase"
	"github.com/puttrix/trafficinator/shared/profile"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

// stages of visits a second.
func stages(pairs ...profile.Stage) profile.Profile {
	for i := range pairs {
		pairs[i].From *= 86_400
		pairs[i].To *= 86_400
	}
	return profile.NewStages(pairs)
}

// starts counts the visits that started by the second of the run in which their first hit was sent.
func (r *rig) starts(started time.Time) map[int]int {
	starts := map[int]int{}
	for _, s := range r.matomo.log {
		if s.hit == 0 {
			starts[int(s.when.Sub(started)/time.Second)]++
		}
	}
	return starts
}

func between(starts map[int]int, from, to int) (n int) {
	for second, k := range starts {
		if second >= from && second < to {
			n += k
		}
	}
	return n
}

func TestARunEndsWithItsProfile(t *testing.T) {
	for name, random := range map[string]*rand.Rand{"even": nil, "poisson": rand.New(rand.NewPCG(1, 1))} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(accept, func(c *engine.Config) {
					c.Load, c.Random = stages(profile.Stage{Length: 10 * time.Second, To: 4},
						profile.Stage{Length: 10 * time.Second, From: 2, To: 2}, profile.Stage{Length: time.Minute}),
						random
				})
				started := time.Now()
				if reason := r.run(t.Context(), t.Context(), t); reason != endreason.ProfileEnded {
					t.Errorf("ended by %s", reason)
				}
				if took := time.Since(started); took != 80*time.Second {
					t.Errorf("ended after %v", took)
				}
				starts := r.starts(started)
				if a, b, c := between(starts, 0, 10), between(starts, 10, 20), between(starts, 20, 80); a != 20 ||
					b != 20 || c != 0 {
					t.Errorf("%d, %d and %d visits by stage", a, b, c)
				}
				if c := r.ledger.Counts(); c.Due != 40 || c.Visits[ledger.Complete] != 40 {
					t.Errorf("%d due, visits %v", c.Due, c.Visits)
				}
			})
		})
	}
}

func TestALimitEndsARunBeforeItsProfile(t *testing.T) {
	for want, limit := range map[endreason.Reason]func(*engine.Config){
		endreason.AutoStopped:        func(c *engine.Config) { c.AutoStop = 15 * time.Second },
		endreason.StoppedAfterVisits: func(c *engine.Config) { c.StopAfter = 30 },
	} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(accept, func(c *engine.Config) {
				c.Load = stages(profile.Stage{Length: time.Minute, From: 2, To: 2})
				limit(c)
			})
			if reason := r.run(t.Context(), t.Context(), t); reason != want {
				t.Errorf("ended by %s, want %s", reason, want)
			}
			if c := r.ledger.Counts(); c.Planned != 30 || c.Due != 30 {
				t.Errorf("%s: %d visits, %d due", want, c.Planned, c.Due)
			}
		})
	}
}

func TestARateChangeTakesEffectImmediately(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(accept, func(c *engine.Config) { c.AutoStop = 30 * time.Second })
		e := engine.New(r.config)
		started := time.Now()
		time.AfterFunc(10*time.Second+time.Millisecond, func() { e.SetRate(5) })
		time.AfterFunc(20*time.Second+time.Millisecond, func() { e.SetRate(0.5) })
		time.AfterFunc(15*time.Second, func() {
			if rate := e.Rate(); rate < 4.999 || rate > 5.001 {
				t.Errorf("the rate is %v a second", rate)
			}
		})
		_ = e.Run(t.Context(), t.Context())
		starts := r.starts(started)
		if a, b, c := between(starts, 0, 10), between(starts, 10, 20), between(starts, 20, 30); a != 10 ||
			b != 50 || c != 6 {
			t.Errorf("%d, %d and %d visits by ten seconds, want 10, 50 and 6", a, b, c)
		}
		if due := r.ledger.Counts().Due; due != 66 {
			t.Errorf("%d due", due)
		}
	})
}

func TestAPauseLosesNoVisitsAndCausesNoBurst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(accept, func(c *engine.Config) {
			c.Load = stages(profile.Stage{Length: 20 * time.Second, From: 1, To: 1})
		})
		e := engine.New(r.config)
		started := time.Now()
		time.AfterFunc(9500*time.Millisecond, func() { e.Pause(true) })
		time.AfterFunc(time.Minute, func() {
			if now, c := e.Phase(), r.ledger.Counts(); now != phase.Paused || e.PauseReason() != "asked" ||
				c.Due != 10 || c.OpenVisits() != 0 || e.Rate() != 0 {
				t.Errorf("%s, %d due, %d open, %v a second: open visits end in a pause, and nothing falls due", now,
					c.Due, c.OpenVisits(), e.Rate())
			}
		})
		time.AfterFunc(99500*time.Millisecond, func() { e.Pause(false) })
		if reason := e.Run(t.Context(), t.Context()); reason != endreason.ProfileEnded {
			t.Errorf("ended by %s", reason)
		}
		starts := r.starts(started)
		if a, b, c := between(starts, 0, 10), between(starts, 10, 100), between(starts, 100, 110); a != 10 ||
			b != 0 || c != 10 {
			t.Errorf("%d visits before the pause, %d in it, %d after it", a, b, c)
		}
		if c := r.ledger.Counts(); c.Due != 20 || c.Planned != 20 {
			t.Errorf("%d visits, %d due", c.Planned, c.Due)
		}
	})
}

func TestARunCanStartPaused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(accept, func(c *engine.Config) { c.StopAfter = 5 })
		e := engine.New(r.config)
		e.Pause(true)
		e.SetRate(2)
		started := time.Now()
		time.AfterFunc(10*time.Second, func() { e.Pause(false) })
		_ = e.Run(t.Context(), t.Context())
		if starts := r.starts(started); between(starts, 0, 10) != 0 || between(starts, 10, 12) != 4 ||
			between(starts, 12, 13) != 1 {
			t.Errorf("%v", starts)
		}
	})
}

func TestAPauseOutlastsTheCap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(accept, func(c *engine.Config) {
			c.Cap = engine.NewCap(10, runsummary.Cap{}, func(runsummary.Cap) error { return nil })
			c.AutoStop = 72 * time.Hour
		})
		e := engine.New(r.config)
		started := time.Now()
		time.AfterFunc(12*time.Hour, func() { e.Pause(true) })
		time.AfterFunc(30*time.Hour, func() { e.Pause(false) })
		_ = e.Run(t.Context(), t.Context())
		starts := r.starts(started)
		if a, b, c, d := between(starts, 0, 24*3600), between(starts, 24*3600, 30*3600),
			between(starts, 30*3600, 54*3600), between(starts, 54*3600, 72*3600); a != 10 || b != 0 ||
			c != 10 || d != 10 {
			t.Errorf("%d, %d, %d and %d visits: the cap's window starts after the pause", a, b, c, d)
		}
		if c := r.ledger.Counts(); c.Due != 30 {
			t.Errorf("%d due: what the cap withheld is not", c.Due)
		}
	})
}

func TestAPausedRunStopsAtItsLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(accept, func(c *engine.Config) { c.AutoStop = time.Minute })
		e := engine.New(r.config)
		e.Pause(true)
		started := time.Now()
		if reason := e.Run(
			t.Context(),
			t.Context(),
		); reason != endreason.AutoStopped ||
			time.Since(started) != time.Minute {
			t.Errorf("ended by %s after %v", reason, time.Since(started))
		}
	})
}

func TestOverdueVisitsCountAsDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// The disk delays the loop for three seconds while a thousand visits per second become due.
		r := newRig(accept, nil)
		r.config.Load, r.config.AutoStop, r.config.Concurrency = profile.NewConstant(1000*86_400), 10*time.Second, 4000
		stalled, late := false, uint64(0)
		r.config.Reserve = func(upTo uint64) error {
			if upTo > 5000 && !stalled {
				stalled = true
				time.Sleep(3 * time.Second)
			}
			c := r.ledger.Counts()
			late = max(late, c.Due-c.Planned)
			return nil
		}
		_ = r.run(t.Context(), t.Context(), t)
		if late < 1000 || late > 3000 {
			t.Errorf("up to %d due visits had not started, want up to 3000", late)
		}
		if c := r.ledger.Counts(); c.Due != 10_000 || c.Planned != 10_000 || c.Total(-1).Outcomes[outcome.Shed] == 0 {
			t.Errorf("%d visits, %d due, %+v", c.Planned, c.Due, c.Total(-1))
		}
	})
}
