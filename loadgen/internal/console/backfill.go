package console

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/puttrix/trafficinator/shared/runsummary"
)

// backfill prints the days as a table.
func backfill(w io.Writer, b *runsummary.Backfill) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(t, "visits of\tplanned\tsent\tunknown\trejected\tunsent\tleft\t")
	for _, d := range b.Days {
		_, _ = fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t  %s\n", d.Date, d.Planned, d.Sent, d.Unknown, d.Rejected,
			d.Unsent, d.Planned-d.Sent-d.Unknown-d.Rejected-d.Unsent, d.Skipped)
	}
	_ = t.Flush() // a terminal that is gone cannot be told
	for _, u := range b.Unknown {
		_, _ = fmt.Fprintf(w, "unknown: batch %d of %s to %s, %d visits, the lowest has the number %d: %s\n", u.Number,
			u.Date, u.Target, u.Visits, u.FirstVisit, u.Why)
	}
	switch i := b.Invalidation; {
	case i == nil:
	case i.Done:
		_, _ = fmt.Fprintln(w, "Matomo was asked to rebuild the reports of these days.")
	default:
		_, _ = fmt.Fprintf(w, "Matomo was not asked to rebuild the reports of these days (%s). On its server, in its "+
			"folder:\n%s\n", i.Why, i.Command)
	}
}
