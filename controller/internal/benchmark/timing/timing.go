// Package timing owns the result of an API benchmark: how long each report took, and how that compares with a baseline.
// It measures and stores nothing.
package timing

import "time"

// ReportBenchmark is how fast a Matomo answered its Reporting API.
type ReportBenchmark struct {
	ID     string         `json:"id" doc:"Unique identifier."`
	Target string         `json:"target" doc:"Name of the target."`
	URL    string         `json:"url" doc:"URL of the target."`
	SiteID int            `json:"site_id" doc:"Id of the site."`
	Note   string         `json:"note" doc:"Free text."`
	Began  time.Time      `json:"began" doc:"Start of the benchmark."`
	Ended  *time.Time     `json:"ended" doc:"End of the benchmark; null while it is running."`
	State  BenchmarkState `json:"state" enum:"running,done,cancelled,failed" doc:"A cancelled benchmark keeps the reports that were measured."`
	Error  string         `json:"error,omitempty" doc:"Why the benchmark failed."`

	Done    int    `json:"done" doc:"Number of requests that have completed or were skipped."`
	Planned int    `json:"planned" doc:"Number of requests in total."`
	Asking  string `json:"asking,omitempty" doc:"Report that is being requested."`

	Repeats  int `json:"repeats" doc:"Number of warm requests of each report."`
	Parallel int `json:"parallel" doc:"Number of parallel clients of the last round."`
	// Version and Visits describe the data. Visits are counted at the end, because that makes Matomo archive.
	Version string  `json:"version" doc:"Version of Matomo."`
	Visits  *uint64 `json:"visits" doc:"Visits of the site in the longest period; null if they could not be counted."`
	RunID   string  `json:"run_id" doc:"Id of a run that was sending at the same time; empty if there was none."`

	Date     string          `json:"date" doc:"Date reported on, YYYY-MM-DD."`
	Baseline bool            `json:"baseline" doc:"Whether other benchmarks of the site are compared with this one."`
	Results  []ReportTiming  `json:"results" doc:"Results for each report."`
	Skipped  []SkippedReport `json:"skipped" doc:"Reports that could not be requested."`
}

// Failures returns how many reports have no warm response and how many requests timed out.
func (b ReportBenchmark) Failures() (failing, timeouts int) {
	for _, r := range b.Results {
		timeouts += r.Timeouts
		if r.Warm.Requests == 0 {
			failing++
		}
	}
	return failing, timeouts
}

// BenchmarkState is the state of a benchmark.
type BenchmarkState string

// The states of a benchmark.
const (
	BenchmarkRunning   BenchmarkState = "running"
	BenchmarkDone      BenchmarkState = "done"
	BenchmarkCancelled BenchmarkState = "cancelled"
	BenchmarkFailed    BenchmarkState = "failed"
)

// SkippedReport is a report that could not be requested.
type SkippedReport struct {
	Report string `json:"report" doc:"Name, period and segment of the report."`
	Why    string `json:"why" doc:"Why it was skipped."`
}

// ReportTiming is how fast one report was. Times are in seconds.
type ReportTiming struct {
	Report   string   `json:"report" doc:"Name of the report."`
	Method   string   `json:"method" doc:"Method of the Reporting API."`
	Period   string   `json:"period" doc:"Period of the report."`
	Segment  string   `json:"segment" doc:"Matomo segment; empty for all visits."`
	Cold     *float64 `json:"cold" doc:"Time of the first request in seconds, in which Matomo may have archived; null if it failed."`
	Warm     Spread   `json:"warm" doc:"Later requests, one at a time."`
	Parallel Spread   `json:"parallel" doc:"Requests of the parallel clients."`
	Rows     int      `json:"rows" doc:"Number of rows in the last response."`
	Bytes    int64    `json:"bytes" doc:"Size of the last response in bytes."`
	Timeouts int      `json:"timeouts" doc:"Number of requests that timed out."`
	Failures int      `json:"failures" doc:"Number of requests that failed for another reason."`
	Error    string   `json:"error,omitempty" doc:"The last error."`
}

// ReportKey identifies a report of a benchmark.
type ReportKey struct{ Report, Period, Segment string }

// Key returns the key of the report.
func (r ReportTiming) Key() ReportKey { return ReportKey{r.Report, r.Period, r.Segment} }

// Spread is how long requests took, in seconds. All fields are 0 if there were none.
type Spread struct {
	Requests int       `json:"requests" doc:"Number of successful requests."`
	P50      float64   `json:"p50" doc:"Median in seconds."`
	P95      float64   `json:"p95" doc:"95th percentile in seconds."`
	Max      float64   `json:"max" doc:"Maximum in seconds."`
	Times    []float64 `json:"times,omitempty" doc:"All times in seconds, in ascending order."`
}

// ReportVerdict is how a report compares with the baseline.
type ReportVerdict string

// The verdicts. ReportNew has no time in the baseline, ReportFailing none now.
const (
	ReportSame    ReportVerdict = "same"
	ReportSlower  ReportVerdict = "slower"
	ReportFaster  ReportVerdict = "faster"
	ReportNew     ReportVerdict = "new"
	ReportFailing ReportVerdict = "failing"
)

// ReportDifference compares a report with the baseline.
type ReportDifference struct {
	Report  string        `json:"report" doc:"Name of the report."`
	Period  string        `json:"period" doc:"Period of the report."`
	Segment string        `json:"segment" doc:"Matomo segment; empty for all visits."`
	Verdict ReportVerdict `json:"verdict" enum:"same,slower,faster,new,failing" doc:"new: without a time in the baseline. failing: without a time now."`
	Before  *float64      `json:"before" doc:"Median of the warm requests in the baseline, in seconds; null if there is none."`
	Now     *float64      `json:"now" doc:"Median of the warm requests, in seconds; null if there is none."`
	Ratio   *float64      `json:"ratio" doc:"now divided by before; null if there is none."`
	Why     string        `json:"why,omitempty" doc:"Explains the verdict if the medians do not."`
}

// Key returns the key of the report.
func (d ReportDifference) Key() ReportKey { return ReportKey{d.Report, d.Period, d.Segment} }

// BenchmarkComparison compares a benchmark with a baseline.
type BenchmarkComparison struct {
	ID         string             `json:"id" doc:"Id of the benchmark."`
	Baseline   string             `json:"baseline" doc:"Id of the benchmark that it is compared with."`
	Began      time.Time          `json:"baseline_began" doc:"Start of that benchmark."`
	Conditions []string           `json:"conditions" doc:"Other differences that may explain those of the reports, a sentence each."`
	Reports    []ReportDifference `json:"reports" doc:"The reports of the benchmark, in its order."`
	Missing    int                `json:"missing" doc:"Number of reports that only the baseline has."`
}

// Differences returns the compared reports by key. A nil comparison has none.
func (c *BenchmarkComparison) Differences() map[ReportKey]ReportDifference {
	out := map[ReportKey]ReportDifference{}
	if c != nil {
		for _, d := range c.Reports {
			out[d.Key()] = d
		}
	}
	return out
}
