package search

import (
	"math"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/console"
	"github.com/puttrix/trafficinator/loadgen/internal/standstill"
	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

// split are the steps that say nothing, and counts those that do.
func split(steps []runsummary.CapacityStep) (void, counts []runsummary.CapacityStep) {
	for _, s := range steps {
		if s.Void != "" {
			void = append(void, s)
		} else {
			counts = append(counts, s)
		}
	}
	return void, counts
}

var forbidden = answer.Answer{Class: answer.InFront, Status: 403, Server: "nginx",
	Excerpt: "Access denied by policy"}

func TestARefusalInFrontOfMatomoIsNotItsLimit(t *testing.T) {
	n := 0
	found, why, _ := searched(t, &limited{perSecond: 300, front: func(time.Time) answer.Answer {
		if n++; n%3 == 0 {
			return forbidden
		}
		return answer.Answer{}
	}}, nil)
	if why != "capacity_void" || found.Confirmed || found.BrokenRate != 0 || found.VisitRate != 0 {
		t.Errorf("%s: %+v", why, found)
	}
	void, counts := split(found.Steps)
	if len(void) != maxVoid || len(counts) != 0 {
		t.Errorf("%d steps are void, %d count", len(void), len(counts))
	}
	for _, want := range []string{"in_front", "403", "Access denied by policy"} {
		if !strings.Contains(found.Void, want) || !strings.Contains(console.Finding(found), want) {
			t.Errorf("the answer does not name %q: %s", want, console.Finding(found))
		}
	}
}

func TestARefusalThatPassesIsMeasuredAgain(t *testing.T) {
	var began time.Time
	found, why, _ := searched(t, &limited{perSecond: 300, front: func(now time.Time) answer.Answer {
		if began.IsZero() {
			began = now
		}
		if at := now.Sub(began); at > 15*time.Second && at < 25*time.Second { // all of it: the breaker opens
			return forbidden
		}
		return answer.Answer{}
	}}, nil)
	if why != "capacity_found" || !found.Confirmed || math.Abs(found.HitRate/300-1) > .05 {
		t.Errorf("%s: %.4g hits/s, confirmed %t", why, found.HitRate, found.Confirmed)
	}
	void, counts := split(found.Steps)
	if len(void) == 0 {
		t.Error("no step is void")
	}
	for _, s := range counts {
		if !s.Held && s.OfferedVisitRate < found.VisitRate {
			t.Errorf("the refusal is held against the server: %+v", s)
		}
	}
}

func TestAStepThatHoldsAStandstillIsMeasuredAgain(t *testing.T) {
	var skipped atomic.Int64
	var first time.Time
	stoodStill := false
	server := &limited{perSecond: 300, hit: func(now time.Time) {
		if first.IsZero() {
			first = now
		}
		if !stoodStill && now.Sub(first) > 15*time.Second {
			stoodStill = true
			skipped.Add(int64(12 * time.Second))
		}
	}}
	found, why, _ := searchedBy(t, server, func(began time.Time) *standstill.Clock {
		return standstill.NewAt(func() time.Duration { return time.Since(began) + time.Duration(skipped.Load()) })
	}, nil)
	if why != "capacity_found" || !found.Confirmed || math.Abs(found.HitRate/300-1) > .05 {
		t.Errorf("%s: %.4g hits/s, confirmed %t", why, found.HitRate, found.Confirmed)
	}
	void, _ := split(found.Steps)
	if len(void) != 1 || void[0].Held || !strings.Contains(void[0].Void, "suspended") {
		t.Fatalf("void: %+v", void)
	}
	for i, s := range found.Steps {
		if s.Void != "" && found.Steps[i+1].OfferedVisitRate != s.OfferedVisitRate {
			t.Errorf("after a void step at %v comes one at %v", s.OfferedVisitRate, found.Steps[i+1].OfferedVisitRate)
		}
	}
}

func TestAServerThatBreaksBesideRefusalsHasBroken(t *testing.T) {
	n := 0
	found, why, _ := searched(t, &limited{perSecond: 40, front: func(time.Time) answer.Answer {
		if n++; n%200 == 0 { // few enough to hold by
			return forbidden
		}
		return answer.Answer{}
	}}, nil)
	if why != "capacity_found" || math.Abs(found.HitRate/40-1) > .1 {
		t.Errorf("%s: %.4g hits/s, %+v", why, found.HitRate, found.Void)
	}
}
