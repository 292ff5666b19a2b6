package ledger_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/puttrix/trafficinator/loadgen/internal/ledger"
	"github.com/puttrix/trafficinator/loadgen/internal/visitor"
	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/hit"
	"github.com/puttrix/trafficinator/shared/outcome"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

// pages are n pageviews.
func pages(n uint64) ledger.Kinds { return ledger.Kinds{hit.Pageview: n} }

func answered(c answer.Class, latency time.Duration) []ledger.Answered {
	return []ledger.Answered{{Kind: hit.Pageview, Class: c, Latency: latency}}
}

// yes is the answer to accepted hits.
var yes = &answer.Answer{Status: 204}

func TestARetriedHitHasOneLatency(t *testing.T) {
	l := ledger.New(1)
	l.Plan(0, pages(1))
	for range 2 {
		l.Send(0, pages(1))
		l.Requeue(0, &answer.Answer{Class: answer.NotNow, Status: 503}, pages(1))
	}
	l.Send(0, pages(1))
	if c := l.Counts().Total(0); c.InFlight != 1 || c.Open() != 1 {
		t.Errorf("before the answer: %+v", c)
	}
	l.Answer(0, yes, answered(answer.Accepted, 2*time.Second))
	c := l.Counts()
	if row := c.Total(0); row.InFlight != 0 || row.Open() != 0 || row.Outcomes[outcome.Accepted] != 1 {
		t.Errorf("after it: %+v", row)
	}
	if n := c.Latency[0].TotalCount(); n != 1 {
		t.Errorf("%d latencies of one hit", n)
	}
}

func TestMoveMovesTheHitsOfAVisit(t *testing.T) {
	l := ledger.New(2)
	l.Plan(0, ledger.Kinds{hit.Pageview: 3, hit.Ping: 1})
	l.Move(0, 1, ledger.Kinds{hit.Pageview: 3, hit.Ping: 1})
	c := l.Counts()
	if c.Total(0).Planned != 0 || c.Total(1).Planned != 4 || c.Kind(hit.Ping).Planned != 1 {
		t.Errorf("%+v", c.Rows)
	}
	if c.Targets[0].Planned != 0 || c.Targets[1].Planned != 1 || c.Planned != 1 {
		t.Errorf("%+v", c.Targets)
	}
}

func TestLatenciesOfAllTargetsAreMerged(t *testing.T) {
	l := ledger.New(2)
	for i := range 100 {
		l.Plan(i%2, pages(1))
		l.Send(i%2, pages(1))
		l.Answer(i%2, yes, answered(answer.Accepted, time.Duration(1+i%2*9)*time.Millisecond)) // 1 ms and 10 ms
	}
	var s runsummary.Summary
	l.Counts().Fill(&s, []string{"fast", "slow"}, make([]runsummary.Target, 2), time.UTC)
	near := func(got, want float64) bool { return got > .99*want && got < 1.01*want }
	if fast, slow := s.Targets["fast"].Latency, s.Targets["slow"].Latency; !near(fast.P99, .001) ||
		!near(slow.P50, .010) {
		t.Errorf("by target: %+v, %+v", fast, slow)
	}
	if !near(s.Latency.P50, .001) || !near(s.Latency.P95, .010) {
		t.Errorf("merged: %+v", s.Latency)
	}
}

func TestTheSummaryKeepsAllLatencies(t *testing.T) {
	l := ledger.New(1)
	for ms := range 100 {
		l.Plan(0, pages(1))
		l.Send(0, pages(1))
		l.Answer(0, yes, answered(answer.Accepted, time.Duration(ms+1)*time.Millisecond))
	}
	var s runsummary.Summary
	l.Counts().Fill(&s, []string{"a"}, make([]runsummary.Target, 1), time.UTC)
	h, err := hdrhistogram.Decode([]byte(s.Targets["a"].Histogram))
	if err != nil {
		t.Fatal(err)
	}
	if got := runsummary.Percentiles(h); h.TotalCount() != 100 || got != s.Latency {
		t.Errorf("%d latencies, %+v; want 100, %+v", h.TotalCount(), got, s.Latency)
	}
}

func TestTheSummaryHasReceiptsOnlyOfBulkRequests(t *testing.T) {
	l := ledger.New(1)
	encoded := func() string {
		var s runsummary.Summary
		l.Counts().Fill(&s, []string{"a"}, make([]runsummary.Target, 1), time.UTC)
		data, err := s.Encode()
		if err != nil || !json.Valid(data) {
			t.Fatal(err)
		}
		return string(data)
	}
	if strings.Contains(encoded(), `"bulk"`) {
		t.Error("receipts without bulk requests")
	}
	l.Answer(0, &answer.Answer{Receipt: answer.Receipt{Tracked: 98, Invalid: 2}}, make([]ledger.Answered, 100))
	l.Answer(0, &answer.Answer{Receipt: answer.Receipt{Tracked: 50}}, make([]ledger.Answered, 50))
	for _, want := range []string{`"requests": 2`, `"hits": 150`, `"tracked": 148`, `"invalid": 2`} {
		if !strings.Contains(encoded(), want) {
			t.Errorf("the summary lacks %s", want)
		}
	}
}

