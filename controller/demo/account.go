package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/puttrix/trafficinator/shared/hit"
)

// ledger is what of a run's ledger is held against the sink.
type ledger struct {
	Visits  struct{ Complete, Partial, Split int64 }
	ByKind  map[string]struct{ Accepted int64 } `json:"by_kind"`
	Revenue float64
}

// counts are what of the sink's own counts the ledgers are held against.
type counts struct {
	Violations int64
	Total      struct {
		Visits  int64
		Hits    map[string]int64
		Revenue int64 `json:"revenue_cents"`
	}
}

// account ends the traffic and prints what the ledgers of all runs say was accepted beside what the sink has recorded.
// It tells whether they are equal, and which run was the latest.
func (c client) account(ctx context.Context, out io.Writer) (equal bool, latest string, err error) {
	if err := c.call(ctx, http.MethodPost, "/api/stop", nil, nil); err != nil {
		return false, "", err
	}
	var list struct{ Runs []struct{ ID string } }
	if err := c.call(ctx, http.MethodGet, "/api/runs?limit=500", nil, &list); err != nil {
		return false, "", err
	}
	var ledgers []ledger
	for _, r := range list.Runs {
		var run struct{ Summary *ledger }
		if err := c.call(ctx, http.MethodGet, "/api/runs/"+r.ID, nil, &run); err != nil {
			return false, "", err
		}
		if run.Summary == nil {
			return false, "", fmt.Errorf("run %s has left no ledger", r.ID)
		}
		ledgers = append(ledgers, *run.Summary)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(c.sink, "/matomo.php")+
		"/sink/counts", nil)
	if err != nil {
		return false, "", fmt.Errorf("ask the sink: %w", err)
	}
	var recorded counts
	if err := do(req, &recorded); err != nil {
		return false, "", err
	}
	if len(list.Runs) > 0 {
		latest = list.Runs[0].ID
	}
	return compare(out, ledgers, recorded), latest, nil
}

// reconcile has the controller ask the sink's reports what they show of a run, as anybody would ask a Matomo's.
func (c client) reconcile(ctx context.Context, out io.Writer, run string) error {
	_, _ = fmt.Fprintf(out, "\nChecked against the sink's reports: controller reconcile %s\n\n", run)
	cmd := exec.CommandContext(ctx, "bin/controller", "reconcile", run, "--limit", "20s", "--api-base", c.base)
	cmd.Env = []string{"CONTROL_UI_API_KEY=" + strings.TrimSpace(c.key)}
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("reconcile: %w", err)
	}
	return nil
}

// compare prints the account and tells whether it is even and the sink has objected to nothing.
func compare(out io.Writer, ledgers []ledger, recorded counts) bool {
	var visits, cents int64
	accepted := map[string]int64{}
	for _, l := range ledgers {
		visits += l.Visits.Complete + l.Visits.Partial + l.Visits.Split
		cents += int64(math.Round(l.Revenue * 100))
		for kind, n := range l.ByKind {
			accepted[kind] += n.Accepted
		}
	}
	var kinds []string
	for _, kind := range hit.Rows {
		kinds = append(kinds, kind.Name)
	}
	for _, others := range []map[string]int64{accepted, recorded.Total.Hits} {
		for kind := range others {
			if !slices.Contains(kinds, kind) {
				kinds = append(kinds, kind)
			}
		}
	}
	equal := visits > 0
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	row := func(name string, sent, recorded int64) {
		verdict := "equal"
		if sent != recorded {
			verdict, equal = fmt.Sprintf("%+d", recorded-sent), false
		}
		_, _ = fmt.Fprintf(t, "%s\t%d\t%d\t%s\t\n", name, sent, recorded, verdict)
	}
	_, _ = fmt.Fprintln(t, "\tledger\tsink\t\t")
	row("visits", visits, recorded.Total.Visits)
	for _, kind := range kinds {
		row(kind, accepted[kind], recorded.Total.Hits[kind])
	}
	row("cents of revenue", cents, recorded.Total.Revenue)
	_ = t.Flush() // a terminal that is gone cannot be told
	switch {
	case recorded.Violations > 0:
		_, _ = fmt.Fprintf(out, "\nThe sink reports %d violations.\n", recorded.Violations)
		return false
	case equal:
		_, _ = fmt.Fprintln(out, "\nExactly the hits that the ledger counts as accepted were recorded.")
	case visits == 0:
		_, _ = fmt.Fprintln(out, "\nNothing was sent.")
	default:
		_, _ = fmt.Fprintln(out, "\nLedger and sink differ.")
	}
	return equal
}
