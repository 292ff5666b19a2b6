// Package console owns the terminal output of a run: its summary, progress, and problems with the settings. It only
// formats; it computes and sends nothing.
package console

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/puttrix/trafficinator/shared/hit"
	"github.com/puttrix/trafficinator/shared/runsummary"
	"github.com/puttrix/trafficinator/shared/threshold"
)

// Summary prints the summary of a run as tables.
func Summary(w io.Writer, s *runsummary.Summary) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	row := func(name string, h runsummary.Hits) {
		_, _ = fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t\n", name, h.Planned, h.Accepted, h.Rejected, h.Failed,
			h.Unknown, h.Shed, h.Abandoned)
	}
	_, _ = fmt.Fprintf(w, "\nrun %s, seed %d: %s after %s\n", s.RunID, s.Seed, s.Reason,
		s.Duration().Round(100*time.Millisecond))
	if s.Message != "" {
		_, _ = fmt.Fprintln(w, s.Message)
	}
	_, _ = fmt.Fprintln(t, "hits\tplanned\taccepted\trejected\tfailed\tunknown\tshed\tabandoned\t")
	for k := range hit.Kind(hit.Kinds) {
		if h := s.ByKind[k.String()]; h.Planned > 0 {
			row(k.String(), h)
		}
	}
	if len(s.ByTarget) > 1 {
		for _, name := range slices.Sorted(maps.Keys(s.ByTarget)) {
			row("to "+name, s.ByTarget[name])
		}
	}
	row("all", s.Hits)
	_ = t.Flush() // the terminal may be gone
	v := s.Visits
	_, _ = fmt.Fprintf(
		w,
		"visits: %d planned = %d complete + %d partial + %d uncertain + %d lost + %d unsent; %d "+
			"split, up to %d repeated; Matomo should have %s\n",
		v.Planned,
		v.Complete,
		v.Partial,
		v.Uncertain,
		v.Lost,
		v.Unsent,
		v.Split,
		v.Repeated,
		between(v.ExpectedInMatomo()),
	)
	_, _ = fmt.Fprintf(w, "revenue: %.2f; latency: p50 %.1f ms, p95 %.1f ms, p99 %.1f ms\n", s.Revenue,
		1000*s.Latency.P50, 1000*s.Latency.P95, 1000*s.Latency.P99)
	if all := s.TotalStandstill(); all.Seconds > 0 {
		_, _ = fmt.Fprintf(w, "standstill: this process did not run for %.1f s (stopped, paused, or its machine "+
			"asleep): %d visits and %d hits were not sent; they are in no share, rate or latency\n",
			all.Seconds, all.Visits, all.Hits)
	}
	reasons(w, "not accepted:", s.Reasons)
	reasons(w, "accepted, but:", s.Warnings)
	if len(s.Thresholds) > 0 {
		for _, v := range s.Thresholds {
			verdict := "held"
			if !v.Held {
				verdict = "MISSED"
			}
			_, _ = fmt.Fprintf(t, "%s\t%s\t%s\t\n", threshold.Label(v), verdict, threshold.FormatValue(v))
		}
		_, _ = fmt.Fprintln(w, "thresholds:")
		_ = t.Flush()
	}
	if s.Capacity != nil {
		_, _ = fmt.Fprintln(w)
		capacity(w, s.Capacity)
	}
	if s.Backfill != nil {
		_, _ = fmt.Fprintln(w)
		backfill(w, s.Backfill)
	}
}

// between formats a range.
func between(low, high uint64) string {
	if low == high {
		return strconv.FormatUint(low, 10)
	}
	return fmt.Sprintf("%d to %d", low, high)
}

// Progress formats the progress of a run as a terminal line that replaces the previous one.
func Progress(s *runsummary.Summary, phase string) string {
	h, note := s.Hits, ""
	if names := threshold.DescribeMissed(s.Thresholds); names != "" {
		note = "  missed: " + names
	}
	if s.Backfill != nil {
		note += fmt.Sprintf("  of %d", s.Backfill.Visits)
	}
	return fmt.Sprintf("\r\x1b[K%s  %s  visits %d (%d open)  hits %d accepted  %d rejected  %d failed  %d unknown  "+
		"%d shed  p95 %.0f ms%s", s.Duration().Truncate(time.Second), phase, s.Visits.Planned, s.OpenVisits,
		h.Accepted, h.Rejected, h.Failed, h.Unknown, h.Shed, 1000*s.Latency.P95, note)
}

// ProgressFields returns the progress as attributes of a log line.
func ProgressFields(s *runsummary.Summary, phase string) (fields []any) {
	if b := s.Backfill; b != nil {
		fields = []any{"of", b.Visits, "estimated_end", b.EstimatedEnd}
	}
	h, missed := s.Hits, threshold.DescribeMissed(s.Thresholds)
	return append(fields, "phase", phase, "visits", s.Visits.Planned, "open_visits", s.OpenVisits,
		"accepted", h.Accepted, "rejected", h.Rejected, "failed", h.Failed, "unknown", h.Unknown, "shed", h.Shed,
		"p95_seconds", s.Latency.P95, "thresholds_missed", missed, "not_accepted", shortReasons(s.Reasons))
}

// shortReasons formats reasons on one line: number of hits, class and status.
func shortReasons(reasons []runsummary.Reason) string {
	var all []string
	for _, r := range reasons {
		status := ""
		if r.Status > 0 {
			status = fmt.Sprintf(" %d", r.Status)
		}
		all = append(all, fmt.Sprintf("%d %s%s (%s)", r.Hits, r.Class, status, r.Target))
	}
	return strings.Join(all, ", ")
}

// reasons prints reasons as a table.
func reasons(w io.Writer, title string, reasons []runsummary.Reason) {
	if len(reasons) == 0 {
		return
	}
	_, _ = fmt.Fprintln(w, title)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, r := range reasons {
		_, _ = fmt.Fprintf(t, "  %d\t%s\t%s\t%s\n", r.Hits, r.Target, r.Class, r)
	}
	_ = t.Flush() // the terminal may be gone
}
