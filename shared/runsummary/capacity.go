package runsummary

import "time"

// Capacity is what a capacity search has found so far, and how.
type Capacity struct {
	// Thresholds are what every step had to keep.
	Thresholds []string `json:"thresholds"`
	// From and To are the lowest and the highest rate that may be tried, in visits a second.
	From float64 `json:"from"`
	To   float64 `json:"to"`
	// VisitRate is the highest rate found to hold, in visits a second, and HitRate the hits a second that were accepted
	// at it; both are 0 until a step has held. Confirmed says that it held for a minute on end.
	VisitRate float64 `json:"visit_rate"`
	HitRate   float64 `json:"hit_rate"`
	Confirmed bool    `json:"confirmed"`
	// BrokenRate is the lowest rate that broke, in visits a second, 0 where none did. Limit are the verdicts that did
	// not hold there: how the limit showed.
	BrokenRate float64   `json:"broken_rate,omitempty"`
	Limit      []Verdict `json:"limit,omitempty"`
	// Void is why the search gave up: its last step could not be measured however often it was tried. Empty where it
	// did not.
	Void string `json:"void,omitempty"`
	// Steps are those that have ended, in their order.
	Steps []CapacityStep `json:"steps"`
	// Progress is the step that goes on, nil before the first and after the last.
	Progress *CapacityProgress `json:"under_way,omitempty"`
}

// CapacityKind is what a step of a capacity search is for.
type CapacityKind string

// The kinds of a step.
const (
	// CapacityRaise looks for a rate that breaks, CapacityBisect for the limit between one that held and one that
	// broke, and CapacityConfirm holds the rate found for a minute.
	CapacityRaise   CapacityKind = "raise"
	CapacityBisect  CapacityKind = "bisect"
	CapacityConfirm CapacityKind = "confirm"
)

// CapacityProgress is a step that goes on.
type CapacityProgress struct {
	Kind CapacityKind `json:"kind"`
	// OfferedVisitRate is in visits a second.
	OfferedVisitRate float64 `json:"offered_visit_rate"`
	// Phase is "recover" until the backlog of a broken step is gone, "settle" until the visits of the rate before have
	// ended, then "measure".
	Phase string `json:"phase"`
}

// CapacityStep is a step that has ended; what was measured is of its time alone, without the settling.
type CapacityStep struct {
	Kind CapacityKind `json:"kind"`
	// Started is when the rate was set, Settled the seconds until measuring began, Measured those it lasted: fewer than
	// planned where it broke clearly.
	Started  time.Time `json:"started"`
	Settled  float64   `json:"settled_seconds"`
	Measured float64   `json:"measured_seconds"`
	// OfferedVisitRate is the rate that was asked for, VisitRate the visits begun and tried, HitRate the hits accepted,
	// all a second.
	OfferedVisitRate float64 `json:"offered_visit_rate"`
	VisitRate        float64 `json:"visit_rate"`
	HitRate          float64 `json:"hit_rate"`
	Latency          Latency `json:"latency"`
	// ErrorShare is that of the hits that ended otherwise than accepted, 0 to 1.
	ErrorShare float64 `json:"error_share"`
	Held       bool    `json:"held"`
	// Void is why what was measured says nothing of the target: the loadgen stood still, or hits were refused in front
	// of Matomo or not sent to it at all. The step is measured again. Empty where it counts.
	Void     string    `json:"void,omitempty"`
	Verdicts []Verdict `json:"verdicts"`
}
