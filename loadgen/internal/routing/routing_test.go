package routing_test

import (
	"math"
	"testing"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/routing"
	"github.com/puttrix/trafficinator/loadgen/internal/tracking"
	"github.com/puttrix/trafficinator/shared/target"
)

var start = time.Unix(1_700_000_000, 0)

func three() []target.Target {
	return []target.Target{{Name: "a", Weight: 1}, {Name: "b", Weight: 2}, {Name: "c", Weight: 7}}
}

// answer sends a hit to target t and answers it.
func answer(r *routing.Router, t int, o tracking.Outcome, now time.Time) {
	r.Begin(t, now)
	r.End(t, tracking.Result{Outcome: o, Reason: o.String()}, now, time.Time{})
}

func TestStrategiesDealOutVisits(t *testing.T) {
	const n = 30_000
	for strategy, want := range map[target.Strategy][]float64{
		target.RoundRobin: {1. / 3, 1. / 3, 1. / 3}, target.Random: {1. / 3, 1. / 3, 1. / 3}, target.Weighted: {.1, .2, .7},
	} {
		r, again := routing.New(three(), strategy, 7), routing.New(three(), strategy, 7)
		got := make([]int, 3)
		for i := range uint64(n) {
			pick := r.Pick(i, start)
			if pick != again.Pick(i, start) {
				t.Fatalf("%s: visit %d goes elsewhere the second time", strategy, i)
			}
			got[pick]++
		}
		for i, p := range want {
			if se := math.Sqrt(p * (1 - p) / n); math.Abs(float64(got[i])/n-p) > 4*se {
				t.Errorf("%s: target %d gets %d of %d, want %.2f", strategy, i, got[i], n, p)
			}
		}
	}
}

func TestAnswersFromBeforeTheOutageDoNotPutOffTheProbe(t *testing.T) {
	r := routing.New(three()[:1], target.RoundRobin, 1)
	answer(r, 0, tracking.Accepted, start)
	for range 50 {
		r.Begin(0, start)
	}
	for i := range 50 { // the breaker opens at the 20th; the others come in the 30 s after
		r.End(0, tracking.Result{Outcome: tracking.Unknown}, start.Add(time.Duration(max(0, i-19))*time.Second), time.Time{})
	}
	if r.Verdict(0, start.Add(30*time.Second)) != routing.Go {
		t.Error("no probe may go")
	}
}

func TestAnUnprovenTargetTakesNoOtherHitBeforeARetry(t *testing.T) {
	r := routing.New(three()[:1], target.RoundRobin, 1)
	r.Begin(0, start)
	r.End(0, tracking.Result{Outcome: tracking.Failed, Retry: true}, start, start.Add(time.Second))
	if r.Verdict(0, start.Add(999*time.Millisecond)) != routing.Wait {
		t.Error("another hit may go before the retry")
	}
	if r.Verdict(0, start.Add(time.Second)) != routing.Go {
		t.Error("the retry may not go")
	}
}

func TestAnUnprovenTargetGetsOneHitAtATime(t *testing.T) {
	r := routing.New(three()[:1], target.RoundRobin, 1)
	if proven := r.Begin(0, start); proven || r.Verdict(0, start) != routing.Wait {
		t.Error("a second hit may go before the first is answered")
	}
	r.End(0, tracking.Result{Outcome: tracking.Accepted}, start, time.Time{})
	if proven := r.Begin(0, start); !proven || r.Verdict(0, start) != routing.Go {
		t.Error("a proven target is held back")
	}
}

func TestFiveHitsWithoutSuccessFailATargetAndAProbeAMinuteMendsIt(t *testing.T) {
	r := routing.New(three()[:2], target.RoundRobin, 1)
	for i := range 5 {
		if r.Verdict(0, start) != routing.Go {
			t.Fatalf("refused after %d", i)
		}
		answer(r, 0, tracking.Rejected, start)
	}
	if r.Verdict(0, start.Add(59*time.Second)) != routing.Refuse {
		t.Error("the target is asked again within the minute")
	}
	if got := r.Pick(0, start); got != 1 {
		t.Errorf("a visit goes to %d though that target failed", got)
	}
	if _, all := r.Hopeless(); all {
		t.Error("hopeless, though the other target was not tried")
	}
	later := start.Add(time.Minute)
	if r.Verdict(0, later) != routing.Go {
		t.Error("no probe after a minute")
	}
	answer(r, 0, tracking.Failed, later)
	if r.Verdict(0, later.Add(59*time.Second)) != routing.Refuse {
		t.Error("the next probe comes too early")
	}
	later = later.Add(time.Minute)
	answer(r, 0, tracking.Accepted, later)
	if r.Verdict(0, later) != routing.Go || r.Status(0, later).Failed {
		t.Error("an accepted probe does not mend the target")
	}
}

