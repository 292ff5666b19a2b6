package routing_test

import (
	"math"
	"testing"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/routing"
	"github.com/puttrix/trafficinator/loadgen/internal/tracking"
	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/target"
)

var start = time.Unix(1_700_000_000, 0)

func three() []target.Target {
	return []target.Target{{Name: "a", Weight: 1}, {Name: "b", Weight: 2}, {Name: "c", Weight: 7}}
}

// reply sends a hit to target t and answers it.
func reply(r *routing.Router, t int, c answer.Class, now time.Time) {
	r.Begin(t, now)
	r.End(t, classified(c), 1, now, time.Time{})
}

// classified returns an answer of a class.
func classified(c answer.Class) tracking.Result {
	return tracking.Result{Answer: answer.Answer{Class: c, Excerpt: c.String()}}
}

func TestStrategiesDistributeVisits(t *testing.T) {
	const n = 30_000
	for strategy, want := range map[target.Strategy][]float64{
		target.RoundRobin: {1. / 3, 1. / 3, 1. / 3}, target.Random: {1. / 3, 1. / 3, 1. / 3},
		target.Weighted: {.1, .2, .7},
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

func TestAnswersFromBeforeTheOutageDoNotDelayTheProbe(t *testing.T) {
	r := routing.New(three()[:1], target.RoundRobin, 1)
	reply(r, 0, answer.Accepted, start)
	for range 50 {
		r.Begin(0, start)
	}
	for i := range 50 { // the breaker opens at the 20th; the others come in the 30 s after
		r.End(0, classified(answer.Timeout), 1, start.Add(time.Duration(max(0, i-19))*time.Second), time.Time{})
	}
	if r.Admission(0, start.Add(30*time.Second)) != routing.AdmitOne {
		t.Error("no probe may go")
	}
}

func TestAnUnprovenTargetTakesNoOtherHitBeforeARetry(t *testing.T) {
	r := routing.New(three()[:1], target.RoundRobin, 1)
	r.Begin(0, start)
	r.End(0, classified(answer.NotNow), 1, start, start.Add(time.Second))
	if r.Admission(0, start.Add(999*time.Millisecond)) != routing.Wait {
		t.Error("another hit may go before the retry")
	}
	if r.Admission(0, start.Add(time.Second)) != routing.AdmitOne {
		t.Error("the retry may not go")
	}
}

func TestAnUnprovenTargetGetsOneHitAtATime(t *testing.T) {
	r := routing.New(three()[:1], target.RoundRobin, 1)
	if proven := r.Begin(0, start); proven || r.Admission(0, start) != routing.Wait {
		t.Error("a second hit may go before the first is answered")
	}
	r.End(0, classified(answer.Accepted), 1, start, time.Time{})
	if proven := r.Begin(0, start); !proven || r.Admission(0, start) != routing.Admit {
		t.Error("a proven target gets no hits")
	}
}

func TestFiveFailedHitsOpenTheBreakerAndAProbePerMinuteClosesIt(t *testing.T) {
	r := routing.New(three()[:2], target.RoundRobin, 1)
	for i := range 5 {
		if r.Admission(0, start) != routing.AdmitOne {
			t.Fatalf("refused after %d", i)
		}
		reply(r, 0, answer.Rejected, start)
	}
	if r.Admission(0, start.Add(59*time.Second)) != routing.Deny {
		t.Error("the target is probed again within the minute")
	}
	if got := r.Pick(0, start); got != 1 {
		t.Errorf("a visit goes to %d though that target failed", got)
	}
	if _, all := r.AllFailed(); all {
		t.Error("hopeless, though the other target was not tried")
	}
	later := start.Add(time.Minute)
	if r.Admission(0, later) != routing.AdmitOne {
		t.Error("no probe after a minute")
	}
	reply(r, 0, answer.NotNow, later)
	if r.Admission(0, later.Add(59*time.Second)) != routing.Deny {
		t.Error("the next probe comes too early")
	}
	later = later.Add(time.Minute)
	reply(r, 0, answer.Accepted, later)
	if r.Admission(0, later) != routing.Admit || r.Status(0, later).Failed {
		t.Error("an accepted probe does not close the breaker")
	}
}

func TestAllTargetsFailedFromTheStartIsReported(t *testing.T) {
	r := routing.New(three()[:2], target.RoundRobin, 1)
	for i := range 2 {
		for range 5 {
			reply(r, i, answer.Rejected, start)
		}
	}
	if why, all := r.AllFailed(); !all || why != "a: rejected" {
		t.Errorf("hopeless %t: %q", all, why)
	}
}

func TestATargetThatWorkedIsProbedSoon(t *testing.T) {
	r := routing.New(three()[:1], target.RoundRobin, 1)
	reply(r, 0, answer.Accepted, start)
	for range 20 {
		reply(r, 0, answer.Timeout, start)
	}
	now := start
	for _, wait := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60} {
		wait *= time.Second
		if r.Admission(0, now.Add(wait-time.Millisecond)) != routing.Deny ||
			r.Admission(0, now.Add(wait)) != routing.AdmitOne {
			t.Fatalf("the probe does not come after %v", wait)
		}
		now = now.Add(wait)
		reply(r, 0, answer.Timeout, now)
	}
	if _, all := r.AllFailed(); all {
		t.Error("a target that worked is given up")
	}
}

func TestRejectionsOpenTheBreakerBeforeMatomoLocksUsOut(t *testing.T) {
	r := routing.New(three()[:1], target.RoundRobin, 1)
	reply(r, 0, answer.Accepted, start)
	for range 5 {
		reply(r, 0, answer.Rejected, start)
	}
	if r.Admission(0, start.Add(59*time.Second)) != routing.Deny ||
		r.Admission(0, start.Add(time.Minute)) != routing.AdmitOne {
		t.Error("it is not probed once a minute")
	}
}

func TestRejectionsForOtherReasonsThanTheTokenHaveTheUsualLimit(t *testing.T) {
	for class, patience := range map[answer.Class]int{answer.Rejected: 5, answer.Token: 5, answer.InFront: 20,
		answer.NotNow: 20, answer.Unreadable: 20, answer.TooLarge: 20} {
		r := routing.New(three()[:1], target.RoundRobin, 1)
		reply(r, 0, answer.Accepted, start)
		n := 0
		for ; r.Admission(0, start) == routing.Admit; n++ {
			reply(r, 0, class, start)
		}
		if n != patience {
			t.Errorf("%s: the target failed after %d, want %d", class, n, patience)
		}
	}
}

func TestAFailedTargetIsNotProbedBeforeItsRetryAfter(t *testing.T) {
	r := routing.New(three()[:1], target.RoundRobin, 1)
	reply(r, 0, answer.Accepted, start)
	for range 20 {
		r.Begin(0, start)
		r.End(0, tracking.Result{Answer: answer.Answer{Class: answer.NotNow, RetryAfter: 20 * time.Second}}, 1, start,
			time.Time{})
	}
	if r.Admission(0, start.Add(19*time.Second)) != routing.Deny ||
		r.Admission(0, start.Add(20*time.Second)) != routing.AdmitOne {
		t.Error("it is probed at another time than it requested")
	}
}

func TestVisitsAvoidASuspectTarget(t *testing.T) {
	r := routing.New(three()[:2], target.RoundRobin, 1)
	reply(r, 1, answer.Accepted, start)
	if got := r.Pick(0, start); got != 0 {
		t.Errorf("the first visit goes to %d, though nothing speaks against 0", got)
	}
	reply(r, 0, answer.NotNow, start)
	if got := r.Pick(0, start); got != 1 {
		t.Errorf("a visit goes to %d, which has just failed", got)
	}
}

func TestHealthIsThatOfTheLastMinute(t *testing.T) {
	r := routing.New(three()[:1], target.RoundRobin, 1)
	health := func(now time.Time) routing.Health { return r.Status(0, now).Health }
	if health(start) != routing.Unknown {
		t.Error("a health without an answer")
	}
	mix := func(now time.Time, good, bad int) {
		for range bad {
			reply(r, 0, answer.Rejected, now)
			reply(r, 0, answer.Accepted, now) // keeps the breaker closed
		}
		for range good - bad {
			reply(r, 0, answer.Accepted, now)
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
	if got := health(start); got != routing.Failed {
		t.Errorf("at 70 %%: %s", got)
	}
	reply(r, 0, answer.Accepted, start.Add(2*time.Minute))
	if got := health(start.Add(2 * time.Minute)); got != routing.Healthy {
		t.Errorf("a minute later: %s", got)
	}
}

func TestAStatusHasTheLastSuccessAndTheLastFailure(t *testing.T) {
	r := routing.New(three()[:1], target.RoundRobin, 1)
	if st := r.Status(0, start); !st.LastSuccess.IsZero() || !st.LastFailure.IsZero() {
		t.Errorf("before the first answer: %+v", st)
	}
	reply(r, 0, answer.Rejected, start)
	reply(r, 0, answer.Accepted, start.Add(time.Second))
	reply(r, 0, answer.Accepted, start.Add(2*time.Second))
	if st := r.Status(0, start.Add(time.Minute)); !st.LastSuccess.Equal(start.Add(2*time.Second)) ||
		!st.LastFailure.Equal(start) || st.LastError != "rejected" {
		t.Errorf("%+v", st)
	}
}

func TestTheClockLagOfATargetIsMeasured(t *testing.T) {
	r := routing.New(three()[:1], target.RoundRobin, 1)
	r.ObserveClock(0, start.Add(-90*time.Second), start)
	if got := r.ClockLag(0); got != 90*time.Second {
		t.Errorf("behind by %v", got)
	}
	r.ObserveClock(0, start.Add(time.Hour), start)
	if got := r.ClockLag(0); got != 0 {
		t.Errorf("behind by %v, though ahead", got)
	}
}
