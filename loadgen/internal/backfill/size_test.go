package backfill_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/visit"
	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/calendar"
	"github.com/puttrix/trafficinator/shared/endreason"
)

// tooLarge is the answer to a request over the size limit.
var tooLarge = answer.Answer{Class: answer.TooLarge, Status: 413}

// checkComplete checks that each visit of the rig was accepted once, with its hits in order, but for lost ones.
func checkComplete(t *testing.T, r *rig, m *matomo, lost func(number uint64, hit int) bool) {
	t.Helper()
	for n := range calendar.Total(r.days) {
		var v visit.Visit
		visits{}.Outline(n, &v)
		got := m.stored[n]
		if !slices.IsSortedFunc(got, time.Time.Compare) {
			t.Errorf("the hits of visit %d came out of order: %v", n, got)
		}
		want := 0
		for i := range v.Hits {
			if lost == nil || !lost(n, i) {
				want++
			}
		}
		if len(got) != want {
			t.Errorf("visit %d has %d hits, want %d", n, len(got), want)
		}
	}
}

func TestARequestThatIsTooLargeIsHalved(t *testing.T) {
	t.Parallel()
	for name, limit := range map[string]int{"some visits": 30, "less than a visit": 5, "single hits": 1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, "UTC", "2026-03-28", "2026-03-29", 400, later)
			m := newMatomo()
			refused := 0
			m.answer = func(_ int, hits []hit) answer.Answer {
				if len(hits) > limit {
					m.mu.Lock()
					defer m.mu.Unlock()
					refused++
					return tooLarge
				}
				return acceptAll(hits)
			}
			why, _, p, s := r.run(context.Background(), m)
			total := calendar.Total(r.days)
			if why != endreason.BackfillFinished || s.Visits.Complete != total || p.BatchesDone != p.Batches ||
				p.Days[0].Sent != p.Days[0].Planned {
				t.Errorf("ended %s with %+v of %d visits, %d batches of %d", why, s.Visits, total,
					p.BatchesDone, p.Batches)
			}
			checkComplete(t, r, m, nil)
			// Batches stay at the accepted size, but larger visits are still tried.
			if most := 40; limit == 30 && refused > most || refused == 0 {
				t.Errorf("%d requests were refused", refused)
			}
			requests := len(m.requests)
			if why, _, _, s = r.run(context.Background(), m); why != endreason.BackfillFinished ||
				s.Visits.Complete != total ||
				len(m.requests) != requests {
				t.Errorf("resumed, it ended %s with %+v after %d more requests", why, s.Visits,
					len(m.requests)-requests)
			}
		})
	}
}

func TestOnlyTheHitThatIsTooLargeFails(t *testing.T) {
	t.Parallel()
	r := newRig(t, "UTC", "2026-03-28", "2026-03-29", 400, later)
	m := newMatomo()
	fourth := func(h hit) bool { // of visit 101, which has twelve
		first := m.first[101]
		return h.visit == 101 && h.at.Equal(first.Add(3*90*time.Second))
	}
	m.answer = func(_ int, hits []hit) answer.Answer {
		m.mu.Lock()
		defer m.mu.Unlock()
		if slices.ContainsFunc(hits, fourth) {
			return tooLarge
		}
		return acceptAll(hits)
	}
	why, _, p, s := r.run(context.Background(), m)
	if why != endreason.BackfillFinished || s.Hits.Failed != 1 || s.Hits.Rejected > 0 ||
		s.Hits.Accepted != s.Hits.Planned-1 ||
		s.Visits.Partial != 1 ||
		p.Days[0].Sent != p.Days[0].Planned {
		t.Errorf("ended %s with %+v, %+v", why, s.Hits, s.Visits)
	}
	if len(s.Reasons) != 1 || s.Reasons[0].Class != "too_large" || s.Reasons[0].Status != 413 ||
		s.Reasons[0].Hits != 1 {
		t.Errorf("the reasons are %+v", s.Reasons)
	}
	largest := 0
	for _, hits := range m.requests[len(m.requests)-8:] {
		largest = max(largest, len(hits))
	}
	if largest < 50 {
		t.Errorf("the last requests have %d hits at most", largest)
	}
	if why, _, _, s := r.run(context.Background(), m); why != endreason.BackfillFinished || s.Hits.Failed != 1 ||
		s.Hits.Rejected > 0 {
		t.Errorf("resumed, it ended %s with %+v", why, s.Hits)
	}
}

func TestAJobCanBeResumedWithAnotherBatchSize(t *testing.T) {
	t.Parallel()
	r := newRig(t, "Europe/Berlin", "2026-03-28", "2026-03-30", 400, later)
	m := newMatomo()
	total := calendar.Total(r.days)
	for _, r.size = range []int{100, 17, 250, 60, 1000} {
		drain, stop := context.WithCancelCause(context.Background())
		first := len(m.requests)
		m.answer = func(n int, hits []hit) answer.Answer {
			if r.size < 1000 && n == first+6 {
				stop(endreason.Interrupted)
			}
			if n == first+4 {
				return answer.Answer{Class: answer.RolledBack, Status: 200}
			}
			return acceptAll(hits)
		}
		why, _, _, s := r.run(drain, m)
		stop(nil)
		if sent := uint64(
			len(m.stored),
		); s.Visits.Complete != sent ||
			why == endreason.BackfillFinished && sent != total {
			t.Fatalf("with a size of %d it ended %s: %d visits are stored, the ledger has %+v", r.size, why,
				sent, s.Visits)
		}
	}
	if len(m.stored) != int(total) {
		t.Errorf("%d visits of %d are stored", len(m.stored), total)
	}
	checkComplete(t, r, m, nil)
}

func TestAVisitOfWhichNoPartWasAcceptedIsPostponed(t *testing.T) {
	t.Parallel()
	r := newRig(t, "UTC", "2026-03-28", "2026-03-29", 400, later)
	m := newMatomo()
	drain, stop := context.WithCancelCause(context.Background())
	defer stop(nil)
	busy := true
	m.answer = func(_ int, hits []hit) answer.Answer {
		switch {
		case len(hits) > 5:
			return tooLarge
		case busy && len(hits) == 5: // the first part of one that is sent in parts
			stop(endreason.Interrupted)
			return answer.Answer{Class: answer.NotNow, Status: 503}
		}
		return acceptAll(hits)
	}
	why, _, _, s := r.run(drain, m)
	if why != endreason.Interrupted || s.Hits.Unknown > 0 {
		t.Errorf("ended %s with %+v", why, s.Hits)
	}
	busy = false
	if why, _, _, s = r.run(context.Background(), m); why != endreason.BackfillFinished ||
		s.Visits.Complete != calendar.Total(r.days) {
		t.Errorf("resumed, it ended %s with %+v", why, s.Visits)
	}
	checkComplete(t, r, m, nil)
}
