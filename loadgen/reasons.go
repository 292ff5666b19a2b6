package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/record"
)

// logReasons logs each reason for which hits were not accepted once, when it is seen first. While the run lasts observe
// alone calls it.
func (s *session) logReasons() {
	var sum record.Summary
	s.ledger.FillReasons(&sum, s.Targets())
	for _, r := range sum.Reasons {
		if r.Class != answer.Stopped.String() && s.firstOf(r) { // which is what somebody asked for
			s.log.Warn("hits are not accepted", "target", r.Target, "class", r.Class, "hits", r.Hits, "reason",
				r.String())
		}
	}
	for _, r := range sum.Warnings {
		if s.firstOf(r) {
			s.log.Warn("hits are accepted by an odd answer", "target", r.Target, "class", r.Class, "hits", r.Hits,
				"reason", r.String())
		}
	}
}

// firstOf says that a reason was not logged before.
func (s *session) firstOf(r record.Reason) bool {
	what := record.Reason{Target: r.Target, Class: r.Class, Status: r.Status}
	before := s.logged[what]
	s.logged[what] = true
	return !before
}

// shortReasons are all reasons on a line: how many hits, of which class and status.
func shortReasons(reasons []record.Reason) string {
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

// printReasons prints why hits were not accepted as a table.
func printReasons(w io.Writer, title string, reasons []record.Reason) {
	if len(reasons) == 0 {
		return
	}
	_, _ = fmt.Fprintln(w, title)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, r := range reasons {
		_, _ = fmt.Fprintf(t, "  %d\t%s\t%s\t%s\n", r.Hits, r.Target, r.Class, r)
	}
	_ = t.Flush() // a terminal that is gone cannot be told
}