func TestAllTargetsFailedFromTheStartIsHopeless(t *testing.T) {
	r := routing.New(three()[:2], target.RoundRobin, 1)
	for i := range 2 {
		for range 5 {
			answer(r, i, tracking.Rejected, start)
		}
	}
	if why, all := r.Hopeless(); !all || why != "a: rejected" {
		t.Errorf("hopeless %t: %q", all, why)
	}
}

func TestATargetThatWorkedIsProbedSoon(t *testing.T) {
	r := routing.New(three()[:1], target.RoundRobin, 1)
	answer(r, 0, tracking.Accepted, start)
	for range 20 {
		answer(r, 0, tracking.Unknown, start)
	}
	now := start
	for _, wait := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60} {
		wait *= time.Second
		if r.Verdict(0, now.Add(wait-time.Millisecond)) != routing.Refuse || r.Verdict(0, now.Add(wait)) != routing.Go {
			t.Fatalf("the probe does not come after %v", wait)
		}
		now = now.Add(wait)
		answer(r, 0, tracking.Unknown, now)
	}
	if _, all := r.Hopeless(); all {
		t.Error("a target that worked is given up")
	}
}

func TestRejectionsFailATargetThatWorkedBeforeMatomoLocksUsOut(t *testing.T) {
	r := routing.New(three()[:1], target.RoundRobin, 1)
	answer(r, 0, tracking.Accepted, start)
	for range 5 {
		answer(r, 0, tracking.Rejected, start)
	}
	if r.Verdict(0, start.Add(59*time.Second)) != routing.Refuse || r.Verdict(0, start.Add(time.Minute)) != routing.Go {
		t.Error("it is not probed once a minute")
	}
}

func TestVisitsKeepAwayFromATargetInDoubt(t *testing.T) {
	r := routing.New(three()[:2], target.RoundRobin, 1)
	answer(r, 1, tracking.Accepted, start)
	if got := r.Pick(0, start); got != 0 {
		t.Errorf("the first visit goes to %d, though nothing speaks against 0", got)
	}
	answer(r, 0, tracking.Failed, start)
	if got := r.Pick(0, start); got != 1 {
		t.Errorf("a visit goes to %d, which has just failed", got)
	}
}

func TestHealthIsJudgedOverTheLastMinute(t *testing.T) {
	r := routing.New(three()[:1], target.RoundRobin, 1)
	health := func(now time.Time) routing.Health { return r.Status(0, now).Health }
	if health(start) != routing.UnknownHealth {
		t.Error("a health without an answer")
	}
	mix := func(now time.Time, good, bad int) {
		for range bad {
			answer(r, 0, tracking.Rejected, now)
			answer(r, 0, tracking.Accepted, now) // keeps the breaker closed
		}
		for range good - bad {
			answer(r, 0, tracking.Accepted, now)
		}
	}
	mix(start, 95, 5)
	if got := health(start); got != routing.Healthy {
		t.Errorf("at 95 %%: %s", got)
	}
	mix(start, 50, 30)
	if got := health(start); got != routing.Degraded {
		t.Errorf("at 80 %%: %s", got)
	}
	mix(start, 50, 50)
	if got := health(start); got != routing.FailedHealth {
		t.Errorf("at 70 %%: %s", got)
	}
	answer(r, 0, tracking.Accepted, start.Add(2*time.Minute))
	if got := health(start.Add(2 * time.Minute)); got != routing.Healthy {
		t.Errorf("a minute later: %s", got)
	}
}

func TestAStatusTellsOfTheLastSuccessAndTheLastFailure(t *testing.T) {
	r := routing.New(three()[:1], target.RoundRobin, 1)
	if st := r.Status(0, start); !st.LastSuccess.IsZero() || !st.LastFailure.IsZero() {
		t.Errorf("before the first answer: %+v", st)
	}
	answer(r, 0, tracking.Rejected, start)
	answer(r, 0, tracking.Accepted, start.Add(time.Second))
	answer(r, 0, tracking.Accepted, start.Add(2*time.Second))
	if st := r.Status(0, start.Add(time.Minute)); !st.LastSuccess.Equal(start.Add(2*time.Second)) || !st.LastFailure.Equal(start) || st.LastError != "rejected" {
		t.Errorf("%+v", st)
	}
}

func TestAClockThatIsBehindIsKnown(t *testing.T) {
	r := routing.New(three()[:1], target.RoundRobin, 1)
	r.Observe(0, start.Add(-90*time.Second), start)
	if got := r.Behind(0); got != 90*time.Second {
		t.Errorf("behind by %v", got)
	}
	r.Observe(0, start.Add(time.Hour), start)
	if got := r.Behind(0); got != 0 {
		t.Errorf("behind by %v, though ahead", got)
	}
}
