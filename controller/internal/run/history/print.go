package history

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/record"
	"github.com/puttrix/trafficinator/controller/internal/run/compare"
	"github.com/puttrix/trafficinator/shared/runsummary"
	"github.com/puttrix/trafficinator/shared/spec"
	"github.com/puttrix/trafficinator/shared/threshold"
)

// table prints rows of cells in columns.
func table(w io.Writer, print func(row func(cells ...string))) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	print(func(cells ...string) { _, _ = fmt.Fprintln(t, strings.Join(cells, "\t")) }) // Flush returns the error
	return t.Flush()
}

// PrintList prints runs as a table for people.
func PrintList(w io.Writer, runs []record.Run, now time.Time) error {
	return table(w, func(row func(...string)) {
		row("RUN", "KIND", "STARTED (UTC)", "TOOK", "END", "VISITS", "HITS", "ACCEPTED", "P95", "LABELS", "NOTE")
		for _, r := range runs {
			visits, hits, accepted, p95 := "", "", "", ""
			if s := r.Summary; s != nil {
				visits, hits, p95 = count(s.Visits.Planned), count(s.Hits.Planned), milliseconds(s.Latency.P95)
				accepted = percent(float64(s.Hits.Accepted), float64(s.Hits.Planned))
			}
			note, _, _ := strings.Cut(r.Note, "\n")
			row(r.ID, r.Kind, r.Started.UTC().Format(time.DateTime), duration(r.Head, now), endText(r.Head), visits,
				hits, accepted, p95, strings.Join(r.Labels, ","), note)
		}
	})
}

func duration(h record.Head, now time.Time) string {
	lasted := max(0, now.Sub(h.Started))
	switch {
	case h.Duration != nil:
		lasted = time.Duration(*h.Duration * float64(time.Second))
	case !h.Open():
		lasted = 0
	}
	return lasted.Round(time.Second).String()
}

func endText(h record.Head) string {
	switch {
	case h.Open():
		return "in progress"
	case h.ExitCode != nil && *h.ExitCode != 0:
		return fmt.Sprintf("%s (%d)", h.Reason, *h.ExitCode)
	}
	return h.Reason
}

// Print prints a run for people.
func (r Record) Print(w io.Writer, now time.Time) error {
	err := table(w, func(row func(...string)) {
		row("run", r.ID)
		row("kind", r.Kind)
		row("seed", strconv.FormatUint(r.Seed, 10))
		row("plan", r.PlanHash)
		row("started", r.Started.UTC().Format(time.RFC3339))
		row("took", duration(r.Head, now))
		row("end", endText(r.Head))
		row("labels", strings.Join(r.Labels, ", "))
		row("note", strings.ReplaceAll(r.Note, "\n", " "))
		for _, f := range r.Files {
			row(f.Name, f.Hash)
		}
		for _, f := range spec.Fields() {
			if v := r.Config[f.Key]; v != "" && v != f.Default {
				row(f.Key, v)
			}
		}
	})
	if err != nil || r.Summary == nil {
		return err
	}
	if err := r.printLedger(w); err != nil {
		return err
	}
	for _, p := range r.Problems {
		if _, err := fmt.Fprintf(w, "%s %s\n", p.Level, p.Text); err != nil {
			return err
		}
	}
	return nil
}

