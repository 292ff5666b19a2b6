package backfill_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/visitor"
	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/calendar"
)

// Matomo detects each device of a request, which is a third of its work if all visitors differ.
func TestVisitorsWithTheSameDeviceGoTogether(t *testing.T) {
	t.Parallel()
	r := newRig(t, "UTC", "2026-03-28", "2026-03-28", 4000, later)
	r.names = []string{"a"}
	m := newMatomo()
	_, _, _, s := r.run(context.Background(), m)
	if s.Visits.Complete != calendar.Total(r.days) {
		t.Fatalf("%+v of %d visits", s.Visits, calendar.Total(r.days))
	}
	all := uint64(len(visitor.Devices()))
	detections := 0
	for _, hits := range m.requests {
		devices := map[uint64]bool{}
		for _, h := range hits {
			devices[h.visit*7%all] = true
		}
		detections += len(devices)
	}
	if most := int(all) + len(m.requests); detections > most {
		t.Errorf("%d devices are detected in %d requests, want %d at most of %d", detections,
			len(m.requests), most, all)
	}
}

// The first hit of a day writes options in Matomo, where two requests at the same time deadlock.
func TestTheFirstVisitOfADayIsSentAheadInItsOwnRequest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "UTC", "2026-03-20", "2026-03-30", 200, later)
		r.names, r.shards = []string{"a"}, 4
		m := newMatomo()
		day := func(h hit) string { return h.at.Format(time.DateOnly) }
		open, opening := map[string]bool{}, 0
		m.answer = func(_ int, hits []hit) answer.Answer {
			d := day(hits[0])
			m.mu.Lock()
			ahead := !open[d]
			if ahead {
				opening++
			}
			if opening > 1 || ahead && len(hits) > 12 {
				t.Errorf("%d requests open a day at the same time, %s with %d hits", opening, d, len(hits))
			}
			m.mu.Unlock()
			time.Sleep(100 * time.Millisecond)
			m.mu.Lock()
			defer m.mu.Unlock()
			if ahead {
				opening--
				open[d] = true
			}
			return acceptAll(hits)
		}
		started := time.Now()
		_, _, _, s := r.run(context.Background(), m)
		if s.Visits.Complete != calendar.Total(r.days) {
			t.Errorf("%+v of %d visits", s.Visits, calendar.Total(r.days))
		}
		// Four at a time: days are opened one at a time, but while earlier ones are sent.
		took, shortest := time.Since(started), time.Duration(len(m.requests)/4)*100*time.Millisecond
		if took > shortest*5/4+300*time.Millisecond {
			t.Errorf("%d requests took %s, want about %s", len(m.requests), took, shortest)
		}
	})
}
