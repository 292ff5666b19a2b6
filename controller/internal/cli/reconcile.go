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

// verdictCodes are the exit codes of verdicts; those of others are exitcode.OK.
var verdictCodes = map[comparison.Match]exit{comparison.MatchShort: exitcode.Lost, comparison.MatchMore: exitcode.Lost,
	comparison.MatchNotAsked: exitcode.Internal, comparison.MatchNotArchived: exitcode.NotArchived}

// reconcile compares a run with Matomo's figures in the running controller, waits for the result, and prints it.
func reconcile(ctx context.Context, args []string, h Host) error {
	set := flag.NewFlagSet("reconcile RUN", flag.ContinueOnError)
	limit := set.Duration("limit", 20*time.Minute,
		"how long to wait for Matomo's queue and archiving after the end of the run")
	asJSON := set.Bool("json", false, "print JSON")
	var run string
	if len(args) > 0 && args[0] != "" && args[0][0] != '-' {
		run, args = args[0], args[1:]
	}
	c, err := newClient(h, set, args)
	switch {
	case err != nil:
		return err
	case run == "":
		return badUsage("reconcile needs the id of a run before its flags")
	case *limit < 0 || *limit > 24*time.Hour:
		return badUsage("--limit=%v: is not between 0 and 24h", *limit)
	}
	r, err := c.reconcile(ctx, run, *limit)
	if err != nil {
		return err
	}
	if !*asJSON {
		printReconciliation(h.Stdout, r)
	} else if err := h.printJSON(r); err != nil {
		return fmt.Errorf("write reconciliation: %w", err)
	}
	if code, ok := verdictCodes[r.Verdict]; ok {
		return code
	}
	return nil
}

// errNoResult reports a reconciliation that ended without a result; the run has none, or an older one.
var errNoResult = errors.New("the reconciliation was cancelled or failed; see the controller's log")

// reconcile starts a reconciliation and waits for it.
func (c *client) reconcile(ctx context.Context, run string, limit time.Duration) (comparison.Reconciliation, error) {
	path := "/api/runs/" + url.PathEscape(run) + "/reconcile"
	body := fmt.Appendf(nil, `{"limit_seconds":%d}`, int(math.Ceil(limit.Seconds())))
	var r comparison.Reconciliation
	if err := c.ask(ctx, http.MethodPost, path, body, &r); err != nil {
		return r, err
	}
	began := r.Began
	err := c.poll(ctx, path, &r, func() (news, line string, inProgress bool) {
		return r.Waiting, "waiting for " + r.Waiting, r.State == comparison.ReconcileFollowing ||
			r.State == comparison.ReconcileWaiting
	})
	if err == nil && (r.State != comparison.ReconcileDone || r.Began.Before(began)) {
		err = errNoResult
	}
	return r, err
}

func printReconciliation(w io.Writer, r comparison.Reconciliation) {
	for _, t := range r.Targets {
		_, _ = fmt.Fprintf(w, "%s, site %d: %s\n", t.Name, t.SiteID, t.Verdict.Meaning())
		for _, p := range t.Parts {
			_, _ = fmt.Fprintf(w, "- %s received %d visits, %d hits\n", p.Name, p.Visits, p.Hits)
		}
		if t.Error != "" {
			_, _ = fmt.Fprintf(w, "%s\n\n", t.Error)
			continue
		}
		_, _ = fmt.Fprintf(w, "isolated by %s\n", t.Slice)
		if t.Limits != "" {
			_, _ = fmt.Fprintln(w, t.Limits)
		}
		rows := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		_, _ = fmt.Fprintln(rows, "\tsent\trecorded\tverdict")
		for _, row := range t.Rows {
			if row.Telling() {
				_, _ = fmt.Fprintf(rows, "%s\t%s\t%s\t%s\n", row.Label(), export.Figure(row.Sent),
					export.Figure(row.Recorded), verdict(row))
			}
		}
		_ = rows.Flush() // there is no one to report a closed terminal to
		for _, c := range t.Causes {
			_, _ = fmt.Fprintln(w, "-", c.Message)
			if c.Cure != "" {
				_, _ = fmt.Fprintln(w, "  fix:", c.Cure)
			}
		}
		_, _ = fmt.Fprintln(w)
	}
}

// verdict describes the verdict of a row.
func verdict(r comparison.ReconciledRow) string {
	text := string(r.Verdict)
	switch r.Verdict {
	case comparison.MatchShort:
		text = fmt.Sprintf("short by %s (%.3g %%)", export.Figure(-r.Off), -100*r.Off/r.Sent)
	case comparison.MatchMore:
		text = "more by " + export.Figure(r.Off)
	case comparison.MatchNotArchived, comparison.MatchIncomparable:
		text = r.Verdict.Short()
	}
	if r.Why != "" {
		text += ": " + r.Why
	}
	return text
}
