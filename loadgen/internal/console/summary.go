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
	"github.com/puttrix/trafficinator/shared/logline"
	"github.com/puttrix/trafficinator/shared/problem"
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
	_, _ = fmt.Fprintf(w, "visits: %d planned = %d complete + %d partial + %d uncertain + %d lost + %d unsent; "+
		"%d split, up to %d repeated; Matomo should have %s\n", v.Planned, v.Complete, v.Partial, v.Uncertain, v.Lost,
		v.Unsent, v.Split, v.Repeated, between(v.ExpectedInMatomo()))
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

func capacity(w io.Writer, c *runsummary.Capacity) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(t, "step\tvisits/s offered\tstarted\thits/s accepted\tp50\tp95\tp99\terrors\tmeasured\theld\t")
	for _, s := range c.Steps {
		held := "yes"
		switch {
		case s.Void != "":
			held = "void: " + s.Void
		case !s.Held:
			held = "no: " + threshold.DescribeMissed(s.Verdicts)
		}
		_, _ = fmt.Fprintf(t, "%s\t%.4g\t%.4g\t%.4g\t%.0f ms\t%.0f ms\t%.0f ms\t%.3g %%\t%.0f s\t%s\t\n", s.Kind,
			s.OfferedVisitRate, s.VisitRate, s.HitRate,
			1000*s.Latency.P50, 1000*s.Latency.P95, 1000*s.Latency.P99, 100*s.ErrorShare, s.Measured, held)
	}
	_ = t.Flush() // the terminal may be gone
	_, _ = fmt.Fprintf(w, "capacity: %s\n", Finding(c))
}

// Finding describes the result of a capacity search.
func Finding(c *runsummary.Capacity) string {
	if c.Void != "" {
		found := "no result"
		if c.VisitRate > 0 {
			found = fmt.Sprintf("at least %.4g visits/s (%.4g hits/s)", c.VisitRate, c.HitRate)
		}
		return fmt.Sprintf("%s; search aborted: %s", found, c.Void)
	}
	limit := fmt.Sprintf("limit reached at %.4g visits/s: %s", c.BrokenRate, threshold.DescribeMissed(c.Limit))
	switch {
	case c.VisitRate == 0 && c.BrokenRate > 0:
		return fmt.Sprintf("below the lowest rate; %s", limit)
	case c.VisitRate == 0:
		return "the search ended before its first step"
	}
	found := fmt.Sprintf("%.4g visits/s (%.4g hits/s)", c.VisitRate, c.HitRate)
	if c.BrokenRate == 0 {
		limit = "no higher rate was tried"
	}
	if !c.Confirmed {
		return fmt.Sprintf("at least %s, not confirmed over a minute; %s", found, limit)
	}
	return fmt.Sprintf("%s; %s", found, limit)
}

func backfill(w io.Writer, b *runsummary.Backfill) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(t, "visits of\tplanned\tsent\tunknown\trejected\tunsent\tleft\t")
	for _, d := range b.Days {
		_, _ = fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t  %s\n", d.Date, d.Planned, d.Sent, d.Unknown, d.Rejected,
			d.Unsent, d.Planned-d.Sent-d.Unknown-d.Rejected-d.Unsent, d.Skipped)
	}
	_ = t.Flush() // the terminal may be gone
	for _, u := range b.Unknown {
		_, _ = fmt.Fprintf(w, "unknown: batch %d of %s to %s, %d visits from number %d: %s\n", u.Number,
			u.Date, u.Target, u.Visits, u.FirstVisit, u.Why)
	}
	switch i := b.Invalidation; {
	case i == nil:
	case i.Done:
		_, _ = fmt.Fprintln(w, "The reports of these days were invalidated; Matomo rebuilds them.")
	default:
		_, _ = fmt.Fprintf(w, "The reports of these days were not invalidated (%s). Run in Matomo's folder on its "+
			"server:\n%s\n", i.Why, i.Command)
	}
}

// Problems prints the problems with the settings, one per line: as text, or as JSON for a controller (package logline).
func Problems(w io.Writer, asJSON bool, problems problem.List) {
	for _, p := range problems {
		if asJSON {
			logline.Write(w, p)
			continue
		}
		_, _ = fmt.Fprintf(w, "%s: %s\n", p.Severity, p)
	}
}
