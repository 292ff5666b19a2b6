// Package estimate owns the form in which a loadgen tells what a plan would come to, for whoever asks `loadgen plan
// --estimate`. It computes nothing, and nothing in it is measured.
package estimate

// Estimate is what the settings of a plan come to, from the first visits of the plan.
type Estimate struct {
	// SampledVisits is how many visits of the plan were looked at.
	SampledVisits int `json:"sampled_visits"`

	// HitsPerVisit counts all requests for a hit, ActionsPerVisit what Matomo counts as actions, and BytesPerVisit the
	// bodies of these requests without headers. All are means.
	HitsPerVisit    float64 `json:"hits_per_visit"`
	ActionsPerVisit float64 `json:"actions_per_visit"`
	BytesPerVisit   float64 `json:"bytes_per_visit"`
	// OpenSeconds is the mean time from the first request of a visit to its last one.
	OpenSeconds float64 `json:"open_seconds"`

	// VisitsPerSecond and HitsPerSecond are the highest rates of the load; a backfill has none, and both are 0.
	VisitsPerSecond float64 `json:"visits_per_second"`
	HitsPerSecond   float64 `json:"hits_per_second"`
	// OpenVisits is how many visits are open at once at these rates.
	OpenVisits float64 `json:"open_visits"`
	// HitsPerRequest is how many hits a request carries: 1 where they are sent one by one.
	HitsPerRequest float64 `json:"hits_per_request"`
	// Concurrency is how many requests may be in flight.
	Concurrency int `json:"concurrency"`

	// Visits is how many visits begin until the run ends, 0 where it has no end.
	Visits uint64 `json:"visits"`
	// End is how the run ends by itself; nil where it has no end.
	End *End `json:"end,omitempty"`
	// PausesAfterSeconds is the time from the first visit until the cap of 24 hours pauses the run; 0 where it never
	// does.
	PausesAfterSeconds float64 `json:"pauses_after_seconds,omitempty"`
}

// End is how a run ends by itself.
type End struct {
	// Seconds is how long it lasts; of a backfill the shortest time that its limit of requests allows.
	Seconds float64 `json:"seconds"`
	// By is the setting that ends it: LOAD_PROFILE, AUTO_STOP_AFTER_HOURS, STOP_AFTER_VISITS, or BACKFILL_RPS_LIMIT for
	// the least time of a backfill.
	By string `json:"by" enum:"LOAD_PROFILE,AUTO_STOP_AFTER_HOURS,STOP_AFTER_VISITS,BACKFILL_RPS_LIMIT"`
}
