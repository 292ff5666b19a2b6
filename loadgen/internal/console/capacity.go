package console

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/puttrix/trafficinator/shared/runsummary"
	"github.com/puttrix/trafficinator/shared/threshold"
)

// capacity prints the steps of a capacity search as a table, and its result.
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
