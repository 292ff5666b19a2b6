package backfill_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/standstill"
	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/endreason"
)

func TestAStandstillDoesNotCountAsRetryTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "UTC", "2026-03-01", "2026-03-01", 10, time.Date(2026, 3, 9, 12, 0, 0, 0, time.UTC))
		r.names, r.shards = r.names[:1], 1
		started, skipped := time.Now(), atomic.Int64{}
		r.clock = standstill.NewAt(func() time.Duration { return time.Since(started) + time.Duration(skipped.Load()) })
		m := newMatomo()
		m.answer = func(n int, hits []hit) answer.Answer {
			switch n {
			case 1, 2:
				return answer.Answer{Class: answer.NotNow, Status: 503}
			case 3: // the machine sleeps meanwhile
				skipped.Add(int64(time.Hour))
				return answer.Answer{Class: answer.NotNow, Status: 503}
			}
			return acceptAll(hits)
		}
		why, message, _, s := r.run(t.Context(), m)
		if why != endreason.BackfillFinished || s.Hits.Accepted != s.Hits.Planned {
			t.Errorf("%s %s: %+v", why, message, s.Hits)
		}
	})
}

func TestABatchInFlightDuringAStandstillHasNoLatency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "UTC", "2026-03-01", "2026-03-01", 40, time.Date(2026, 3, 9, 12, 0, 0, 0, time.UTC))
		r.names, r.shards = r.names[:1], 1
		started, skipped := time.Now(), atomic.Int64{}
		r.clock = standstill.NewAt(func() time.Duration { return time.Since(started) + time.Duration(skipped.Load()) })
		m := newMatomo()
		m.answer = func(n int, hits []hit) answer.Answer {
			time.Sleep(time.Second)
			if n == 1 {
				time.Sleep(time.Minute)
				skipped.Add(int64(time.Minute))
			}
			return acceptAll(hits)
		}
		_, _, _, s := r.run(t.Context(), m)
		if len(m.requests) < 2 || s.Latency.P99 > 1.1 || s.Latency.P50 < .9 {
			t.Errorf("%d requests, latencies %+v", len(m.requests), s.Latency)
		}
	})
}
