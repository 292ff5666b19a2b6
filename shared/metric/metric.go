// Package metric owns the names of the loadgen's metrics and of their labels, for who exposes and who scrapes them.
package metric

// The metrics. Label values are closed sets: targets by their configured names, kinds and outcomes by the ledger's.
const (
	// Planned counts hits of visits that began, by target and kind.
	Planned = "trafficinator_hits_planned_total"
	// Hits counts hits that ended, by target, kind and outcome.
	Hits = "trafficinator_hits_total"
	// InFlight is the number of requests in flight, by target.
	InFlight = "trafficinator_hits_in_flight"
	// Visits counts visits that ended, by fate.
	Visits = "trafficinator_visits_total"
	// VisitsPlanned counts visits that began.
	VisitsPlanned = "trafficinator_visits_planned_total"
	// VisitsDue counts visits that should have begun by the schedule; what a pause or a cap withheld is not due.
	VisitsDue = "trafficinator_visits_due_total"
	// OpenVisits is the number of visits that began and have not ended.
	OpenVisits = "trafficinator_visits_open"
	// Latency is a histogram of seconds from a hit's intended moment to its answer, by target.
	Latency = "trafficinator_hit_latency_seconds"
	// Revenue sums the accepted orders, in the unit of the settings.
	Revenue = "trafficinator_revenue_total"
	// Healthy is 1 for the state of health a target is in, else 0, by target and state.
	Healthy = "trafficinator_target_health"
	// Phase is 1 for the phase the loadgen is in, by phase.
	Phase = "trafficinator_phase"
	// FinishBy is the Unix time at which open visits are cut off, 0 where the run was not asked to finish them.
	FinishBy = "trafficinator_finish_by_seconds"
	// Pause is 1 for what new visits pause for, else 0, by reason: PauseAsked, PauseCap or PauseState.
	Pause = "trafficinator_pause"
	// PlanInfo is 1, with the hash of the running plan and its run id as labels.
	PlanInfo = "trafficinator_plan_info"
)

// Why new visits pause.
const (
	// PauseAsked: control.json asks for it.
	PauseAsked = "asked"
	// PauseCap: MAX_TOTAL_VISITS is reached.
	PauseCap = "daily_cap"
	// PauseState: the state folder cannot be written, because its disk is full or read-only.
	PauseState = "state_full"
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
