package record

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
	Ended  time.Time `json:"ended,omitzero"`
	// State is running, done, cancelled or failed; Error tells why it failed.
	State string `json:"state" enum:"running,done,cancelled,failed"`
	Error string `json:"error,omitempty"`
	// Done of Planned requests have ended.
	Done    int `json:"done"`
	Planned int `json:"planned"`
	// Version is Matomo's, Visits those of the site in the longest of the periods: the state of the data.
	Version string `json:"version"`
	Visits  uint64 `json:"visits"`
	// Run is the id of the run that was sending meanwhile, empty where none was.
	Run string `json:"run_id,omitempty"`
	// Date is the day that the periods hold.
	Date    string         `json:"date"`
	Results []ReportTiming `json:"results"`
	// Skipped are reports that could not be asked for, with the reason.
	Skipped []SkippedReport `json:"skipped,omitempty"`
}

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

// Key tells the reports of a benchmark apart.
func (r ReportTiming) Key() string { return r.Report + " " + r.Period + " " + r.Segment }

// Spread is how long requests took, in seconds. All are 0 where there were none.
type Spread struct {
	Requests int     `json:"requests"`
	P50      float64 `json:"p50"`
	P95      float64 `json:"p95"`
	Max      float64 `json:"max"`
	// Times are all of them, in order of size.
	Times []float64 `json:"times,omitempty"`
}
