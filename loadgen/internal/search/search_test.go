package search

import (
	"context"
	"log/slog"
	"math"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/loadgen/internal/engine"
	"github.com/puttrix/trafficinator/loadgen/internal/ledger"
	"github.com/puttrix/trafficinator/loadgen/internal/plan"
	"github.com/puttrix/trafficinator/loadgen/internal/routing"
	"github.com/puttrix/trafficinator/loadgen/internal/standstill"
	"github.com/puttrix/trafficinator/loadgen/internal/tracking"
	"github.com/puttrix/trafficinator/loadgen/internal/visit"
	"github.com/puttrix/trafficinator/loadgen/internal/wakeup"
	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/endreason"
	"github.com/puttrix/trafficinator/shared/profile"
	"github.com/puttrix/trafficinator/shared/runsummary"
	"github.com/puttrix/trafficinator/shared/threshold"
)

// limited is a server that does one hit after the other, so many a second.
type limited struct {
	perSecond float64
	// delay is what an answer takes beside.
	delay time.Duration
	// refuses, where it is set, says that a hit is refused rather than queued.
	refuses func(waiting time.Duration) bool
	// front, where it is set, is what a server in front of it answers to the hits since now, zero for none.
	front func(now time.Time) answer.Answer
	// hit, where it is set, is told of each hit.
	hit func(now time.Time)

	mu   sync.Mutex
	free time.Time
}

func (s *limited) Abort()                  {}
func (s *limited) Request() engine.Request { return limitedRequest{s} }

type limitedRequest struct{ *limited }

func (limitedRequest) Begin(int, bool)                  {}
func (limitedRequest) Add(*visit.Visit, int, time.Time) {}
func (r limitedRequest) Send() tracking.Result {
	s := r.limited
	s.mu.Lock()
	now := time.Now()
	if s.free.Before(now) {
		s.free = now
	}
	if s.hit != nil {
		s.hit(now)
	}
	if s.front != nil {
		if a := s.front(now); a.Class != answer.Accepted {
			s.mu.Unlock()
			return tracking.Result{Answer: a}
		}
	}
	if s.refuses != nil && s.refuses(s.free.Sub(now)) {
		s.mu.Unlock()
		return tracking.Result{Answer: answer.Answer{Class: answer.Timeout}}
	}
	s.free = s.free.Add(time.Duration(float64(time.Second) / s.perSecond))
	wait := s.free.Sub(now)
	s.mu.Unlock()
	time.Sleep(wait + s.delay)
	return tracking.Result{}
}

// searched is the search of a server with the visits of the default settings but for env, in virtual time.
func searched(t *testing.T, server *limited, env map[string]string) (found *runsummary.Capacity, why endreason.Reason,
	took time.Duration) {
	t.Helper()
	return searchedBy(t, server, standstill.New, env)
}

// searchedBy is the same with a clock of the test's own.
func searchedBy(t *testing.T, server *limited, clock func(began time.Time) *standstill.Clock,
	env map[string]string) (found *runsummary.Capacity, why endreason.Reason, took time.Duration) {
	t.Helper()
	all := map[string]string{"MATOMO_URL": "http://127.0.0.1/matomo.php", "CAPACITY_SEARCH": "true"}
	for k, v := range env {
		all[k] = v
	}
	p, problems := plan.Load(afero.NewMemMapFs(), all, func(*plan.Plan) (uint64, string) { return 7, "search" })
	if p == nil {
		t.Fatal(problems.Err())
	}
	synctest.Test(t, func(t *testing.T) {
		c := engine.Config{
			Visits: p.Visits, Sender: server, Router: routing.New(p.Targets, p.Strategy, p.Seed), Ledger: ledger.New(1),
			Log:   slog.New(slog.DiscardHandler),
			Timer: wakeup.NewTimer(), Clock: clock(time.Now()), Load: profile.NewConstant(p.Search.From * 86400),
			Concurrency: p.Sending.Concurrency, Batch: 1, Zone: p.Zone,
			Reserve: func(uint64) error {
				return nil
			}, AutoStop: p.Limits.AutoStop,
		}
		e := engine.New(c)
		drain, stop := context.WithCancelCause(t.Context())
		defer stop(nil)
		s := New(p, c, e)
		began := time.Now()
		var searching sync.WaitGroup
		searching.Go(func() {
			if why := s.Run(drain); why != "" {
				stop(why)
			}
		})
		why = e.Run(drain, t.Context())
		stop(nil)
		searching.Wait()
		found, took = s.Result(), time.Since(began)
	})
	return found, why, took
}

