// Package status owns the form in which a loadgen tells how it stands, at GET /status of its telemetry, for the
// controller that asks it once a second. Who watches loadgens with other programs has /metrics for it. It counts
// nothing and asks nobody.
package status

import (
	"time"

	"github.com/puttrix/trafficinator/shared/phase"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

// Path is where a loadgen answers with a Snapshot.
const Path = "/status"

// Snapshot is a loadgen at a moment.
type Snapshot struct {
	// Version is that of the loadgen.
	Version string      `json:"version"`
	Phase   phase.Phase `json:"phase"`
	// Pause is why new visits pause, one of package metric; empty where they do not.
	Pause string `json:"pause,omitempty"`
	// Life is when this process began: the counters of a run that is started again begin at 0 then.
	Life time.Time `json:"life,omitzero"`
	// Run is the summary of the run as it stands, without histograms and without what its visits were like. Of a
	// loadgen that idles it holds no more than the run id and the plan hash of its settings.
	Run runsummary.Summary `json:"run"`
	// Targets tell what a summary does not, by name.
	Targets map[string]Target `json:"targets"`
}

// Target is what a snapshot tells of a target beside the summary.
type Target struct {
	// InFlight is how many hits are in flight.
	InFlight uint64 `json:"in_flight"`
	// Answered counts the hits that were answered by how long that took: at each index those that took at most as many
	// seconds as Bounds has there, and at the end all of them.
	Answered []uint64 `json:"answered"`
}

// LatencyBuckets are the ends of the ranges of Answered, and of the latency histogram of /metrics, in seconds.
var LatencyBuckets = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}
