// Package estimate owns the JSON of `loadgen plan --estimate`. Nothing in it is measured.
package estimate

// Estimate is computed from the first visits of a plan.
type Estimate struct {
	SampledVisits int `json:"sampled_visits"`

	// Means. BytesPerVisit counts request bodies without headers.
	HitsPerVisit    float64 `json:"hits_per_visit"`
	ActionsPerVisit float64 `json:"actions_per_visit"`
	BytesPerVisit   float64 `json:"bytes_per_visit"`
	OpenSeconds     float64 `json:"open_seconds"` // the mean time between a visit's first and last request

	// VisitsPerSecond and HitsPerSecond are the peak rates, 0 for a backfill.
	VisitsPerSecond float64 `json:"visits_per_second"`
	HitsPerSecond   float64 `json:"hits_per_second"`
	OpenVisits      float64 `json:"open_visits"`      // the number of visits open at these rates
	HitsPerRequest  float64 `json:"hits_per_request"` // 1 unless hits are sent in bulk
	Concurrency     int     `json:"concurrency"`      // the maximum number of requests in flight

	Visits uint64 `json:"visits"`        // the number of visits until the run ends, 0 if it has no end
	End    *End   `json:"end,omitempty"` // nil if the run has no end
	// PausesAfterSeconds is the time until the 24-hour cap pauses the run, 0 for never.
	PausesAfterSeconds float64 `json:"pauses_after_seconds,omitempty"`
}

// End is how a run ends by itself.
type End struct {
	Seconds float64 `json:"seconds"` // its duration; for a backfill, the minimum that its request limit allows
	// By is the setting that ends it.
	By string `json:"by" enum:"LOAD_PROFILE,AUTO_STOP_AFTER_HOURS,STOP_AFTER_VISITS,BACKFILL_RPS_LIMIT"`
}
