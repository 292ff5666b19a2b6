package series_test

import (
	"testing"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/ledger"
	"github.com/puttrix/trafficinator/loadgen/internal/series"
	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/hit"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// hitOnce plans a visit of one hit and books its answer.
func hitOnce(l *ledger.Ledger, target int, c answer.Class, latency time.Duration) {
	one := ledger.Kinds{hit.Pageview: 1}
	l.Plan(target, one)
	l.Send(target, one)
	l.Answer(target, &answer.Answer{Class: c}, []ledger.Answered{{Kind: hit.Pageview, Class: c, Latency: latency}})
}

func TestEachSecondHasWhatHappenedInIt(t *testing.T) {
	l := ledger.New(2)
	s := series.New(start, l.Counts())
	hitOnce(l, 0, answer.Accepted, 10*time.Millisecond)
	hitOnce(l, 1, answer.Rejected, 30*time.Millisecond)
	s.Add(start.Add(time.Second), l.Counts)
	s.Add(start.Add(2*time.Second), l.Counts)
	hitOnce(l, 1, answer.Timeout, time.Second)
	s.Add(start.Add(2500*time.Millisecond), l.Counts)

	p := s.Points()
	if len(p) != 3 {
		t.Fatalf("%d points", len(p))
	}
	near := func(got, want float64) bool { return got > .99*want && got < 1.01*want }
	if p[0].Visits != 2 || p[0].Hits != (runsummary.Hits{Planned: 2, Accepted: 1, Rejected: 1}) ||
		!near(p[0].Latency.P50, .01) || !near(p[0].Latency.P99, .03) {
		t.Errorf("first second: %+v", p[0])
	}
	if p[1].Visits != 0 || p[1].Hits != (runsummary.Hits{}) || p[1].Latency != (runsummary.Latency{}) {
		t.Errorf("a second without anything: %+v", p[1])
	}
	if !p[2].At.Equal(start.Add(2*time.Second)) || p[2].Length != 500*time.Millisecond || p[2].Hits.Unknown != 1 ||
		!near(p[2].Latency.P50, 1) {
		t.Errorf("the last half second: %+v", p[2])
	}
}

func TestSecondsOlderThanTwoHoursBecomeMinutes(t *testing.T) {
	l := ledger.New(1)
	s := series.New(start, l.Counts())
	const ticks, every = 3*60*3 + 2, 20 * time.Second // seconds stand for themselves; fewer points take less time
	for n := range ticks {
		hitOnce(l, 0, answer.Accepted, 5*time.Millisecond)
		s.Add(start.Add(time.Duration(n+1)*every), l.Counts)
	}
	points := s.Points()
	if want := 60 + 120*3 + 2; len(points) != want {
		t.Errorf("%d points, want an hour of minutes and two hours and 40 seconds of seconds: %d",
			len(points), want)
	}
	at, visits := start, uint64(0)
	for _, p := range points {
		if !p.At.Equal(at) {
			t.Fatalf("a point starts at %s, the one before ends at %s", p.At, at)
		}
		if p.Visits != uint64(p.Length/every) {
			t.Errorf("%d visits in %s", p.Visits, p.Length)
		}
		at = at.Add(p.Length)
		visits += p.Visits
	}
	if visits != ticks {
		t.Errorf("%d visits in all points, the ledger has %d", visits, ticks)
	}
}
