// Package comparison owns the result of a reconciliation: what Matomo shows of a run beside its ledger, and what that comes
// to. It asks no Matomo and knows nothing of where results are kept.
package comparison

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// ReconcileState is how far a Reconciliation has come.
type ReconcileState string

// The states of a Reconciliation.
const (
	// ReconcileNone: nobody has asked for one.
	ReconcileNone ReconcileState = "none"
	// ReconcileFollowing: the run has not ended.
	ReconcileFollowing ReconcileState = "following"
	// ReconcileWaiting: Matomo's queue and archiving are waited for.
	ReconcileWaiting   ReconcileState = "waiting"
	ReconcileDone      ReconcileState = "done"
	ReconcileCancelled ReconcileState = "cancelled"
)

// Match is what a comparison of what was sent with what was recorded comes to.
type Match string

// The matches, in the order in which one of them decides for several; only MatchEqual decides for the rows of a target
// before MatchIncomparable.
const (
	// MatchShort: less was recorded than was accepted.
	MatchShort Match = "short"
	// MatchMore: more was recorded than can have been sent, and nothing explains it.
	MatchMore Match = "more"
	// MatchNotAsked is that of a target, never of a row: its Matomo did not answer.
	MatchNotAsked Match = "not_asked"
	// MatchNotArchived: the reports show less than the raw log, which they will show once they are archived.
	MatchNotArchived Match = "not_archived"
	// MatchIncomparable: the figures do not tell whether anything is missing; Why tells the reason.
	MatchIncomparable Match = "incomparable"
	MatchEqual        Match = "equal"
)

// Reconciliation sets what Matomos show of a run beside its ledger.
type Reconciliation struct {
	RunID string `json:"run_id"`
	// Began is when it began, Taken when Matomo was asked last.
	Began time.Time      `json:"began"`
	Taken time.Time      `json:"taken"`
	State ReconcileState `json:"state" enum:"none,following,waiting,done,cancelled"`
	// Waiting tells what is waited for, and Until when the wait ends at the latest.
	Waiting string    `json:"waiting,omitempty"`
	Until   time.Time `json:"until,omitzero"`
	// Verdict is the first of short, more, not_asked, not_archived, incomparable and equal that a target has; it is
	// empty until the reconciliation is done.
	Verdict Match              `json:"verdict,omitempty" enum:"equal,short,more,not_asked,not_archived,incomparable"`
	Targets []ReconciledTarget `json:"targets"`
}

// ReconciledTarget is what one site of one Matomo shows. Several targets that lead to it are added up.
type ReconciledTarget struct {
	// Name is that of the target, or those of several with " + " between.
	Name   string `json:"name"`
	SiteID int    `json:"site_id"`
	// Parts are the targets where there are several.
	Parts []ReconciledPart `json:"parts,omitempty"`
	// Verdict is the first of short, more, not_asked, not_archived and equal that is true of a row, else incomparable.
	// It is not equal where the visits cannot be compared, and empty until the reconciliation is done.
	Verdict Match `json:"verdict,omitempty" enum:"equal,short,more,not_asked,not_archived,incomparable"`
	// Slice is how the run is told from other traffic: dimension (its own custom dimension), site (the site had nothing
	// else on those days) or difference (what is there less what was there before); it is empty where it could not be
	// asked. Limits says what that cannot tell.
	Slice  string `json:"slice,omitempty" enum:"dimension,site,difference"`
	Limits string `json:"limits,omitempty"`
	// Error tells why nothing could be asked.
	Error  string          `json:"error,omitempty"`
	Rows   []ReconciledRow `json:"rows"`
	Causes []Cause         `json:"causes,omitempty"`
	// Freshness is how many seconds lay between a hit being sent and its visit being visible, as far as it was seen;
	// nil where it was not.
	Freshness *float64 `json:"freshness_seconds,omitempty"`
}

// ReconciledPart is one of several targets that lead to the same site.
type ReconciledPart struct {
	Name string `json:"name"`
	// Visits surely arrived by it, Hits were accepted.
	Visits uint64 `json:"visits"`
	Hits   uint64 `json:"hits"`
}

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
	Verdict Match   `json:"verdict" enum:"equal,short,more,not_archived,incomparable"`
	Why     string  `json:"why,omitempty"`
}

// Telling says that the row is worth a line of its own: the totals, and of the long lists what is missing or too much.
func (r ReconciledRow) Telling() bool {
	return r.Group == "total" || r.Verdict == MatchShort || r.Verdict == MatchMore
}

// Cause is why rows are off, from evidence.
type Cause struct {
	// Kind is rejected, unknown, killed, excluded_addresses, excluded_agents, excluded_parameters, known_urls,
	// failures, clock, queue, spam, retention, dimension, archiving, visits_split (Matomo makes more visits of the same
	// actions) or surplus (more actions than were sent).
	Kind    string `json:"kind"`
	Message string `json:"message"`
	Cure    string `json:"cure,omitempty"`
}

// Judge sets the verdicts of the targets and of the whole.
func (r *Reconciliation) Judge() {
	var all []Match
	for i := range r.Targets {
		t := &r.Targets[i]
		t.Verdict = t.verdict()
		all = append(all, t.Verdict)
	}
	r.Verdict = first(all, MatchShort, MatchMore, MatchNotAsked, MatchNotArchived, MatchIncomparable, MatchEqual)
}

func (t *ReconciledTarget) verdict() Match {
	if t.Error != "" {
		return MatchNotAsked
	}
	rows := make([]Match, len(t.Rows))
	for i := range t.Rows {
		rows[i] = t.Rows[i].Verdict
	}
	verdict := first(rows, MatchShort, MatchMore, MatchNotArchived, MatchEqual)
	others := func(r ReconciledRow) bool {
		return r.Group == "total" && r.Name == "visits" && r.Verdict == MatchIncomparable
	}
	if verdict == MatchEqual && slices.ContainsFunc(t.Rows, others) {
		return MatchIncomparable // visits of others may hide what is missing
	}
	return verdict
}

// first is the first of some matches that is among all, MatchIncomparable where none is.
func first(all []Match, some ...Match) Match {
	for _, m := range some {
		if slices.Contains(all, m) {
			return m
		}
	}
	return MatchIncomparable
}

// DecodeReconciliation reads one that was kept, also of the time when no verdicts of targets were kept with it.
func DecodeReconciliation(body []byte) (r Reconciliation, err error) {
	if err := json.Unmarshal(body, &r); err != nil {
		return r, fmt.Errorf("decode reconciliation: %w", err)
	}
	if r.State == ReconcileDone {
		r.Judge()
	}
	return r, nil
}
