package console

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/puttrix/trafficinator/shared/record"
)

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

// reasons prints why hits were not accepted as a table.
func reasons(w io.Writer, title string, reasons []record.Reason) {
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
