// Package metric owns the names of the loadgen's metrics and labels.
package metric

// The metrics. Label values are closed sets.
const (
	Planned       = "trafficinator_hits_planned_total"   // counts hits of started visits, by target and kind
	Hits          = "trafficinator_hits_total"           // counts finished hits, by target, kind and outcome
	InFlight      = "trafficinator_hits_in_flight"       // the number of requests in flight, by target
	Visits        = "trafficinator_visits_total"         // counts finished visits, by outcome (label fate)
	VisitsPlanned = "trafficinator_visits_planned_total" // counts started visits
	// VisitsDue counts visits due by the schedule, without those withheld by a pause or a cap.
	VisitsDue  = "trafficinator_visits_due_total"
	OpenVisits = "trafficinator_visits_open" // the number of visits in progress
	// Latency is a histogram of the seconds from when a hit is due to its response, by target.
	Latency = "trafficinator_hit_latency_seconds"
	Revenue = "trafficinator_revenue_total" // sums accepted orders, in the currency of the settings
	Healthy = "trafficinator_target_health" // 1 for a target's current state of health, else 0, by target and state
	Phase   = "trafficinator_phase"         // 1 for the current phase, else 0, by phase
	// FinishBy is the Unix time at which open visits are cut off, 0 unless the run is stopping.
	FinishBy = "trafficinator_finish_by_seconds"
	Pause    = "trafficinator_pause"     // 1 for the reason why new visits are paused, else 0, by reason
	PlanInfo = "trafficinator_plan_info" // 1, labelled with the plan hash and run id
)

// Reasons of a pause.
const (
	PauseAsked = "asked"      // requested in control.json
	PauseCap   = "daily_cap"  // MAX_TOTAL_VISITS reached
	PauseState = "state_full" // the state folder is not writable, its disk full or read-only
)

// The labels.
const (
	LabelTarget  = "target"
	LabelKind    = "kind"
	LabelOutcome = "outcome"
	LabelFate    = "fate"
	LabelState   = "state"
	LabelPhase   = "phase"
	LabelReason  = "reason"
	LabelHash    = "hash"
	LabelRunID   = "run_id"
)
