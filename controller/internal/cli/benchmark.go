package cli

import (
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

// benchmarkFlags are those of the command.
type benchmarkFlags struct {
	request struct {
		Target   string   `json:"target,omitempty"`
		Reports  []string `json:"reports,omitempty"`
		Periods  []string `json:"periods,omitempty"`
		Segments []string `json:"segments,omitempty"`
		Repeats  int      `json:"repeats"`
		Parallel int      `json:"parallel"`
		Timeout  int      `json:"timeout_seconds"`
		Date     string   `json:"date,omitempty"`
		Note     string   `json:"note,omitempty"`
	}
	baseline, json bool
	html           string
	thresholds     []threshold.Threshold
}

// BenchmarkReports has the running controller time the reports of a Matomo, waits for it, and prints it. It ends with
// exitcode.Missed where a report does not keep a threshold, among which is that half of its requests are answered.
func BenchmarkReports(ctx context.Context, args []string, h Host) int {
	f, c, ok := readBenchmarkFlags(h, args)
	if !ok {
		return exitcode.BadConfig
	}
	b, err := c.benchmark(ctx, f)
	if err != nil {
		return c.host.fail(err)
	}
	var beside *timing.BenchmarkComparison
	if beside, err = c.finish(ctx, f, b); err != nil {
		return c.host.fail(err)
	}
	missed := benchmark.Judge(b, f.thresholds)
	if f.json {
		if err := h.printJSON(struct {
			timing.ReportBenchmark
			Comparison *timing.BenchmarkComparison `json:"comparison"`
			Missed     []benchmark.Missed          `json:"missed"`
		}{b, beside, append([]benchmark.Missed{}, missed...)}); err != nil {
			return c.host.fail(fmt.Errorf("write benchmark: %w", err))
		}
	} else {
		printBenchmark(h.Stdout, b, beside)
	}
	for _, m := range missed {
		_, _ = fmt.Fprintf(h.Stderr, "missed: %s: %s, %s %s is %s\n", m.Expression, m.Report, m.Period, m.Segment,
			threshold.FormatValue(m.Verdict))
	}
	switch {
	case b.State != timing.BenchmarkDone:
		return c.host.fail(fmt.Errorf("the benchmark was %s: %s", b.State, b.Error))
	case len(missed) > 0:
		return exitcode.Missed
	}
	return exitcode.OK
}

func readBenchmarkFlags(h Host, args []string) (f benchmarkFlags, c *caller, ok bool) {
	set := flag.NewFlagSet("benchmark-reports", flag.ContinueOnError)
	r := &f.request
	list := func(into *[]string, separator string) func(string) error {
		return func(v string) error {
			for part := range strings.SplitSeq(v, separator) {
				*into = append(*into, strings.TrimSpace(part))
			}
			return nil
		}
	}
	var expressions []string
	set.StringVar(&r.Target, "target", "", "name or number of a saved target; the one of MATOMO_URL unless given")
	set.Func("reports", "names of reports, separated by semicolons; all unless given", list(&r.Reports, ";"))
	set.Func("periods", "of day,week,month,year,range; day,week,month unless given", list(&r.Periods, ","))
	set.Func("segments", "a segment of Matomo; can be repeated, and an empty one is all visits", func(v string) error {
		r.Segments = append(r.Segments, v)
		return nil
	})
	set.IntVar(&r.Repeats, "repeats", benchmark.DefaultRepeats, "warm requests of each report, 1 to 100")
	set.IntVar(&r.Parallel, "parallel", benchmark.DefaultParallel,
		"how many ask at once after that, 1 to 16; 1 leaves it out")
	timeout := set.Duration("timeout", benchmark.DefaultTimeout, "how long an answer is waited for, at most 10m")
	set.StringVar(&r.Date, "date", "", "the day that the periods hold, YYYY-MM-DD; yesterday of the site unless given")
	set.StringVar(&r.Note, "note", "", "a text to find it by")
	set.BoolVar(&f.baseline, "baseline", false, "mark it as the baseline that later ones are compared with")
	set.Func("threshold", "what each report must keep, such as p95<2s; p50, p95, p99 or error_share; can be repeated",
		list(&expressions, ","))
	set.BoolVar(&f.json, "json", false, "print JSON")
	set.StringVar(&f.html, "html", "", "write a page that stands alone to this file")
	if c, ok = newCaller(h, set, args); !ok {
		return f, c, false
	}
	r.Timeout = int(timeout.Seconds())
	thresholds, problems := benchmark.Thresholds(strings.Join(expressions, ","))
	for _, p := range problems {
		_, _ = fmt.Fprintf(h.Stderr, "%s: %s\n", p.Severity, p)
	}
	f.thresholds = thresholds
	return f, c, problems.Err() == nil
}

// benchmark begins one and asks for it until it has ended; who gives up waiting cancels it.
func (c *caller) benchmark(ctx context.Context, f benchmarkFlags) (b timing.ReportBenchmark, err error) {
	body, err := json.Marshal(f.request)
	if err != nil {
		return b, fmt.Errorf("write request: %w", err)
	}
	const path = "/api/report-benchmarks"
	if err := c.ask(ctx, http.MethodPost, path, body, &b); err != nil {
		return b, err
	}
	one := path + "/" + b.ID
	err = c.follow(ctx, one, &b, func() (news, line string, going bool) {
		return b.Asking, fmt.Sprintf("%d of %d requests: %s", b.Done, b.Planned, b.Asking),
			b.State == timing.BenchmarkRunning
	})
	if ctx.Err() != nil {
		resp, cancelled := c.call(context.WithoutCancel(ctx), http.MethodDelete, one)
		if cancelled != nil {
			return b, cancelled
		}
		_ = resp.Body.Close() // only read
		err = ctx.Err()
	}
	return b, err
}

// finish compares with the baseline where there is one, writes the page, and marks the benchmark.
func (c *caller) finish(ctx context.Context, f benchmarkFlags,
	b timing.ReportBenchmark) (*timing.BenchmarkComparison, error) {
	path := "/api/report-benchmarks/" + b.ID
	var list struct {
		Benchmarks []struct {
			URL      string `json:"url"`
			SiteID   int    `json:"site_id"`
			Baseline bool   `json:"baseline"`
		} `json:"benchmarks"`
	}
	if err := c.ask(ctx, http.MethodGet, "/api/report-benchmarks", nil, &list); err != nil {
		return nil, err
	}
	var beside *timing.BenchmarkComparison
	for _, other := range list.Benchmarks {
		if other.Baseline && other.URL == b.URL && other.SiteID == b.SiteID {
			beside = &timing.BenchmarkComparison{}
			if err := c.ask(ctx, http.MethodGet, path+"/comparison", nil, beside); err != nil {
				return nil, err
			}
		}
	}
	if f.html != "" {
		resp, err := c.call(ctx, http.MethodGet, path+"/export?format=html")
		if err != nil {
			return nil, err
		}
		defer resp.Body.Close() //nolint:errcheck // only read
		if err := save(c.host.FS, f.html, resp.Body); err != nil {
			return nil, err
		}
	}
	if f.baseline && b.State == timing.BenchmarkDone {
		return beside, c.ask(ctx, http.MethodPost, path+"/baseline", []byte(`{"baseline":true}`), &b)
	}
	return beside, nil
}

func printBenchmark(w io.Writer, b timing.ReportBenchmark, beside *timing.BenchmarkComparison) {
	visits, traffic := "unknown", "no traffic from here meanwhile"
	if b.Visits != nil {
		visits = fmt.Sprint(*b.Visits)
	}
	if b.RunID != "" {
		traffic = "run " + b.RunID + " was sending meanwhile"
	}
	_, _ = fmt.Fprintf(w, "%s: %s, site %d, Matomo %s, visits: %s, periods hold %s, %s\n\n", b.ID, b.Target, b.SiteID,
		b.Version, visits, b.Date, traffic)
	differences := map[timing.ReportKey]timing.ReportDifference{}
	if beside != nil {
		for _, d := range beside.Reports {
			differences[d.Key()] = d
		}
	}
	rows := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(rows, "report\tperiod\tsegment\tcold\tp50\tp95\tmax\tat once "+
		"p95\trows\tbytes\ttimeouts\tfailures\tbaseline")
	slowest := slices.SortedStableFunc(slices.Values(b.Results), func(x, y timing.ReportTiming) int {
		return int(1e6 * (y.Warm.P50 - x.Warm.P50))
	})
	for _, r := range slowest {
		cold := 0.
		if r.Cold != nil {
			cold = *r.Cold
		}
		verdict := string(differences[r.Key()].Verdict)
		if d := differences[r.Key()]; d.Ratio != nil {
			verdict += fmt.Sprintf(" (× %.2f)", *d.Ratio)
		}
		_, _ = fmt.Fprintf(rows, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%d\t%d\t%d\t%d\t%s\n", r.Report, r.Period, r.Segment,
			millis(cold), millis(r.Warm.P50), millis(r.Warm.P95),
			millis(r.Warm.Max), millis(r.Parallel.P95), r.Rows, r.Bytes, r.Timeouts, r.Failures, verdict)
	}
	_ = rows.Flush() // a terminal that is gone cannot be told
	for _, r := range slowest {
		if r.Error != "" {
			_, _ = fmt.Fprintf(w, "- %s, %s %s: %s\n", r.Report, r.Period, r.Segment, r.Error)
		}
	}
	for _, s := range b.Skipped {
		_, _ = fmt.Fprintf(w, "- %s was skipped: %s\n", s.Report, s.Why)
	}
	if beside != nil {
		_, _ = fmt.Fprintf(w, "\nbeside the baseline %s\n", beside.Baseline)
		for _, condition := range beside.Conditions {
			_, _ = fmt.Fprintln(w, "-", condition)
		}
	}
}

// millis is a time in whole milliseconds, nothing for none.
func millis(seconds float64) string {
	if seconds == 0 {
		return "–"
	}
	return fmt.Sprintf("%.0f ms", 1000*seconds)
}
