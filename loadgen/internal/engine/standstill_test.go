package engine_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/engine"
	"github.com/puttrix/trafficinator/loadgen/internal/ledger"
	"github.com/puttrix/trafficinator/loadgen/internal/standstill"
	"github.com/puttrix/trafficinator/loadgen/internal/tracking"
	"github.com/puttrix/trafficinator/loadgen/internal/visit"
	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/endreason"
	"github.com/puttrix/trafficinator/shared/outcome"
	"github.com/puttrix/trafficinator/shared/profile"
)

// still is a clock that jumps ahead, as after a standstill of the process.
type still struct {
	started time.Time
	skipped atomic.Int64
}

func (s *still) elapsed() time.Duration {
	return time.Since(s.started) + time.Duration(s.skipped.Load())
}

// standStill simulates a standstill of the process after a delay.
func (r *rig) standStill(after, length time.Duration) *still {
	s := &still{started: time.Now()}
	r.config.Clock = standstill.NewAt(s.elapsed)
	time.AfterFunc(after, func() { s.skipped.Add(int64(length)) })
	return s
}

func TestNoBurstFollowsAStandstill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(accept, func(c *engine.Config) {
			c.Load, c.AutoStop, c.Concurrency = profile.NewConstant(20*86_400), 2*time.Minute, 50
		})
		s := r.standStill(10*time.Second+10*time.Millisecond, 90*time.Second)
		if reason := r.run(t.Context(), t.Context(), t); reason != endreason.AutoStopped {
			t.Errorf("ended by %s", reason)
		}
		starts := map[time.Duration]int{} // by the second in which they are sent
		hits := map[time.Duration]int{}
		for _, h := range r.matomo.log {
			second := h.when.Sub(s.started) / time.Second
			hits[second]++
			if h.hit == 0 {
				starts[second]++
			}
		}
		for second := range time.Duration(30) { // of what Go's time shows: 10 s of the run, then its last 20
			if n := starts[second]; n < 19 || n > 21 {
				t.Errorf("%d visits start in second %d, want 20", n, second)
			}
			if n := hits[second]; n > 63 {
				t.Errorf("%d hits are sent in second %d, more than the 60 of the plan", n, second)
			}
		}
		c := r.ledger.Counts()
		missed := c.AllMissed()
		if missed.Visits < 1799 || missed.Visits > 1801 || c.Due != 2400 || c.Planned != 2400 {
			t.Errorf("%d visits missed of %d planned, want those of 90 s of 120", missed.Visits, c.Planned)
		}
		// Started visits lose the hits that became due, the second pages and pings of the last two seconds before.
		if want := uint64(1800*3 + 20 + 2*20); missed.Hits < want-5 || missed.Hits > want+5 ||
			c.Total(0).Outcomes[outcome.Shed] != missed.Hits {
			t.Errorf("%d hits missed, %d shed, want about %d", missed.Hits, c.Total(0).Outcomes[outcome.Shed], want)
		}
		if worst := time.Duration(c.Latency[0].Max()) * time.Microsecond; worst > 100*time.Millisecond {
			t.Errorf("a latency of %v is the standstill's", worst)
		}
	})
}

func TestOverdueVisitsAreReservedInBlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(accept, func(c *engine.Config) {
			c.Load, c.AutoStop, c.Concurrency = profile.NewConstant(50*86_400), time.Hour, 50
		})
		reserved, largest := uint64(0), uint64(0)
		r.config.Reserve = func(upTo uint64) error {
			largest = max(largest, upTo-reserved)
			reserved = upTo
			return nil
		}
		_ = r.standStill(5*time.Second, 59*time.Minute)
		_ = r.run(t.Context(), t.Context(), t)
		if c := r.ledger.Counts(); c.Due != 180_000 || c.Planned != 180_000 || c.AllMissed().Visits < 176_000 {
			t.Errorf("%d visits planned, %d due, %+v missed", c.Planned, c.Due, c.AllMissed())
		}
		if largest > 10_001 {
			t.Errorf("%d visits are reserved in one write", largest)
		}
	})
}

func TestHitsInFlightDuringAStandstillHaveNoLatencyAndDoNotCountAgainstTheTarget(t *testing.T) {
	for name, class := range map[string]answer.Class{"answered": answer.Accepted, "timed out": answer.Timeout} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var later atomic.Bool
				r := newRig(func(_ context.Context, s sent) tracking.Result {
					if s.visit == 0 && s.hit == 0 { // which proves the target
						return tracking.Result{}
					}
					if later.Load() {
						return tracking.Result{}
					}
					time.Sleep(3 * time.Second)
					return classified(class)
				}, func(c *engine.Config) {
					c.Load, c.AutoStop, c.Concurrency = profile.NewConstant(20*86_400), 20*time.Second, 50
				})
				r.standStill(2*time.Second, 15*time.Second)
				time.AfterFunc(2*time.Second, func() { later.Store(true) })
				_ = r.run(t.Context(), t.Context(), t)
				c := r.ledger.Counts()
				n := c.Total(0).Outcomes
				if n[class.Outcome()] < 35 ||
					c.Latency[0].TotalCount() > int64(n[outcome.Accepted]+n[outcome.Unknown])-30 {
					t.Errorf("%v, %d latencies", n, c.Latency[0].TotalCount())
				}
				// The breaker opens after 20 unknown ones in a row.
				if shed := n[outcome.Shed] - c.AllMissed().Hits; shed > 0 ||
					r.config.Router.Status(0, time.Now()).Failed {
					t.Errorf("%d hits shed though the target works", shed)
				}
			})
		})
	}
}

func TestAVisitContinuesAfterAStandstillWithItsLaterHits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(accept, func(c *engine.Config) { c.StopAfter = 1 })
		r.standStill(600*time.Millisecond, 3*time.Second) // over the second page, not the ping
		r.config.Visits = longVisits{}
		_ = r.run(t.Context(), t.Context(), t)
		c := r.ledger.Counts()
		if n := c.Total(0).Outcomes; n[outcome.Accepted] != 2 || n[outcome.Shed] != 1 || c.Visits[ledger.Partial] != 1 {
			t.Errorf("%v, visits %v", n, c.Visits)
		}
		if m := c.Missed; len(m) != 1 || m[0] != (ledger.Missed{Hits: 1}) {
			t.Errorf("%+v", m)
		}
	})
}

// longVisits have their ping later than visits.
type longVisits struct{ visits }

func (v longVisits) Outline(n uint64, into *visit.Visit) {
	v.visits.Outline(n, into)
	into.Hits[2].SendOffset = 5 * time.Second
}
