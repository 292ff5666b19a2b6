package run

import (
	"context"
	"fmt"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/console"
	"github.com/puttrix/trafficinator/shared/record"
	"github.com/puttrix/trafficinator/shared/threshold"
)

// progress tells a person how the run goes, every two seconds on a terminal, else in the log every minute.
func (s *session) progress(ctx context.Context) {
	every := time.Minute
	if s.h.Terminal {
		every = 2 * time.Second
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			if s.h.Terminal {
				_, _ = fmt.Fprintln(s.h.Stderr)
			}
			return
		case <-tick.C:
		}
		sum := s.Summary()
		h, note := sum.Hits, ""
		if names := threshold.Misses(sum.Thresholds); names != "" {
			note = "  missed: " + names
		}
		log := s.log
		if b := sum.Backfill; b != nil {
			note += fmt.Sprintf("  of %d", b.Visits)
			log = log.With("of", b.Visits, "estimated_end", b.EstimatedEnd)
		}
		if s.h.Terminal {
			_, _ = fmt.Fprintf(s.h.Stderr,
				"\r\x1b[K%s  %s  visits %d (%d open)  hits %d accepted  %d rejected  %d failed  %d unknown  %d shed "+
					" p95 %.0f ms%s",
				sum.Duration().Truncate(time.Second), s.Phase(), sum.Visits.Planned, sum.OpenVisits, h.Accepted,
				h.Rejected, h.Failed, h.Unknown, h.Shed, 1000*sum.Latency.P95, note)
			continue
		}
		log.Info("progress", "phase", s.Phase(), "visits", sum.Visits.Planned, "open_visits", sum.OpenVisits,
			"accepted", h.Accepted,
			"rejected", h.Rejected, "failed", h.Failed, "unknown", h.Unknown, "shed", h.Shed, "p95_seconds",
			sum.Latency.P95, "thresholds_missed", threshold.Misses(sum.Thresholds), "not_accepted",
			console.ShortReasons(sum.Reasons))
	}
}

// conclude tells the end of the run: as a table, or as one line where every line of the log is JSON.
func (s *session) conclude(sum *record.Summary) {
	if s.plan.Spec.LogFormat == "json" {
		s.log.Info("summary", "summary", sum)
		return
	}
	console.Summary(s.h.Stderr, sum)
}
