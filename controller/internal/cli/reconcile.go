package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"text/tabwriter"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/reconcile/comparison"
	"github.com/puttrix/trafficinator/shared/exitcode"
	"github.com/puttrix/trafficinator/shared/export"
)

// Reconcile has the running controller set what Matomo shows of a run beside its ledger, waits for it, and prints it.
// It ends with exitcode.Lost where Matomo shows less than it accepted or more than can have been sent, else with
// exitcode.Internal where one could not be asked, else with exitcode.NotArchived where reports do not show yet what was
// recorded.
func Reconcile(ctx context.Context, args []string, h Host) int {
	set := flag.NewFlagSet("reconcile RUN", flag.ContinueOnError)
	limit := set.Duration("limit", 20*time.Minute,
		"how long to wait at most, after the run's end, for queue and archiving")
	asJSON := set.Bool("json", false, "print JSON")
	var run string
	if len(args) > 0 && args[0] != "" && args[0][0] != '-' {
		run, args = args[0], args[1:]
	}
	c, ok := newCaller(h, set, args)
	if !ok {
		return exitcode.BadConfig
	}
	if run == "" {
		return h.refuse("reconcile needs the id of a run, before its flags")
	}
	if *limit < 0 || *limit > 24*time.Hour {
		return h.refuse("--limit=%v: is not between 0 and 24h", *limit)
	}
	r, err := c.reconcile(ctx, run, *limit)
	if err != nil {
		return c.host.fail(err)
	}
	if *asJSON {
		if err := h.printJSON(r); err != nil {
			return c.host.fail(fmt.Errorf("write reconciliation: %w", err))
		}
	} else {
		printReconciliation(h.Stdout, r)
	}
	switch r.Verdict {
	case comparison.MatchShort, comparison.MatchMore:
		return exitcode.Lost
	case comparison.MatchNotAsked:
		return exitcode.Internal
	case comparison.MatchNotArchived:
		return exitcode.NotArchived
	default:
		return exitcode.OK
	}
}

// errGivenUp tells of a reconciliation that ended without a result: what is kept of the run is none, or an older one.
var errGivenUp = errors.New("the reconciliation was given up before it was done, by a person or by a fault that the " +
	"controller's log tells")

// reconcile begins one and asks for it until it is done.
func (c *caller) reconcile(ctx context.Context, run string, limit time.Duration) (comparison.Reconciliation, error) {
	path := "/api/runs/" + url.PathEscape(run) + "/reconcile"
	body := fmt.Appendf(nil, `{"limit_seconds":%d}`, int(math.Ceil(limit.Seconds())))
	var r comparison.Reconciliation
	if err := c.ask(ctx, http.MethodPost, path, body, &r); err != nil {
		return r, err
	}
	began := r.Began
	err := c.follow(ctx, path, &r, func() (news, line string, going bool) {
		return r.Waiting, "waiting for " + r.Waiting, r.State == comparison.ReconcileFollowing ||
			r.State == comparison.ReconcileWaiting
	})
	if err != nil {
		return r, err
	}
	if r.State != comparison.ReconcileDone || r.Began.Before(began) {
		return r, errGivenUp
	}
	return r, nil
}

func printReconciliation(w io.Writer, r comparison.Reconciliation) {
	for _, t := range r.Targets {
		_, _ = fmt.Fprintf(w, "%s, site %d: %s\n", t.Name, t.SiteID, t.Verdict.Meaning())
		for _, p := range t.Parts {
			_, _ = fmt.Fprintf(w, "- %s took %d visits, %d hits\n", p.Name, p.Visits, p.Hits)
		}
		if t.Error != "" {
			_, _ = fmt.Fprintf(w, "%s\n\n", t.Error)
			continue
		}
		_, _ = fmt.Fprintf(w, "told apart by %s\n", t.Slice)
		if t.Limits != "" {
			_, _ = fmt.Fprintln(w, t.Limits)
		}
		rows := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		_, _ = fmt.Fprintln(rows, "\tsent\trecorded\tverdict")
		for _, row := range t.Rows {
			if !row.Telling() {
				continue
			}
			_, _ = fmt.Fprintf(rows, "%s\t%s\t%s\t%s\n", named(row), export.Figure(row.Sent),
				export.Figure(row.Recorded), verdict(row))
		}
		_ = rows.Flush() // a terminal that is gone cannot be told
		for _, c := range t.Causes {
			_, _ = fmt.Fprintln(w, "-", c.Message)
			if c.Cure != "" {
				_, _ = fmt.Fprintln(w, "  cure:", c.Cure)
			}
		}
		_, _ = fmt.Fprintln(w)
	}
}

func named(r comparison.ReconciledRow) string {
	if r.Group == "total" {
		return r.Name
	}
	return r.Group + " " + r.Name
}

// verdict is that of a row, with what else is known of it.
func verdict(r comparison.ReconciledRow) string {
	text := string(r.Verdict)
	switch r.Verdict {
	case comparison.MatchShort:
		text = fmt.Sprintf("short by %s (%.3g %%)", export.Figure(-r.Off), -100*r.Off/r.Sent)
	case comparison.MatchMore:
		text = "more by " + export.Figure(r.Off)
	case comparison.MatchNotArchived:
		text = "not archived"
	case comparison.MatchIncomparable:
		text = "not comparable"
	}
	if r.Why != "" {
		text += ": " + r.Why
	}
	return text
}
