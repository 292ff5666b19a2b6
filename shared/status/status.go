// Package status owns the JSON of a loadgen's GET /status, for the controller; other programs use /metrics.
package status

import (
	"time"

	"github.com/puttrix/trafficinator/shared/phase"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

// Path is the route of a Snapshot.
const Path = "/status"

// Snapshot is the state of a loadgen.
type Snapshot struct {
	Version string      `json:"version"`
	Phase   phase.Phase `json:"phase"`
	// Pause is why new visits are paused, one of package metric; empty if they are not.
	Pause string    `json:"pause,omitempty"`
	Life  time.Time `json:"life,omitzero"` // when this process started; its counters started at 0
	// Run is the current run summary without histograms and breakdowns; of an idle loadgen only run id and plan hash.
	Run runsummary.Summary `json:"run"`
	// Targets has what a summary lacks, by name.
	Targets map[string]Target `json:"targets"`
}

// Target is the state of a target beyond the summary.
type Target struct {
	InFlight uint64 `json:"in_flight"` // counts hits in flight
	// Answered counts answered hits cumulatively by LatencyBuckets, and all of them at the end.
	Answered []uint64 `json:"answered"`
}

// LatencyBuckets are the upper bounds of Answered and of the latency histogram of /metrics, in seconds.
var LatencyBuckets = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}
