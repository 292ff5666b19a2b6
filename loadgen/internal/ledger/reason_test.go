package ledger_test

import (
	"slices"
	"testing"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/ledger"
	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/hit"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

// reasonsOf fills a summary of targets a and b.
func reasonsOf(l *ledger.Ledger) (s runsummary.Summary) {
	l.Counts().Fill(&s, []string{"a", "b"}, make([]runsummary.Target, 2), time.UTC)
	return s
}

func TestReasonsAreByTargetClassAndStatus(t *testing.T) {
	l := ledger.New(2)
	record := func(target int, a answer.Answer) {
		l.Plan(target, pages(1))
		l.Send(target, pages(1))
		l.Answer(target, &a, []ledger.Answered{{Kind: hit.Pageview, Class: a.HitClass(0, 1)}})
	}
	record(0, answer.Answer{Status: 204})
	for range 2 {
		record(0, answer.Answer{Class: answer.InFront, Status: 403, Server: "gate", Excerpt: "Blocked"})
	}
	record(0, answer.Answer{Class: answer.InFront, Status: 403, Excerpt: "not the first"})
	record(0, answer.Answer{Class: answer.InFront, Status: 404})
	record(1, answer.Answer{Class: answer.InFront, Status: 403})
	l.Plan(1, pages(7))
	l.End(1, &answer.Answer{Class: answer.Late}, pages(4))
	l.End(1, &answer.Answer{Class: answer.Stopped}, pages(1))
	l.Miss(1, 0, pages(2), false)

	want := []runsummary.Reason{
		{Target: "b", Class: "late", Hits: 4},
		{Target: "a", Class: "in_front", Status: 403, Hits: 3, Server: "gate", Excerpt: "Blocked"},
		{Target: "b", Class: "standstill", Hits: 2},
		{Target: "a", Class: "in_front", Status: 404, Hits: 1},
		{Target: "b", Class: "in_front", Status: 403, Hits: 1},
		{Target: "b", Class: "stopped", Hits: 1},
	}
	if s := reasonsOf(l); !slices.Equal(s.Reasons, want) || len(s.Warnings) > 0 {
		t.Errorf("reasons %+v\nwant %+v\nwarnings %+v", s.Reasons, want, s.Warnings)
	}
}

func TestAcceptedHitsWithAMalformedAnswerAreWarnings(t *testing.T) {
	l := ledger.New(2)
	l.Plan(0, pages(3))
	l.Send(0, pages(3))
	a := answer.Answer{Class: answer.NoReceipt, Status: 200, Malformed: true}
	l.Answer(0, &a, slices.Repeat([]ledger.Answered{{Kind: hit.Pageview, Class: answer.NoReceipt}}, 3))
	want := []runsummary.Reason{{Target: "a", Class: "accepted_no_receipt", Status: 200, Hits: 3}}
	if s := reasonsOf(l); !slices.Equal(s.Warnings, want) || len(s.Reasons) > 0 || s.Hits.Accepted != 3 {
		t.Errorf("warnings %+v, reasons %+v, %+v", s.Warnings, s.Reasons, s.Hits)
	}
}

func TestTheExcerptOfARetriedHitIsKept(t *testing.T) {
	l := ledger.New(2)
	l.Plan(0, pages(1))
	l.Send(0, pages(1))
	l.Requeue(0, &answer.Answer{Class: answer.NotNow, Status: 503, Excerpt: "come back later"}, pages(1))
	if s := reasonsOf(l); len(s.Reasons) > 0 {
		t.Errorf("no hit has ended, but %+v", s.Reasons)
	}
	l.End(0, &answer.Answer{Class: answer.NotNow, Status: 503}, pages(1)) // shed before it could be retried
	want := []runsummary.Reason{{Target: "a", Class: "not_now", Status: 503, Hits: 1, Excerpt: "come back later"}}
	if s := reasonsOf(l); !slices.Equal(s.Reasons, want) || s.Hits.Failed != 1 {
		t.Errorf("%+v, %+v", s.Reasons, s.Hits)
	}
}