func TestAKilledRunCountsVisitsThatMayHaveStarted(t *testing.T) {
	l := ledger.New(1)
	for range 10 {
		l.Plan(0, pages(2))
	}
	for range 4 {
		l.Send(0, pages(2))
		l.Answer(0, yes, append(answered(answer.Accepted, 1), answered(answer.Accepted, 1)...))
		l.CloseVisit(0, ledger.Complete)
	}
	l.Send(0, pages(1))
	s := runsummary.Summary{FirstVisit: 100, NextVisit: 115}
	l.Counts().Fill(&s, []string{"a"}, make([]runsummary.Target, 1), time.UTC)
	s.CloseKilled(time.Unix(1, 0))
	if v := s.Visits; v.Planned != 15 || v.Complete != 4 || v.Uncertain != 11 {
		t.Errorf("visits %+v: six were open, five may have started", v)
	}
	if h := s.Hits; h.Accepted != 8 || h.Unknown != 12 || h.Abandoned != 0 {
		t.Errorf("hits %+v", h)
	}
	if s.Reason != "killed" || !strings.Contains(s.Message, "up to 5 visits") {
		t.Errorf("%s: %s", s.Reason, s.Message)
	}
}

// BenchmarkAnswer measures Send and Answer of one hit.
func BenchmarkAnswer(b *testing.B) {
	l := ledger.New(1)
	one := answered(answer.Accepted, 3*time.Millisecond)
	b.ReportAllocs()
	for b.Loop() {
		l.Send(0, pages(1))
		l.Answer(0, yes, one)
	}
}

func TestTheSummaryBreaksVisitsDownByTarget(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	l := ledger.New(2)
	midnight := time.Date(2026, 3, 29, 0, 0, 0, 0, zone).Unix()
	who := visitor.Visitor{Place: &visitor.Places()[0], Device: &visitor.Devices()[0],
		Source: visitor.Source{Type: visitor.Social}}
	for target := range 2 {
		l.Plan(target, ledger.Kinds{hit.Order: 1})
		l.Send(target, ledger.Kinds{hit.Order: 1})
		l.Answer(target, yes, []ledger.Answered{{Kind: hit.Order,
			Sales: ledger.Sales{Revenue: 1210, Tax: 110, Shipping: 100, Items: 3}}})
		l.OpenVisit(target, ledger.Dimensions{Day: midnight, Visitor: who})
		l.CloseVisit(target, ledger.Complete)
	}
	// its source was in a hit that was not accepted
	l.OpenVisit(0, ledger.Dimensions{Day: midnight, Visitor: who, SourceLost: true})
	var s runsummary.Summary
	l.Counts().Fill(&s, []string{"a", "b"}, make([]runsummary.Target, 2), zone)
	a := s.Targets["a"]
	if a.Revenue != 12.1 || a.Tax != 1.1 || a.Shipping != 1 || a.Items != 3 || a.Visits.Complete != 1 ||
		a.ByKind["order"].Accepted != 1 {
		t.Errorf("target a: %+v", a)
	}
	if o := a.Opened; o.Days["2026-03-29"] != 2 || o.Sources["social"] != 1 || o.Sources[""] != 1 ||
		o.Countries[who.Place.Country] != 2 || o.Devices[who.Device.Type] != 2 {
		t.Errorf("target a opened %+v", o)
	}
	if s.Revenue != 24.2 || s.Items != 6 || s.Opened.Days["2026-03-29"] != 3 || s.Visits.Complete != 2 {
		t.Errorf("both: %+v", s.Totals)
	}
}

func TestSinceReturnsTheDifference(t *testing.T) {
	l := ledger.New(2)
	record := func(target int, c answer.Class, latency time.Duration, f ledger.VisitOutcome) {
		l.Plan(target, pages(1))
		l.Send(target, pages(1))
		l.Answer(target, &answer.Answer{Class: c}, answered(c, latency))
		l.CloseVisit(target, f)
	}
	for range 99 {
		record(0, answer.Accepted, time.Second, ledger.Complete)
	}
	l.SetDue(100)
	before := l.Counts()
	record(0, answer.Accepted, 10*time.Millisecond, ledger.Complete)
	record(1, answer.Timeout, 20*time.Millisecond, ledger.Uncertain)
	l.SetDue(103)
	d := l.Counts().Since(before)
	if h := d.Total(-1).Summary(); h.Planned != 2 || h.Accepted != 1 || h.Unknown != 1 ||
		d.Total(0).Summary().Accepted != 1 {
		t.Errorf("%+v", h)
	}
	if d.Due != 3 || d.Planned != 2 || d.Visits[ledger.Complete] != 1 || d.Visits[ledger.Uncertain] != 1 {
		t.Errorf("%+v", d.VisitTotals)
	}
	if p := runsummary.Percentiles(d.TotalLatency()); p.P50 > .011 || p.P99 > .021 || p.P99 < .019 {
		t.Errorf("%+v: a second is the latency of earlier hits", p)
	}
	if n := before.Latency[0].TotalCount(); n != 99 {
		t.Errorf("the copy before has changed: %d latencies", n)
	}
	l.SetDue(98) // what was overdue is not due where arrivals pause
	if d := l.Counts().Since(before); d.Due != 0 {
		t.Errorf("%d visits were due", d.Due)
	}
}
