// Package runsummary owns the run summary: the JSON file that the loadgen writes every second and at the end of a run.
package runsummary

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/puttrix/trafficinator/shared/outcome"
)

// Visits counts visits by outcome. Planned is the sum of the next five; Split are the additional visits that Matomo
// starts, Repeated those that it may start: a hit was sent while Matomo may still have been processing the one before.
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

// ExpectedInMatomo returns the range of visits that Matomo should have.
func (v Visits) ExpectedInMatomo() (least, most uint64) {
	least = v.Complete + v.Partial + v.Split
	return least, least + v.Uncertain + v.Repeated
}

// Latency is percentiles in seconds, from when a hit is due to its response.
type Latency struct {
	P50 float64 `json:"p50"`
	P95 float64 `json:"p95"`
	P99 float64 `json:"p99"`
}

// Target is the part of a summary that concerns a target.
type Target struct {
	URL         string  `json:"url"`
	APIURL      string  `json:"api_url,omitempty"` // the Reporting API's URL, "" for the one next to the tracker
	SiteID      int     `json:"site_id"`
	Health      string  `json:"health"`
	SuccessRate float64 `json:"success_rate"`
	Latency     Latency `json:"latency"`
	// Histogram is an HDR histogram of all latencies in µs, in compressed form V2 and base64.
	Histogram string `json:"latency_histogram,omitempty"`
	LastError string `json:"last_error,omitempty"`
	// LastSuccess and LastFailure are the times of the last accepting and the last other response, zero for never.
	LastSuccess time.Time `json:"last_success,omitzero"`
	LastFailure time.Time `json:"last_failure,omitzero"`
	// ByKind and Totals are the target's part of the summary's.
	ByKind map[string]Hits `json:"by_kind"`
	Totals
	// Reserved visits may start before the summary is written again.
	Reserved *Reserved `json:"reserved,omitempty"`
}

// Totals counts visits and what they brought. Money is in the site's currency.
type Totals struct {
	Visits   Visits  `json:"visits"`
	Revenue  float64 `json:"revenue"`
	Tax      float64 `json:"tax"`
	Shipping float64 `json:"shipping"`
	Items    uint64  `json:"items"` // counts the units of all orders
	Opened   Opened  `json:"opened"`
}

// Opened breaks down the visits with an accepted action like Matomo's reports: by the site's day (YYYY-MM-DD), ISO
// country ("" if none was sent), source (direct, search, social, website, campaign; "" if the first hit, which carries
// it, was not accepted) and device type.
type Opened struct {
	Days      map[string]uint64 `json:"days"`
	Countries map[string]uint64 `json:"countries"`
	Sources   map[string]uint64 `json:"sources"`
	Devices   map[string]uint64 `json:"devices"`
}

// Schema is the version of docs/summary.schema.json; added fields do not change it.
const Schema = 1

// Summary is a run summary, as written to the state folder every second and to the summary file at the end.
type Summary struct {
	Schema   int       `json:"schema,omitempty"` // 0 in older summaries and outside files
	RunID    string    `json:"run_id"`
	Kind     string    `json:"kind,omitempty"` // Live, CapacitySearch or BackfillJob; "" in older summaries
	Seed     uint64    `json:"seed"`
	PlanHash string    `json:"plan_hash"`
	Started  time.Time `json:"started"`
	Ended    time.Time `json:"ended,omitzero"` // zero while the run is in progress
	Reason   string    `json:"reason"`         // empty while the run is in progress
	// DurationSeconds is measured by a monotonic clock that includes the machine's sleep; Ended is Started plus it. 0
	// in older summaries.
	DurationSeconds float64 `json:"duration_seconds,omitempty"`
	// Killed counts the killed processes of the run. What they sent after the last write counts as unknown.
	Killed  int    `json:"killed,omitempty"`
	Message string `json:"message,omitempty"` // explains an unrequested end

	Hits     Hits            `json:"hits"`
	ByKind   map[string]Hits `json:"by_kind"`
	ByTarget map[string]Hits `json:"by_target"`
	Totals
	// Due counts visits due by the schedule, without those withheld by a pause or a cap.
	Due      uint64            `json:"visits_due"`
	Bulk     *Bulk             `json:"bulk,omitempty"` // nil unless hits were sent in bulk
	Latency  Latency           `json:"latency"`
	Targets  map[string]Target `json:"targets"`
	Strategy string            `json:"distribution_strategy,omitempty"` // how visits are distributed over the targets
	// Reasons say why hits were not accepted, Warnings what else was wrong with responses; most hits first.
	Reasons  []Reason `json:"reasons,omitempty"`
	Warnings []Reason `json:"warnings,omitempty"`
	// Standstills are the times in which the process did not run: it was paused, or the machine asleep.
	Standstills []Standstill `json:"standstills,omitempty"`
	Thresholds  []Verdict    `json:"thresholds,omitempty"`
	Capacity    *Capacity    `json:"capacity,omitempty"`
	Backfill    *Backfill    `json:"backfill,omitempty"`

	InFlight   uint64 `json:"in_flight"`
	OpenVisits uint64 `json:"open_visits"`
	// FinishBy is when open visits are cut off, zero unless the run is stopping. CutVisits counts visits that a stop
	// cut off; their remaining hits are abandoned.
	FinishBy  time.Time `json:"finish_by,omitzero"`
	CutVisits uint64    `json:"cut_visits,omitempty"`
	// FirstVisit is the run's first number, NextVisit the first certainly unused: they are reserved in advance.
	FirstVisit uint64 `json:"first_visit"`
	NextVisit  uint64 `json:"next_visit"`
}

