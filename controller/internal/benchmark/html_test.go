package benchmark_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/benchmark"
	"github.com/puttrix/trafficinator/controller/internal/benchmark/timing"
)

var began = time.Date(2026, 3, 29, 0, 59, 0, 0, time.UTC)

// twoReports is a benchmark, the slower report second.
func twoReports() *benchmark.Page {
	cold, visits, end := 1.5, uint64(20_000), began.Add(time.Minute)
	return &benchmark.Page{ReportBenchmark: timing.ReportBenchmark{
		ID: "b1", Target: "main", URL: "https://m.test/matomo.php", SiteID: 3, Began: began, Ended: &end,
		State:   timing.BenchmarkDone,
		Version: "5.2.0", Visits: &visits, Date: "2026-03-28", Repeats: 5, Parallel: 4, RunID: "nightly-7",
		Results: []timing.ReportTiming{
			{Report: "Goals", Method: "Goals.get", Period: "day",
				Warm: timing.Spread{Requests: 5, P50: .02, P95: .03, Max: .04}, Rows: 1, Bytes: 300},
			{Report: "Page URLs", Method: "Actions.getPageUrls", Period: "month", Segment: "countryCode==se",
				Cold: &cold, Warm: timing.Spread{Requests: 5, P50: .25, P95: .4, Max: .5}, Rows: 100, Bytes: 123_456,
				Timeouts: 1},
		},
		Skipped: []timing.SkippedReport{{Report: "Custom dimension, day", Why: "there is none"}},
	}}
}

func benchmarkPage(t *testing.T, b *benchmark.Page) string {
	t.Helper()
	var out strings.Builder
	if err := benchmark.WriteHTML(&out, b); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestTheSlowestReportComesFirst(t *testing.T) {
	text := benchmarkPage(t, twoReports())
	if urls, goals := strings.Index(text, ">Page URLs<"), strings.Index(text, ">Goals<"); urls < 0 || urls > goals {
		t.Errorf("page URLs at %d, goals at %d", urls, goals)
	}
	for _, want := range []string{">1.5 s<", ">250 ms<", ">400 ms<", ">500 ms<", ">123 kB<", "20,000",
		"run nightly-7 was sending", "5.2.0", "countryCode==se", "4 at once", "there is none"} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is not on the page", want)
		}
	}
	if strings.Contains(text, "vs. baseline") {
		t.Error("it is compared with nothing")
	}
}

func TestWhatGotSlowerIsToldFirst(t *testing.T) {
	b := twoReports()
	ratio := 2.5
	b.Comparison = &timing.BenchmarkComparison{Baseline: "b0",
		Conditions: []string{"The site had 10 visits and has 20000."}, Reports: []timing.ReportDifference{
			{Report: "Goals", Period: "day", Verdict: timing.ReportSame},
			{Report: "Page URLs", Period: "month", Segment: "countryCode==se", Verdict: timing.ReportSlower,
				Ratio: &ratio,
				Why:   "it timed out"},
		}}
	text := benchmarkPage(t, b)
	if !regexp.MustCompile(`id="verdict" class="badge bad">1 slower than the baseline<`).MatchString(text) {
		t.Error("the badge does not tell it")
	}
	for _, want := range []string{"▲ slower", "× 2.5", "it timed out", "= same", "had 10 visits", "b0"} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is not on the page", want)
		}
	}
}

func TestWhateverABenchmarkIsCalledIsText(t *testing.T) {
	const evil = `"><script>alert(1)</script><b style="x">`
	b := twoReports()
	b.Note, b.Target, b.URL, b.Error, b.ID, b.RunID, b.ReportBenchmark.Version = evil, evil, evil, evil,
		evil, evil, evil
	r := &b.Results[0]
	r.Report, r.Method, r.Segment, r.Error = evil, evil, evil, evil
	b.Skipped[0].Report = evil
	b.Comparison = &timing.BenchmarkComparison{Baseline: evil, Conditions: []string{evil}}
	text := benchmarkPage(t, b)
	for _, bad := range []string{"<script", "<b style"} {
		if strings.Contains(text, bad) {
			t.Errorf("the page has %s", bad)
		}
	}
	if !strings.Contains(text, "default-src 'none'") && !strings.Contains(text, "default-src &#39;none&#39;") {
		t.Error("it has no policy")
	}
}

func TestABenchmarkWithoutAnythingHasAPage(t *testing.T) {
	if text := benchmarkPage(t, &benchmark.Page{}); !strings.Contains(text, "No report was measured") {
		t.Error("it does not say so")
	}
}
