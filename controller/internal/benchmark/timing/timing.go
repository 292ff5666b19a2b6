// Package timing owns the result of a benchmark of reports: how long each took, and how that compares with a baseline.
// It measures nothing and knows nothing of where results are kept.
package timing

import "time"

// ReportBenchmark is how fast a Matomo answered its Reporting API.
type ReportBenchmark struct {
	ID string `json:"id"`
	// Target, URL and SiteID tell which site was asked.
	Target string    `json:"target"`
	URL    string    `json:"url"`
	SiteID int       `json:"site_id"`
	Note   string    `json:"note"`
	Began  time.Time `json:"began"`
	// Ended is nil while it goes on.
	Ended *time.Time `json:"ended"`
	// State is one of those of a benchmark; Error tells why it failed.
	State BenchmarkState `json:"state" enum:"running,done,cancelled,failed"`
	Error string         `json:"error,omitempty"`
	// Done of Planned requests have ended or are left out by now; Asking is the report that is asked for.
	Done    int    `json:"done"`
	Planned int    `json:"planned"`
	Asking  string `json:"asking,omitempty"`
	// Repeats and Parallel are how often each report was asked for warm, and by how many at once.
	Repeats  int `json:"repeats"`
	Parallel int `json:"parallel"`
	// Version is Matomo's. Visits are those of the site in the longest of the periods, counted at the end because
	// asking for them has Matomo archive; nil where they could not be counted. Both are the state of the data.
	Version string  `json:"version"`
	Visits  *uint64 `json:"visits"`
	// RunID is the run that was sending meanwhile, empty where none was.
	RunID string `json:"run_id"`
	// Date is the day that the periods hold, YYYY-MM-DD.
	Date string `json:"date"`
	// Baseline says that the site's other benchmarks are compared with this one.
	Baseline bool           `json:"baseline"`
	Results  []ReportTiming `json:"results"`
	// Skipped are reports that could not be asked for, with the reason.
	Skipped []SkippedReport `json:"skipped"`
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

// BenchmarkState is how far a benchmark is.
type BenchmarkState string

// The states of a benchmark. A cancelled one keeps the reports that it had measured.
const (
	BenchmarkRunning   BenchmarkState = "running"
	BenchmarkDone      BenchmarkState = "done"
	BenchmarkCancelled BenchmarkState = "cancelled"
	BenchmarkFailed    BenchmarkState = "failed"
)

// SkippedReport is one that was left out.
type SkippedReport struct {
	Report string `json:"report"`
	Why    string `json:"why"`
}

// ReportTiming is how fast one report was. Times are in seconds.
type ReportTiming struct {
	Report  string `json:"report"`
	Method  string `json:"method"`
	Period  string `json:"period"`
	Segment string `json:"segment"`
	// Cold is the first request, in which Matomo may have archived; nil where it failed.
	Cold *float64 `json:"cold"`
	// Warm are the requests after it one at a time, Parallel those at once.
	Warm     Spread `json:"warm"`
	Parallel Spread `json:"parallel"`
	// Rows and Bytes are those of the last answer.
	Rows  int   `json:"rows"`
	Bytes int64 `json:"bytes"`
	// Timeouts had no answer in time, Failures another end; Error is the last of these.
	Timeouts int    `json:"timeouts"`
	Failures int    `json:"failures"`
	Error    string `json:"error,omitempty"`
}

// ReportKey tells the reports of a benchmark apart.
type ReportKey struct{ Report, Period, Segment string }

// Key is that of a report.
func (r ReportTiming) Key() ReportKey { return ReportKey{r.Report, r.Period, r.Segment} }

// Spread is how long requests took, in seconds. All are 0 where there were none.
type Spread struct {
	Requests int     `json:"requests"`
	P50      float64 `json:"p50"`
	P95      float64 `json:"p95"`
	Max      float64 `json:"max"`
	// Times are all of them, in order of size.
	Times []float64 `json:"times,omitempty"`
}

// ReportVerdict is how a report did beside the baseline.
type ReportVerdict string

// The verdicts.
const (
	ReportSame   ReportVerdict = "same"
	ReportSlower ReportVerdict = "slower"
	ReportFaster ReportVerdict = "faster"
	// ReportNew has no time in the baseline, ReportFailing none now.
	ReportNew     ReportVerdict = "new"
	ReportFailing ReportVerdict = "failing"
)

// ReportDifference is a report beside the baseline.
type ReportDifference struct {
	Report  string        `json:"report"`
	Period  string        `json:"period"`
	Segment string        `json:"segment"`
	Verdict ReportVerdict `json:"verdict" enum:"same,slower,faster,new,failing"`
	// Before and Now are the medians of the warm requests in seconds, and Ratio how many times as long it takes now;
	// each is nil where there is none.
	Before *float64 `json:"before"`
	Now    *float64 `json:"now"`
	Ratio  *float64 `json:"ratio"`
	// Why says what the medians do not.
	Why string `json:"why,omitempty"`
}

// Key is that of the report.
func (d ReportDifference) Key() ReportKey { return ReportKey{d.Report, d.Period, d.Segment} }

// BenchmarkComparison sets a benchmark beside a baseline.
type BenchmarkComparison struct {
	ID string `json:"id"`
	// Baseline is the id of what it is compared with, and Began when that was.
	Baseline string    `json:"baseline"`
	Began    time.Time `json:"baseline_began"`
	// Conditions are what else differs, a sentence each: it may explain the differences.
	Conditions []string           `json:"conditions"`
	Reports    []ReportDifference `json:"reports"`
	// Missing are reports of the baseline that were not asked for now.
	Missing int `json:"missing"`
}
