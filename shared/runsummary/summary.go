// Package runsummary owns the form of a run's record: the ledger that the loadgen writes every second and at the end, and
// that everybody else reads. It counts nothing itself.
package runsummary

import (
	"encoding/json"
	"fmt"
	"time"
)

// Visits counts visits by fate; Planned is the sum of the five, Split the visits that Matomo makes beyond them, and
// Repeated those that it may make: of a visitor whose next hit was sent while Matomo may still have been at work on the
// last request.
type Visits struct {
	Planned   uint64 `json:"planned"`
	Complete  uint64 `json:"complete"`
	Partial   uint64 `json:"partial"`
	Uncertain uint64 `json:"uncertain"`
	Lost      uint64 `json:"lost"`
	Unsent    uint64 `json:"unsent"`
	Split     uint64 `json:"split"`
	Repeated  uint64 `json:"repeated"`
}

// ExpectedInMatomo are the fewest and the most visits that Matomo should have of these.
func (v Visits) ExpectedInMatomo() (least, most uint64) {
	least = v.Complete + v.Partial + v.Split
	return least, least + v.Uncertain + v.Repeated
}

// Latency are percentiles in seconds, from the intended moment of a hit to its answer.
type Latency struct {
	P50 float64 `json:"p50"`
	P95 float64 `json:"p95"`
	P99 float64 `json:"p99"`
}

// Target is what a summary says of a target beyond its hits.
type Target struct {
	URL string `json:"url"`
	// APIURL is the address of its Reporting API, "" for the one in the tracker's folder.
	APIURL      string  `json:"api_url,omitempty"`
	SiteID      int     `json:"site_id"`
	Health      string  `json:"health"`
	SuccessRate float64 `json:"success_rate"`
	Latency     Latency `json:"latency"`
	// Histogram holds all latencies in µs: an HDR histogram in its compressed form V2, in base64.
	Histogram string `json:"latency_histogram,omitempty"`
	LastError string `json:"last_error,omitempty"`
	// LastSuccess and LastFailure are when an answer came that accepted a hit, and one that did not, zero for never.
	LastSuccess time.Time `json:"last_success,omitzero"`
	LastFailure time.Time `json:"last_failure,omitzero"`
	// ByKind and Account are the target's part of what the summary tells of all.
	ByKind map[string]Hits `json:"by_kind"`
	Totals
	// Reserved are visits of the target that may begin before the summary is written again.
	Reserved *Reserved `json:"reserved,omitempty"`
}

// Totals is what became of visits, and what they brought. Money is in the site's currency.
type Totals struct {
	Visits   Visits  `json:"visits"`
	Revenue  float64 `json:"revenue"`
	Tax      float64 `json:"tax"`
	Shipping float64 `json:"shipping"`
	// Items counts the pieces of all orders.
	Items  uint64 `json:"items"`
	Opened Opened `json:"opened"`
}

// Opened counts the visits of which an action was accepted, as Matomo's reports break them down: by the site's days
// (YYYY-MM-DD), ISO country ("" where none was sent), source (direct, search, social, website, campaign; "" where the
// first hit, which alone tells it, was not accepted) and device type.
type Opened struct {
	Days      map[string]uint64 `json:"days"`
	Countries map[string]uint64 `json:"countries"`
	Sources   map[string]uint64 `json:"sources"`
	Devices   map[string]uint64 `json:"devices"`
}

// Schema is the version of the form of a Summary that is written: docs/summary.schema.json. A field that is added leaves
// it as it is.
const Schema = 1

// Summary is the record of a run, as written to the state folder every second and to the summary file at the end.
type Summary struct {
	// Schema is the version of its form, 0 in older summaries and where it is no file.
	Schema int    `json:"schema,omitempty"`
	RunID  string `json:"run_id"`
	// Kind is Live, CapacitySearch or BackfillJob; records of before had none.
	Kind     string    `json:"kind,omitempty"`
	Seed     uint64    `json:"seed"`
	PlanHash string    `json:"plan_hash"`
	Started  time.Time `json:"started"`
	// Ended is zero and Reason empty while the run goes on.
	Ended  time.Time `json:"ended,omitzero"`
	Reason string    `json:"reason"`
	// DurationSeconds is how long the run has lasted, the sleep of its machine included, by a clock that nobody sets.
	// Ended is so much later than Started, whatever the wall clock shows by then. Older summaries have none.
	DurationSeconds float64 `json:"duration_seconds,omitempty"`
	// Killed counts the starts of the loadgen that were killed. What they sent after the summary was written last is
	// among the unknown hits.
	Killed int `json:"killed,omitempty"`
	// Message explains an end that nobody asked for.
	Message string `json:"message,omitempty"`

	Hits     Hits            `json:"hits"`
	ByKind   map[string]Hits `json:"by_kind"`
	ByTarget map[string]Hits `json:"by_target"`
	Totals
	// Due is how many visits should have begun by the schedule; what a pause or a cap withheld is not due.
	Due uint64 `json:"visits_due"`
	// Bulk is there where hits were sent in bulk.
	Bulk    *Bulk             `json:"bulk,omitempty"`
	Latency Latency           `json:"latency"`
	Targets map[string]Target `json:"targets"`
	// Strategy is how visits are dealt out to the targets.
	Strategy string `json:"distribution_strategy,omitempty"`
	// Reasons say why hits were not accepted, most hits first. Warnings are of the same form, for hits that were
	// accepted although something about their answers was wrong.
	Reasons  []Reason `json:"reasons,omitempty"`
	Warnings []Reason `json:"warnings,omitempty"`
	// Standstills are the times in which this process itself did not run: paused, or the machine asleep.
	Standstills []Standstill `json:"standstills,omitempty"`
	// Thresholds are what the run must keep, as they stand.
	Thresholds []Verdict `json:"thresholds,omitempty"`
	// Capacity is there in a capacity search.
	Capacity *Capacity `json:"capacity,omitempty"`
	// Backfill is there in a backfill.
	Backfill *Backfill `json:"backfill,omitempty"`

	InFlight   uint64 `json:"in_flight"`
	OpenVisits uint64 `json:"open_visits"`
	// FinishBy is when open visits are cut off, where the run was asked to finish them, else zero. CutVisits counts the
	// visits that a stop ended with hits left to send: these hits are abandoned.
	FinishBy  time.Time `json:"finish_by,omitzero"`
	CutVisits uint64    `json:"cut_visits,omitempty"`
	// FirstVisit is the number of the run's first visit; NextVisit is the first that surely was not used: numbers are
	// reserved ahead.
	FirstVisit uint64 `json:"first_visit"`
	NextVisit  uint64 `json:"next_visit"`
}

// Bulk sums what Matomo's receipts said of bulk requests. A receipt with invalid hits that does not say which makes
// all hits of its request unknown: these sums then tell more than the rows do.
type Bulk struct {
	Requests uint64 `json:"requests"`
	Hits     uint64 `json:"hits"`
	Tracked  uint64 `json:"tracked"`
	Invalid  uint64 `json:"invalid"`
}

// Encode is the summary as indented JSON, as files hold it.
func (s *Summary) Encode() ([]byte, error) {
	file := *s
	file.Schema = Schema
	data, err := json.MarshalIndent(&file, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode summary: %w", err)
	}
	return append(data, '\n'), nil
}
