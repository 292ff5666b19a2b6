// Package live turns the loadgen's status of each second into samples, which it keeps for two hours and sends to
// browsers, and into a row per interval for the run's history. It controls and estimates nothing; the loadgen's ledger
// is the record.
package live

import (
	"time"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
	"github.com/puttrix/trafficinator/shared/phase"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

// Target is one target's part of a Sample.
type Target struct {
	Name string `json:"name"`
	// Health is healthy, degraded, failed or unknown.
	Health   string          `json:"health"`
	Hits     runsummary.Hits `json:"hits"`
	InFlight uint64          `json:"in_flight"`
	// HitRate, in accepted hits per second, and Latency cover the time of the sample's Recent.
	HitRate float64            `json:"hit_rate"`
	Latency runsummary.Latency `json:"latency"`
	// LastError is the reason of the last hit that was not accepted, empty for none.
	LastError string `json:"last_error"`
}

// Point is one second in a chart. Rates are per second since the point before, even across a restart of the loadgen.
type Point struct {
	Time time.Time `json:"time"`
	// HitRate counts accepted hits, VisitRate started visits.
	HitRate   float64 `json:"hit_rate"`
	VisitRate float64 `json:"visit_rate"`
	// Delta is the increase of the hits since the point before, Latency that of the answers since.
	Delta      runsummary.Hits    `json:"delta"`
	Latency    runsummary.Latency `json:"latency"`
	OpenVisits uint64             `json:"open_visits"`
	// Scale is the factor of the planned rate, 0 while it was paused.
	Scale float64 `json:"scale"`
}

// Recent is the measurement of the last minute, or a tenth more, or less if the run is younger. At low rates a second
// is too short.
type Recent struct {
	// Seconds is how much time it covers.
	Seconds   float64            `json:"seconds"`
	HitRate   float64            `json:"hit_rate"`
	VisitRate float64            `json:"visit_rate"`
	Delta     runsummary.Hits    `json:"delta"`
	Latency   runsummary.Latency `json:"latency"`
}

// Sample is a Point with the state of its run.
type Sample struct {
	Point
	RunID    string      `json:"run_id"`
	PlanHash string      `json:"plan_hash"`
	Phase    phase.Phase `json:"phase"`
	Recent   Recent      `json:"recent"`

	Hits     runsummary.Hits            `json:"hits"`
	ByKind   map[string]runsummary.Hits `json:"by_kind"`
	Visits   runsummary.Visits          `json:"visits"`
	InFlight uint64                     `json:"in_flight"`
	Revenue  float64                    `json:"revenue"`
	Targets  []Target                   `json:"targets"`
	// Due are the visits that were due so far, without those that a pause or the cap withheld.
	Due uint64 `json:"visits_due"`
	// Stops are the limits of the run. Aborts reports whether the run ends if a threshold fails for ten seconds.
	Stops      []Stop               `json:"stops"`
	Thresholds []runsummary.Verdict `json:"thresholds"`
	Aborts     bool                 `json:"threshold_abort"`
	// Reasons are why hits were not accepted so far, most hits first; Warnings are about answers that accepted them.
	Reasons  []runsummary.Reason `json:"reasons"`
	Warnings []runsummary.Reason `json:"warnings"`
	// Capacity is the state of a capacity search; nil for other runs.
	Capacity *runsummary.Capacity `json:"capacity"`
}

// StopKind is the kind of a limit.
type StopKind string

// The kinds of Stop.
const (
	// StopVisits, StopHours and StopProfile end a run as planned, StopBrake ends it because too many hits fail; StopCap
	// pauses it until its window is over.
	StopVisits  StopKind = "visits"
	StopHours   StopKind = "hours"
	StopProfile StopKind = "profile"
	StopCap     StopKind = "cap"
	StopBrake   StopKind = "error_brake"
)

// Stop is a limit of the run, which takes effect when Current reaches Limit.
type Stop struct {
	Kind StopKind `json:"kind" enum:"visits,hours,profile,cap,error_brake"`
	Unit string   `json:"unit" enum:"visits,s,share"`
	// Current excludes pauses for a profile, which stops during them; for the cap it counts reserved visits, a
	// hundredth of the cap at a time.
	Current float64 `json:"current"`
	Limit   float64 `json:"limit"`
	// Judged is false while there is too little data: the brake waits for a minute and ten hits.
	Judged bool `json:"judged"`
}

// EventKind is the kind of an Event.
type EventKind string

// The events of a stream.
const (
	StateEvent  EventKind = "state"
	SampleEvent EventKind = "sample"
	LogEvent    EventKind = "log"
)

// Event is one message of the stream.
type Event struct {
	// ID increases and is suitable as Last-Event-ID. It starts again with the controller, with another part before the
	// dash.
	ID   string
	Kind EventKind
	Data []byte // JSON

	number uint64
	line   launcher.Line // of a LogEvent
}

// Interval is a row of a run's history: what it did in the Seconds from At on. Intervals are five seconds long in the
// run's first hour, and a minute later.
type Interval struct {
	RunID   string             `json:"-"`
	At      time.Time          `json:"-"`
	Seconds float64            `json:"seconds"`
	Delta   runsummary.Hits    `json:"hits"`
	Visits  uint64             `json:"visits"`
	Revenue float64            `json:"revenue"`
	Latency runsummary.Latency `json:"latency"`
}
