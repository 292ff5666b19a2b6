package runsummary

import "time"

// Capacity is the result of a capacity search so far. Rates are per second.
type Capacity struct {
	// Thresholds must pass in every step.
	Thresholds []string `json:"thresholds"`
	// From and To are the lowest and the highest rate of visits to try.
	From float64 `json:"from"`
	To   float64 `json:"to"`
	// VisitRate is the highest rate of visits that passed, and HitRate the rate of accepted hits at it; 0 if none
	// passed yet. Confirmed means that it passed for a full minute.
	VisitRate float64 `json:"visit_rate"`
	HitRate   float64 `json:"hit_rate"`
	Confirmed bool    `json:"confirmed"`
	// BrokenRate is the lowest rate of visits that failed, 0 if none did; Limit are its failed thresholds.
	BrokenRate float64   `json:"broken_rate,omitempty"`
	Limit      []Verdict `json:"limit,omitempty"`
	// Void is why the search gave up: its last step could not be measured after several attempts.
	Void     string            `json:"void,omitempty"`
	Steps    []CapacityStep    `json:"steps"`
	Progress *CapacityProgress `json:"under_way,omitempty"` // the current step, nil before the first and after the last
}

// CapacityKind is the purpose of a step.
type CapacityKind string

// The kinds of a step.
const (
	CapacityRaise   CapacityKind = "raise"   // finds a rate that fails
	CapacityBisect  CapacityKind = "bisect"  // narrows the limit between a rate that passed and one that failed
	CapacityConfirm CapacityKind = "confirm" // tests the rate found for a minute
)

// CapacityProgress is the current step.
type CapacityProgress struct {
	Kind             CapacityKind `json:"kind"`
	OfferedVisitRate float64      `json:"offered_visit_rate"`
	// Phase is "recover" until the backlog of a failed step is gone, "settle" until the visits of the previous rate
	// have ended, then "measure".
	Phase string `json:"phase"`
}

// CapacityStep is a finished step. Only its measured time counts.
type CapacityStep struct {
	Kind CapacityKind `json:"kind"`
	// Started is when the rate was set. Measured is shorter than planned if the step clearly failed.
	Started  time.Time `json:"started"`
	Settled  float64   `json:"settled_seconds"`
	Measured float64   `json:"measured_seconds"`
	// Rates per second: visits offered, visits started and tried, hits accepted.
	OfferedVisitRate float64 `json:"offered_visit_rate"`
	VisitRate        float64 `json:"visit_rate"`
	HitRate          float64 `json:"hit_rate"`
	Latency          Latency `json:"latency"`
	ErrorShare       float64 `json:"error_share"` // the share of finished hits that were not accepted, 0 to 1
	Held             bool    `json:"held"`
	// Void is why the step is not about the target and is repeated: the loadgen stood still, or hits were rejected in
	// front of Matomo or not sent at all.
	Void     string    `json:"void,omitempty"`
	Verdicts []Verdict `json:"verdicts"`
}

// Backfill is the progress of a backfill. It counts visits; the summary counts their hits.
type Backfill struct {
	Days []BackfillDay `json:"days"`
	// Visits and Batches (requests) are planned in total; BatchesDone have ended.
	Visits      uint64 `json:"visits_planned"`
	Batches     uint64 `json:"batches_planned"`
	BatchesDone uint64 `json:"batches_done"`
	// Unknown batches may have been accepted: they are never sent again.
	Unknown []Batch `json:"unknown_batches"`
	// EstimatedEnd is zero until something was sent, and once the job has ended.
	EstimatedEnd time.Time     `json:"estimated_end,omitzero"`
	Invalidation *Invalidation `json:"invalidation"`
}

// BackfillDay is a day of the site (YYYY-MM-DD). Planned visits in none of the other counts are still to be sent.
type BackfillDay struct {
	Date    string `json:"date"`
	Planned uint64 `json:"planned"`
	// Sent visits were accepted at least in part, Unknown ones may have been, Rejected ones were not.
	Sent     uint64 `json:"sent"`
	Unknown  uint64 `json:"unknown"`
	Rejected uint64 `json:"rejected"`
	// Unsent visits are longer than the part of the day that has passed.
	Unsent  uint64 `json:"unsent,omitempty"`
	Skipped string `json:"skipped"` // why the day has no visits, or fewer than planned
}

// Batch is a request with complete visits of one day. FirstVisit is the lowest of their numbers.
type Batch struct {
	Number     uint64 `json:"number"`
	Date       string `json:"date"`
	Target     string `json:"target"`
	FirstVisit uint64 `json:"first_visit"`
	Visits     int    `json:"visits"`
	Hits       int    `json:"hits"`
	Why        string `json:"why"` // why its outcome is unknown: no answer in time, or the job was killed
}

// Invalidation reports whether Matomo will rebuild its reports of the days; if not, Why, and the Command to do so.
type Invalidation struct {
	Done    bool   `json:"done"`
	Command string `json:"command"`
	Why     string `json:"why"`
}