// Bulk sums Matomo's receipts for bulk requests. If a receipt does not say which hits are invalid, all hits of its
// request count as unknown, so these sums know more than the outcomes.
type Bulk struct {
	Requests uint64 `json:"requests"`
	Hits     uint64 `json:"hits"`
	Tracked  uint64 `json:"tracked"`
	Invalid  uint64 `json:"invalid"`
}

// Encode returns the summary as the indented JSON of its file.
func (s *Summary) Encode() ([]byte, error) {
	file := *s
	file.Schema = Schema
	data, err := json.MarshalIndent(&file, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode summary: %w", err)
	}
	return append(data, '\n'), nil
}

// Verdict is the result of a threshold.
type Verdict struct {
	Expression string   `json:"expression"` // the threshold as written
	Metric     string   `json:"metric"`
	Value      *float64 `json:"value"` // a fraction of 1 for a share, seconds for a latency; nil if not measured
	Held       bool     `json:"held"`
	BuiltIn    bool     `json:"built_in,omitempty"` // means the default threshold
	// Pending means not decided yet: not measured so far, or a count that still grows. Never after the end of a run.
	Pending bool `json:"pending,omitempty"`
}

// Standstill is a time in which the loadgen's process did not run: stopped, paused, or its machine asleep.
type Standstill struct {
	At      time.Time `json:"at"` // its end, by the wall clock
	Seconds float64   `json:"seconds"`
	// Visits and Hits were due meanwhile and not sent; all their hits are shed.
	Visits uint64 `json:"visits"`
	Hits   uint64 `json:"hits"`
}

// TotalStandstill sums the standstills of a run. At is the last one's.
func (s *Summary) TotalStandstill() Standstill {
	var sum Standstill
	for _, one := range s.Standstills {
		sum = Standstill{one.At, sum.Seconds + one.Seconds, sum.Visits + one.Visits, sum.Hits + one.Hits}
	}
	return sum
}

// Duration returns DurationSeconds, or Ended minus Started in older summaries.
func (s *Summary) Duration() time.Duration {
	if s.DurationSeconds > 0 {
		return time.Duration(s.DurationSeconds * float64(time.Second))
	}
	return max(0, s.Ended.Sub(s.Started))
}

// Hits counts hits by outcome; Planned is their sum plus open hits.
type Hits struct {
	Planned   uint64 `json:"planned"`
	Accepted  uint64 `json:"accepted"`
	Rejected  uint64 `json:"rejected"`
	Failed    uint64 `json:"failed"`
	Unknown   uint64 `json:"unknown"`
	Shed      uint64 `json:"shed"`
	Abandoned uint64 `json:"abandoned"`
}

// Of returns the count of an outcome.
func (h Hits) Of(o outcome.Outcome) uint64 {
	return [outcome.Count]uint64{h.Accepted, h.Rejected, h.Failed, h.Unknown, h.Shed, h.Abandoned}[o]
}

// NotAccepted counts finished hits that were neither accepted nor abandoned.
func (h Hits) NotAccepted() uint64 { return h.Rejected + h.Failed + h.Unknown + h.Shed }

// Tried counts finished hits that were not abandoned.
func (h Hits) Tried() uint64 { return h.Accepted + h.NotAccepted() }