func TestACapacitySearchFindsTheLimitOfAServer(t *testing.T) {
	for _, server := range []*limited{{perSecond: 40}, {perSecond: 300},
		{perSecond: 300, delay: 100 * time.Millisecond}, {perSecond: 1100}} {
		perSecond := server.perSecond
		found, why, took := searched(t, server, nil)
		if why != "capacity_found" || !found.Confirmed || math.Abs(found.HitRate/perSecond-1) > .05 {
			t.Errorf("%v hits/s: %s, %.4g visits/s, %.4g hits/s, confirmed %t", perSecond, why, found.VisitRate,
				found.HitRate, found.Confirmed)
		}
		if took > 5*time.Minute {
			t.Errorf("%v hits/s: took %s", perSecond, took)
		}
		if len(found.Limit) == 0 || found.BrokenRate <= found.VisitRate ||
			!strings.Contains(threshold.DescribeMissed(found.Limit), "p95<1s") {
			t.Errorf("%v hits/s: showed at %.4g visits/s as %+v", perSecond, found.BrokenRate, found.Limit)
		}
		if found.Progress != nil || len(found.Thresholds) != 3 {
			t.Errorf("%+v", found)
		}
		for i, s := range found.Steps {
			if s.Held != threshold.AllPassed(s.Verdicts) {
				t.Errorf("%+v", s)
			}
			// Nothing of the backlog of a step is held against the next.
			if i > 0 && !found.Steps[i-1].Held && perSecond >= 300 &&
				s.OfferedVisitRate < found.Steps[i-1].HitRate/found.HitRate*found.VisitRate && !s.Held {
				t.Errorf("%v hits/s: %+v after %+v", perSecond, s, found.Steps[i-1])
			}
		}
	}
}

func TestACapacitySearchThatBeginsHighOvershootsAndComesBack(t *testing.T) {
	// 160 visits a second are three times too many
	found, _, took := searched(t, &limited{perSecond: 300}, map[string]string{"CAPACITY_FROM": "10"})
	if !found.Confirmed || math.Abs(found.HitRate/300-1) > .05 || took > 5*time.Minute {
		t.Errorf("%.4g visits/s, %.4g hits/s, confirmed %t, after %s", found.VisitRate, found.HitRate,
			found.Confirmed, took)
	}
}

func TestACapacitySearchFindsWhereErrorsBegin(t *testing.T) {
	busy := func(waiting time.Duration) bool { return waiting > 50*time.Millisecond }
	found, why, _ := searched(t, &limited{perSecond: 200, refuses: busy},
		map[string]string{"THRESHOLDS": "error_share<5%"})
	// So many may be refused: 200 of 0.95 times the hits.
	if why != "capacity_found" || !found.Confirmed || found.HitRate < 185 || found.HitRate > 201 {
		t.Errorf("%s: %.4g visits/s, %.4g hits/s, confirmed %t", why, found.VisitRate, found.HitRate, found.Confirmed)
	}
	if len(found.Limit) != 1 || found.Limit[0].Metric != "error_share" {
		t.Errorf("%+v", found.Limit)
	}
}

func TestACapacitySearchEndsAtTheEndsOfItsRange(t *testing.T) {
	found, why, _ := searched(t, &limited{perSecond: 1e6}, map[string]string{"CAPACITY_FROM": "5", "CAPACITY_TO": "20"})
	if why != "capacity_not_reached" || !found.Confirmed || found.VisitRate != 20 || found.BrokenRate != 0 {
		t.Errorf("%s: %+v", why, found)
	}
	found, why, _ = searched(t, &limited{perSecond: 20}, map[string]string{"CAPACITY_FROM": "20"})
	if why != "capacity_none" || found.VisitRate != 0 || found.HitRate != 0 || found.BrokenRate != 20 ||
		len(found.Steps) != 1 {
		t.Errorf("%s: %+v", why, found)
	}
	if s := found.Steps[0]; s.Measured >= 10 {
		t.Errorf("a step that had clearly broken went on for %v s", s.Measured)
	}
}

func TestACapacitySearchOfARunThatEndsTellsWhatItHas(t *testing.T) {
	found, why, _ := searched(t, &limited{perSecond: 300}, map[string]string{"AUTO_STOP_AFTER_HOURS": "0.01"})
	if why != "auto_stop" || found.Confirmed || found.VisitRate != 4 || found.HitRate < 20 || found.Progress != nil {
		t.Errorf("%s: %+v", why, found)
	}
	for _, s := range found.Steps {
		if !s.Held {
			t.Errorf("the end of the run is held against the server: %+v", s)
		}
	}
}