func (r Record) printLedger(w io.Writer) error {
	s := r.Summary
	_, _ = fmt.Fprintf(w, "\n%d visits started of %d due\nlatency p50 %s, p95 %s, p99 %s\n\n", s.Visits.Planned, s.Due,
		milliseconds(s.Latency.P50), milliseconds(s.Latency.P95), milliseconds(s.Latency.P99)) // Flush has the error
	return table(w, func(row func(...string)) {
		row("HITS", "PLANNED", "ACCEPTED", "REJECTED", "FAILED", "UNKNOWN", "SHED", "ABANDONED")
		line := func(name string, h runsummary.Hits) {
			row(name, count(h.Planned), count(h.Accepted), count(h.Rejected), count(h.Failed), count(h.Unknown),
				count(h.Shed), count(h.Abandoned))
		}
		line("all", s.Hits)
		for _, kind := range slices.Sorted(maps.Keys(s.ByKind)) {
			if s.ByKind[kind].Planned > 0 {
				line(kind, s.ByKind[kind])
			}
		}
		for _, name := range slices.Sorted(maps.Keys(s.ByTarget)) {
			line("to "+name, s.ByTarget[name])
		}
		for i, r := range slices.Concat(s.Reasons, s.Warnings) {
			if i == 0 {
				row("")
				row("REASON", "HITS", "TARGET", "ANSWER")
			}
			row(r.Class, count(r.Hits), r.Target, r.String())
		}
		for i, v := range s.Thresholds {
			if i == 0 {
				row("")
				row("THRESHOLD", "MEASURED", "")
			}
			row(threshold.Label(v), threshold.FormatValue(v), map[bool]string{true: "held", false: "missed"}[v.Held])
		}
	})
}

// Print prints the differences for people; all prints equal numbers too.
func (c Compared) Print(w io.Writer, all bool) error {
	for _, n := range c.Notes {
		_, _ = fmt.Fprintln(w, "note:", n) // table returns the error
	}
	yes := map[bool]string{true: "the same", false: "different"}
	_, _ = fmt.Fprintf(w, "seed %s, settings %s, files %s\n", yes[c.Same.Seed], yes[c.Same.Config], yes[c.Same.Files])
	for _, s := range c.Settings {
		_, _ = fmt.Fprintf(w, "%s: %s -> %s\n", s.Key, cmp.Or(s.A, "default"), cmp.Or(s.B, "default"))
	}
	for _, f := range c.Files {
		_, _ = fmt.Fprintf(w, "%s: %s -> %s\n", f.Name, cmp.Or(f.A, "built in"), cmp.Or(f.B, "built in"))
	}
	shown := 0
	err := table(w, func(row func(...string)) {
		row("", "", c.A.ID, c.B.ID, "DIFFERENCE", "", "SIGNIFICANT", "WHY")
		for _, r := range c.Rows {
			if !all && (r.Difference == nil || *r.Difference == 0) {
				continue
			}
			shown++
			row(r.Group, r.Name, amount(r.Unit, r.A), amount(r.Unit, r.B), amount(r.Unit, r.Difference),
				change(r.Share), map[bool]string{true: "yes", false: "no"}[r.BeyondNoise], r.Why)
		}
	})
	if err == nil && shown == 0 && len(c.Rows) > 0 {
		_, err = fmt.Fprintln(w, "No differences.")
	}
	return err
}

// change formats a share in percent, or as a factor from 10 on.
func change(share *float64) string {
	switch {
	case share == nil:
		return ""
	case *share >= 9:
		return fmt.Sprintf("x %.0f", 1+*share)
	}
	return fmt.Sprintf("%+.1f %%", 100**share)
}

func amount(unit compare.Unit, n *float64) string {
	switch {
	case n == nil:
		return ""
	case unit == compare.Count:
		return strconv.FormatFloat(*n, 'f', -1, 64)
	case unit == compare.Seconds && math.Abs(*n) < 1:
		return milliseconds(*n)
	case unit == compare.Seconds:
		return fmt.Sprintf("%.4g s", *n)
	case unit == compare.Share:
		return fmt.Sprintf("%.3g %%", 100**n)
	case unit == compare.PerSecond:
		return fmt.Sprintf("%.4g/s", *n)
	}
	return fmt.Sprintf("%.2f", *n)
}

func count(n uint64) string { return strconv.FormatUint(n, 10) }

func milliseconds(seconds float64) string { return fmt.Sprintf("%.4g ms", 1e3*seconds) }

func percent(part, of float64) string {
	if of == 0 {
		return ""
	}
	return fmt.Sprintf("%.2f %%", 100*part/of)
}
