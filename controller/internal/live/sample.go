// Package live owns the numbers of now: it takes the loadgen's status each second, turns its counters into what was
// sent and how fast, keeps two hours of it in memory and a row a minute for the run's history, and hands it to whoever
// listens. It controls nothing and estimates nothing; the ledger of record stays the loadgen's file.
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
	// HitRate, in accepted hits per second, and Latency are of the time that the sample's Recent covers.
	HitRate float64            `json:"hit_rate"`
	Latency runsummary.Latency `json:"latency"`
	// LastError is why the latest hit that was not accepted was not; empty where all were.
	LastError string `json:"last_error"`
}

// Point is one second in a chart. Rates are per second and measured between two looks, also across a restart of the
// loadgen in between.
type Point struct {
	Time time.Time `json:"time"`
	// HitRate is accepted hits per second, VisitRate visits begun per second, since the point before.
	HitRate   float64 `json:"hit_rate"`
	VisitRate float64 `json:"visit_rate"`
	// Delta is what the hits gained since the point before, and Latency that of those answered since.
	Delta      runsummary.Hits    `json:"delta"`
	Latency    runsummary.Latency `json:"latency"`
	OpenVisits uint64             `json:"open_visits"`
	// Scale is what the planned rate was multiplied by, 0 while no visit was to begin.
	Scale float64 `json:"scale"`
}

// Recent is what was measured over the last minute or up to a tenth more, less where the run is younger: a second says
// little at a low rate.
type Recent struct {
	// Seconds is how much time it covers; the rates are per second of it.
	Seconds   float64            `json:"seconds"`
	HitRate   float64            `json:"hit_rate"`
	VisitRate float64            `json:"visit_rate"`
	Delta     runsummary.Hits    `json:"delta"`
	Latency   runsummary.Latency `json:"latency"`
}

// Sample is a Point with all that is known of its run so far.
type Sample struct {
	Point
	RunID    string      `json:"run_id"`
	PlanHash string      `json:"plan_hash"`
	Phase    phase.Phase `json:"phase"`
	Recent   Recent      `json:"recent"`

	Hits   runsummary.Hits            `json:"hits"`
	ByKind map[string]runsummary.Hits `json:"by_kind"`
	// Visits counts by fate, and planned: all that began.
	Visits   runsummary.Visits `json:"visits"`
	InFlight uint64            `json:"in_flight"`
	Revenue  float64           `json:"revenue"`
	Targets  []Target          `json:"targets"`
	// Due are the visits that the plan's schedule has asked for so far; what a pause or the cap withheld is not among
	// them.
	Due uint64 `json:"visits_due"`
	// Stops are the limits that were set for the run, with how near each is; Thresholds are what it must keep, as the
	// loadgen judges them, and Aborts says that it ends where one is missed for ten seconds.
	Stops      []Stop               `json:"stops"`
	Thresholds []runsummary.Verdict `json:"thresholds"`
	Aborts     bool                 `json:"threshold_abort"`
	// Reasons are why hits were not accepted so far, most hits first, and Warnings what was odd about answers that
	// accepted them.
	Reasons  []runsummary.Reason `json:"reasons"`
	Warnings []runsummary.Reason `json:"warnings"`
	// Capacity is how a capacity search stands; nil for other runs.
	Capacity *runsummary.Capacity `json:"capacity"`
}

// StopKind is what ends a run, or holds it back.
type StopKind string

// The kinds of Stop.
const (
	// StopVisits, StopHours and StopProfile end a run as planned, StopBrake ends it because too much fails; StopCap
	// holds it back until its window is over.
	StopVisits  StopKind = "visits"
	StopHours   StopKind = "hours"
	StopProfile StopKind = "profile"
	StopCap     StopKind = "cap"
	StopBrake   StopKind = "error_brake"
)

// Stop is a limit that was set for the run. It comes true when Current reaches Limit.
type Stop struct {
	Kind StopKind `json:"kind" enum:"visits,hours,profile,cap,error_brake"`
	Unit string   `json:"unit" enum:"visits,s,share"`
	// Current of a profile is without the pauses that were seen, because its stages stand still then; that of the cap
	// counts visits that are reserved, a hundredth of the cap at a time.
	Current float64 `json:"current"`
	Limit   float64 `json:"limit"`
	// Judged is false while there is too little to judge by: the brake waits for a minute and ten hits.
	Judged bool `json:"judged"`
}

// EventKind is what an Event tells.
type EventKind string

// The events of a stream.
const (
	StateEvent  EventKind = "state"
	SampleEvent EventKind = "sample"
	LogEvent    EventKind = "log"
)

// Event is one message of the stream.
type Event struct {
	// ID is greater than that of every event before and fits Last-Event-ID. It begins anew with the controller, which
	// a reader sees by the epoch before the dash.
	ID   string
	Kind EventKind
	// Data is JSON.
	Data []byte

	number uint64
	line   launcher.Line // of a LogEvent
}

// Interval is one row of a run's history: what happened in the Seconds from At on. Intervals follow each other from the
// run's start; they are five seconds long in the first hour and a minute after it.
type Interval struct {
	RunID   string             `json:"-"`
	At      time.Time          `json:"-"`
	Seconds float64            `json:"seconds"`
	Delta   runsummary.Hits    `json:"hits"`
	Visits  uint64             `json:"visits"`
	Revenue float64            `json:"revenue"`
	Latency runsummary.Latency `json:"latency"`
}
