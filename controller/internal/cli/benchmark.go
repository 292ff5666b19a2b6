package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/puttrix/trafficinator/controller/internal/benchmark"
	"github.com/puttrix/trafficinator/controller/internal/benchmark/timing"
	"github.com/puttrix/trafficinator/shared/exitcode"
	"github.com/puttrix/trafficinator/shared/threshold"
)

const benchmarksPath = "/api/benchmarks"

type benchmarkFlags struct {
	benchmark.Options
	baseline, json bool
	html           string
	thresholds     []threshold.Threshold
}

// runBenchmark runs an API benchmark in the running controller, waits for it, and prints it. The exit code is
// exitcode.Missed if a report fails a threshold; by default, half of its requests must succeed.
func runBenchmark(ctx context.Context, args []string, h Host) error {
	f, c, err := parseBenchmarkFlags(h, args)
	if err != nil {
		return err
	}
	b, err := c.benchmark(ctx, f.Options)
	if err != nil {
		return err
	}
	comparison, err := c.compareBenchmark(ctx, b)
	if err != nil {
		return err
	}
	if f.html != "" {
		if err := c.download(ctx, benchmarksPath+"/"+b.ID+"/export?format=html", f.html); err != nil {
			return err
		}
	}
	if f.baseline && b.State == timing.BenchmarkDone {
		body := []byte(`{"baseline":true}`)
		if err := c.ask(ctx, http.MethodPost, benchmarksPath+"/"+b.ID+"/baseline", body, &b); err != nil {
			return err
		}
	}
	missed := benchmark.Judge(b, f.thresholds)
	if !f.json {
		printBenchmark(h.Stdout, b, comparison)
	} else if err := h.printJSON(struct {
		timing.ReportBenchmark
		Comparison *timing.BenchmarkComparison `json:"comparison"`
		Missed     []benchmark.Missed          `json:"missed"`
	}{b, comparison, append([]benchmark.Missed{}, missed...)}); err != nil {
		return fmt.Errorf("write benchmark: %w", err)
	}
	for _, m := range missed {
		_, _ = fmt.Fprintf(h.Stderr, "missed: %s: %s, %s %s is %s\n", m.Expression, m.Report, m.Period, m.Segment,
			threshold.FormatValue(m.Verdict))
	}
	switch {
	case b.State != timing.BenchmarkDone:
		return fmt.Errorf("the benchmark was %s: %s", b.State, b.Error)
	case len(missed) > 0:
		return exit(exitcode.Missed)
	}
	return nil
}

func parseBenchmarkFlags(h Host, args []string) (f benchmarkFlags, c *client, err error) {
	set := flag.NewFlagSet("benchmark", flag.ContinueOnError)
	list := func(into *[]string, separator string) func(string) error {
		return func(v string) error {
			for part := range strings.SplitSeq(v, separator) {
				*into = append(*into, strings.TrimSpace(part))
			}
			return nil
		}
	}
	var expressions []string
	set.StringVar(&f.Target, "target", "", "name or id of a saved target (default: the target of MATOMO_URL)")
	set.Func("reports", "names of reports, separated by semicolons (default: all)", list(&f.Reports, ";"))
	set.Func("periods", "of day,week,month,year,range (default: day,week,month)", list(&f.Periods, ","))
	set.Func("segments", "Matomo segment; can be repeated, and an empty one is all visits", func(v string) error {
		f.Segments = append(f.Segments, v)
		return nil
	})
	set.IntVar(&f.Repeats, "repeats", benchmark.DefaultRepeats, "warm requests of each report, 1 to 100")
	set.IntVar(&f.Parallel, "parallel", benchmark.DefaultParallel,
		"parallel clients of the last round, 1 to 16; 1 skips that round")
	timeout := set.Duration("timeout", benchmark.DefaultTimeout, "timeout of a request, up to 10m")
	set.StringVar(&f.Date, "date", "", "date to report on, YYYY-MM-DD (default: yesterday in the site's time zone)")
	set.StringVar(&f.Note, "note", "", "free text")
	set.BoolVar(&f.baseline, "baseline", false, "make this benchmark the baseline of its site")
	set.Func("threshold", "threshold for each report, such as p95<2s; p50, p95, p99 or error_share; can be repeated",
		list(&expressions, ","))
	set.BoolVar(&f.json, "json", false, "print JSON")
	set.StringVar(&f.html, "html", "", "write a self-contained page to this file")
	if c, err = newClient(h, set, args); err != nil {
		return f, c, err
	}
	f.Timeout = int(timeout.Seconds())
	thresholds, problems := benchmark.Thresholds(strings.Join(expressions, ","))
	f.thresholds = thresholds
	return f, c, h.printProblems(problems)
}

