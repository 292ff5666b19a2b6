// Package comparison owns the result of a reconciliation: Matomo's figures of a run next to its summary, and the
// verdicts. It queries and stores nothing.
package comparison

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// ReconcileState is the state of a Reconciliation.
type ReconcileState string

// The states of a Reconciliation: ReconcileFollowing until the run has ended, then ReconcileWaiting for Matomo's
// queue and archiving.
const (
	ReconcileNone      ReconcileState = "none"
	ReconcileFollowing ReconcileState = "following"
	ReconcileWaiting   ReconcileState = "waiting"
	ReconcileDone      ReconcileState = "done"
	ReconcileCancelled ReconcileState = "cancelled"
)

// Match is the verdict of a comparison of sent with recorded figures.
type Match string

// The verdicts, by precedence; for the rows of a target, only MatchEqual precedes MatchIncomparable.
const (
	// MatchShort: less was recorded than was accepted.
	MatchShort Match = "short"
	// MatchMore: more was recorded than can have been sent, without an explanation.
	MatchMore Match = "more"
	// MatchNotAsked is only used for targets: Matomo did not respond.
	MatchNotAsked Match = "not_asked"
	// MatchNotArchived: the reports show less than the raw log, until they are archived.
	MatchNotArchived Match = "not_archived"
	// MatchIncomparable: the figures do not show whether hits are missing, for the reason in Why.
	MatchIncomparable Match = "incomparable"
	MatchEqual        Match = "equal"
)

// Reconciliation compares a run with Matomo's figures.
type Reconciliation struct {
	RunID   string             `json:"run_id" doc:"Id of the run."`
	Began   time.Time          `json:"began" doc:"Start of the reconciliation."`
	Taken   time.Time          `json:"taken" doc:"Time of the last comparison."`
	State   ReconcileState     `json:"state" enum:"none,following,waiting,done,cancelled" doc:"following: the run is in progress. waiting: for Matomo's queue and archiving."`
	Waiting string             `json:"waiting,omitempty" doc:"What the reconciliation is waiting for."`
	Until   time.Time          `json:"until,omitzero" doc:"Latest end of the wait."`
	Verdict Match              `json:"verdict,omitempty" enum:"equal,short,more,not_asked,not_archived,incomparable" doc:"The first of short, more, not_asked, not_archived, incomparable and equal among the targets; empty until the reconciliation is done."`
	Targets []ReconciledTarget `json:"targets" doc:"The sites that the run sent to."`
}

// ReconciledTarget compares one site of one Matomo. Several targets of the same site are added up.
type ReconciledTarget struct {
	Name      string           `json:"name" doc:"Name of the target, or the names of several targets, separated by a plus sign."`
	SiteID    int              `json:"site_id" doc:"Id of the site."`
	Parts     []ReconciledPart `json:"parts,omitempty" doc:"The targets, if there are several."`
	Verdict   Match            `json:"verdict,omitempty" enum:"equal,short,more,not_asked,not_archived,incomparable" doc:"The first of short, more, not_asked, not_archived and equal among the rows, otherwise incomparable; never equal if the visits cannot be compared. Empty until the reconciliation is done."`
	Slice     string           `json:"slice,omitempty" enum:"dimension,site,difference" doc:"How the run is distinguished from other traffic. dimension: by a custom dimension. site: the site had no other traffic on those days. difference: earlier figures are subtracted. Empty if Matomo could not be queried."`
	Limits    string           `json:"limits,omitempty" doc:"What this does not distinguish."`
	Error     string           `json:"error,omitempty" doc:"Why Matomo could not be queried."`
	Rows      []ReconciledRow  `json:"rows" doc:"The compared figures."`
	Causes    []Cause          `json:"causes,omitempty" doc:"Possible causes of differences."`
	Freshness *float64         `json:"freshness_seconds,omitempty" doc:"Seconds from sending a hit until its visit was visible, if measured."`
}

// ReconciledPart is one of several targets of the same site.
type ReconciledPart struct {
	Name   string `json:"name" doc:"Name of the target."`
	Visits uint64 `json:"visits" doc:"Visits that certainly arrived through it."`
	Hits   uint64 `json:"hits" doc:"Hits that were accepted."`
}

// ReconciledRow compares one figure.
type ReconciledRow struct {
	Group    string  `json:"group" enum:"total,day,country,source,device" doc:"Breakdown that the figure belongs to."`
	Name     string  `json:"name" doc:"Name of the figure within the group."`
	Sent     float64 `json:"sent" doc:"Minimum expected: what was certainly accepted."`
	Most     float64 `json:"most" doc:"Maximum expected: includes hits with an unknown outcome."`
	Recorded float64 `json:"recorded" doc:"Recorded by Matomo."`
	Off      float64 `json:"off" doc:"How much is missing (negative) or too much (positive)."`
	Verdict  Match   `json:"verdict" enum:"equal,short,more,not_archived,incomparable" doc:"Result of the comparison."`
	Why      string  `json:"why,omitempty" doc:"Explains the verdict."`
}

// Telling reports whether the row deserves a line: totals do, and rows that are off.
func (r ReconciledRow) Telling() bool {
	return r.Group == "total" || r.Verdict == MatchShort || r.Verdict == MatchMore
}

// Label names the row for people.
func (r ReconciledRow) Label() string {
	if r.Group == "total" {
		return r.Name
	}
	return r.Group + " " + r.Name
}

// Cause is evidence for why rows are off.
type Cause struct {
	Kind    string `json:"kind" doc:"rejected, unknown, killed, excluded_addresses, excluded_agents, excluded_parameters, known_urls, failures, clock, queue, spam, retention, dimension, archiving, visits_split (Matomo creates more visits from the same actions) or surplus (more actions than were sent)."`
	Message string `json:"message" doc:"The cause in a sentence."`
	Cure    string `json:"cure,omitempty" doc:"How to fix it."`
}

// Judge sets all verdicts except those of rows.
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
	otherVisits := false // visits of others may hide missing ones
	for i, r := range t.Rows {
		rows[i] = r.Verdict
		otherVisits = otherVisits || r.Group == "total" && r.Name == "visits" && r.Verdict == MatchIncomparable
	}
	verdict := first(rows, MatchShort, MatchMore, MatchNotArchived, MatchEqual)
	if verdict == MatchEqual && otherVisits {
		return MatchIncomparable
	}
	return verdict
}

// first returns the first of some verdicts that is among all, or MatchIncomparable.
func first(all []Match, some ...Match) Match {
	for _, m := range some {
		if slices.Contains(all, m) {
			return m
		}
	}
	return MatchIncomparable
}

// DecodeReconciliation decodes a saved reconciliation. Earlier versions did not save the verdicts of targets.
func DecodeReconciliation(body []byte) (r Reconciliation, err error) {
	if err := json.Unmarshal(body, &r); err != nil {
		return r, fmt.Errorf("decode reconciliation: %w", err)
	}
	if r.State == ReconcileDone {
		r.Judge()
	}
	return r, nil
}
