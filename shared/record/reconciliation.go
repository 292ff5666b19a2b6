package record

import "time"

// Reconciliation sets what Matomos show of a run beside its ledger.
type Reconciliation struct {
	RunID string `json:"run_id"`
	// Began is when it began, Taken when Matomo was asked last.
	Began time.Time `json:"began"`
	Taken time.Time `json:"taken"`
	// State is none (nobody has asked), following (the run goes on), waiting (for queue and archiving), done or cancelled.
	State string `json:"state" enum:"none,following,waiting,done,cancelled"`
	// Waiting tells what is waited for, and Until when the wait ends at the latest.
	Waiting string             `json:"waiting,omitempty"`
	Until   time.Time          `json:"until,omitzero"`
	Targets []ReconciledTarget `json:"targets"`
}

// ReconciledTarget is what one target shows.
type ReconciledTarget struct {
	Name   string `json:"name"`
	SiteID int    `json:"site_id"`
	// Slice is how the run is told from other traffic: dimension (its own custom dimension), site (the site had nothing
	// else on those days) or difference (what is there less what was there before); Limits says what that cannot tell.
	Slice  string `json:"slice" enum:"dimension,site,difference"`
	Limits string `json:"limits,omitempty"`
	// Error tells why nothing could be asked.
	Error  string          `json:"error,omitempty"`
	Rows   []ReconciledRow `json:"rows"`
	Causes []Cause         `json:"causes,omitempty"`
	// Freshness is how many seconds lay between a hit being sent and its visit being visible, as far as it was seen; nil
	// where it was not.
	Freshness *float64 `json:"freshness_seconds,omitempty"`
}

// The verdicts of a ReconciledRow.
const (
	RowEqual        = "equal"
	RowShort        = "short"
	RowMore         = "more"
	RowIncomparable = "incomparable"
)

// ReconciledRow compares one figure.
type ReconciledRow struct {
	// Group is total, day, country, source or device; Name what is counted in it.
	Group string `json:"group" enum:"total,day,country,source,device"`
	Name  string `json:"name"`
	// Sent is what surely arrived, and Most what may have: hits without a clear answer widen the expectation.
	Sent     float64 `json:"sent"`
	Most     float64 `json:"most"`
	Recorded float64 `json:"recorded"`
	// Off is how much is missing (below 0) or too much (above).
	Off     float64 `json:"off"`
	Verdict string  `json:"verdict" enum:"equal,short,more,incomparable"`
	Why     string  `json:"why,omitempty"`
}

// Cause is why rows are short, from evidence.
type Cause struct {
	// Kind is rejected, unknown, killed, excluded_addresses, excluded_agents, excluded_parameters, known_urls, failures,
	// clock, queue, spam, retention, dimension or archiving.
	Kind    string `json:"kind"`
	Message string `json:"message"`
	Cure    string `json:"cure,omitempty"`
}

// Lost tells whether a target surely shows less than was accepted.
func (r *Reconciliation) Lost() bool {
	for _, t := range r.Targets {
		for _, row := range t.Rows {
			if row.Verdict == RowShort {
				return true
			}
		}
	}
	return false
}
