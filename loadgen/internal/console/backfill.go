package console

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/puttrix/trafficinator/shared/runsummary"
)

// backfill prints the days of a backfill as a table.
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