// benchmark starts a benchmark and waits for it. Cancelling ctx cancels the benchmark.
func (c *client) benchmark(ctx context.Context, o benchmark.Options) (b timing.ReportBenchmark, err error) {
	body, err := json.Marshal(o)
	if err != nil {
		return b, fmt.Errorf("encode request: %w", err)
	}
	if err := c.ask(ctx, http.MethodPost, benchmarksPath, body, &b); err != nil {
		return b, err
	}
	path := benchmarksPath + "/" + b.ID
	err = c.poll(ctx, path, &b, func() (news, line string, inProgress bool) {
		return b.Asking, fmt.Sprintf("%d of %d requests: %s", b.Done, b.Planned, b.Asking),
			b.State == timing.BenchmarkRunning
	})
	if ctx.Err() != nil {
		resp, cancelled := c.call(context.WithoutCancel(ctx), http.MethodDelete, path, nil)
		if cancelled != nil {
			return b, cancelled
		}
		_ = resp.Body.Close() // only read
		err = ctx.Err()
	}
	return b, err
}

// compareBenchmark compares a benchmark with the baseline of its site; it returns nil if there is none.
func (c *client) compareBenchmark(ctx context.Context, b timing.ReportBenchmark) (*timing.BenchmarkComparison, error) {
	var list struct {
		Benchmarks []struct {
			URL      string `json:"url"`
			SiteID   int    `json:"site_id"`
			Baseline bool   `json:"baseline"`
		} `json:"benchmarks"`
	}
	if err := c.ask(ctx, http.MethodGet, benchmarksPath, nil, &list); err != nil {
		return nil, err
	}
	for _, other := range list.Benchmarks {
		if other.Baseline && other.URL == b.URL && other.SiteID == b.SiteID {
			out := &timing.BenchmarkComparison{}
			return out, c.ask(ctx, http.MethodGet, benchmarksPath+"/"+b.ID+"/comparison", nil, out)
		}
	}
	return nil, nil
}

func printBenchmark(w io.Writer, b timing.ReportBenchmark, comparison *timing.BenchmarkComparison) {
	visits, traffic := "unknown", "no concurrent load from this generator"
	if b.Visits != nil {
		visits = fmt.Sprint(*b.Visits)
	}
	if b.RunID != "" {
		traffic = "run " + b.RunID + " was sending at the same time"
	}
	_, _ = fmt.Fprintf(w, "%s: %s, site %d, Matomo %s, visits: %s, date %s, %s\n\n", b.ID, b.Target, b.SiteID,
		b.Version, visits, b.Date, traffic)
	differences := comparison.Differences()
	rows := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(rows, "report\tperiod\tsegment\tcold\tp50\tp95\tmax\tparallel "+
		"p95\trows\tbytes\ttimeouts\tfailures\tbaseline")
	slowest := slices.SortedStableFunc(slices.Values(b.Results), func(x, y timing.ReportTiming) int {
		return cmp.Compare(y.Warm.P50, x.Warm.P50)
	})
	for _, r := range slowest {
		cold := 0.
		if r.Cold != nil {
			cold = *r.Cold
		}
		d := differences[r.Key()]
		verdict := string(d.Verdict)
		if d.Ratio != nil {
			verdict += fmt.Sprintf(" (× %.2f)", *d.Ratio)
		}
		_, _ = fmt.Fprintf(rows, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%d\t%d\t%d\t%d\t%s\n", r.Report, r.Period, r.Segment,
			millis(cold), millis(r.Warm.P50), millis(r.Warm.P95), millis(r.Warm.Max), millis(r.Parallel.P95), r.Rows,
			r.Bytes, r.Timeouts, r.Failures, verdict)
	}
	_ = rows.Flush() // there is no one to report a closed terminal to
	for _, r := range slowest {
		if r.Error != "" {
			_, _ = fmt.Fprintf(w, "- %s, %s %s: %s\n", r.Report, r.Period, r.Segment, r.Error)
		}
	}
	for _, s := range b.Skipped {
		_, _ = fmt.Fprintf(w, "- %s was skipped: %s\n", s.Report, s.Why)
	}
	if comparison != nil {
		_, _ = fmt.Fprintf(w, "\ncompared with the baseline %s\n", comparison.Baseline)
		for _, condition := range comparison.Conditions {
			_, _ = fmt.Fprintln(w, "-", condition)
		}
	}
}

// millis formats seconds as milliseconds.
func millis(seconds float64) string {
	if seconds == 0 {
		return "–"
	}
	return fmt.Sprintf("%.0f ms", 1000*seconds)
}
