package plan

import (
	"log/slog"
	"strings"
	"time"

	"github.com/puttrix/trafficinator/shared/profile"
	"github.com/puttrix/trafficinator/shared/spec"
	"github.com/puttrix/trafficinator/shared/threshold"
)

// Limits end a run.
type Limits struct {
	// StopAfter is the number of visits after which it ends, 0 for none.
	StopAfter uint64
	// AutoStop is how long it may take, 0 for any time.
	AutoStop time.Duration
	// PerDay is the most visits that begin in 24 hours, 0 for any number.
	PerDay uint64
}

// Sending is how hits go to the targets.
type Sending struct {
	// Bulk lets a request carry hits of many visits: at most Batch, which wait no longer than BatchDelay for others.
	Bulk       bool
	Batch      int
	BatchDelay time.Duration
	// Concurrency is the most requests in flight.
	Concurrency int
	// Rate is the most requests a second of a backfill, 0 for any number.
	Rate float64
	// Timeout is how long a request may take, and QuestionTimeout one that carries no hits of the run.
	Timeout, QueryTimeout time.Duration
	// AwaitLateAnswers waits for an answer whose time is over, so that the target is known to be at work on the request.
	AwaitLateAnswers bool
	// Live sends each hit at its own moment; else its moment is sent with it.
	Live bool
	// RunDimension is the custom dimension that gets the run's id, 0 for none.
	RunDimension int
}

// Files are where a run reads and writes; empty where it does not.
type Files struct {
	// Exchange and State are folders, Summary is a file.
	Exchange, State, Summary string
}

// Criteria is what decides whether a run passes.
type Criteria struct {
	// Thresholds must hold: at the end of the run, or of each step of a capacity search.
	Thresholds []threshold.Threshold
	// Abort ends a run that misses one of those that were set.
	Abort bool
	// MaxErrorShare is the share of hits not accepted above which the error brake ends the run; 0 is never.
	MaxErrorShare float64
}

// Search is the range of a capacity search in visits a second, and how long each rate is measured.
type Search struct {
	From, To float64
	Step     time.Duration
}

// Observability is how a run is watched from outside.
type Observability struct {
	// Addr is where telemetry listens, empty for nowhere. Chosen says that somebody set it.
	Addr   string
	Chosen bool
	// Level is the least that is logged, and JSON lets every line of the log be JSON.
	Level slog.Level
	JSON  bool
}

// Seconds is a time in seconds, as settings and files have it.
func Seconds(n float64) time.Duration { return time.Duration(n * float64(time.Second)) }

// Kind is which kind of run the settings ask for, one of package record.
func (p *Plan) Kind() string { return p.spec.Kind() }

// Week is the curve by which the visits of a day are spread over it.
func (p *Plan) Week() profile.Profile {
	curve, _ := profile.ParseCurve(p.spec.LoadCurve) // the settings were checked
	return profile.NewWeek(curve, 1, p.Zone)
}

// derive takes from the settings what a run needs of them.
func (p *Plan) derive() {
	k := &p.spec
	p.AutoStart, p.StartID, p.SiteZone, p.SiteID = k.AutoStart, k.StartID, k.Timezone, k.MatomoSiteID
	p.Limits = Limits{
		StopAfter: uint64(k.StopAfterVisits), AutoStop: time.Duration(k.AutoStopHours * float64(time.Hour)),
		PerDay: uint64(k.MaxTotalVisits),
	}
	p.Search = Search{From: k.CapacityFrom, To: k.CapacityTo, Step: Seconds(k.CapacityStep)}
	p.Sending = newSending(k)
	p.Criteria = newCriteria(k)
	_ = p.Observability.Level.UnmarshalText([]byte(strings.TrimSuffix(k.LogLevel, "ING"))) // slog says WARN
	p.Observability.JSON, p.Observability.Chosen = k.LogFormat == "json", k.Set["TELEMETRY_ADDR"]
	if k.TelemetryAddr != "off" {
		p.Observability.Addr = k.TelemetryAddr
	}
}

func newSending(k *spec.Spec) Sending {
	s := Sending{
		Bulk: k.SendMode == "bulk", Batch: 1, Concurrency: k.Concurrency, Timeout: Seconds(k.RequestTimeout),
		QueryTimeout: Seconds(k.RequestTimeout), Live: k.Timeline == "live", AwaitLateAnswers: !k.BackfillEnabled,
		RunDimension: k.RunDimension,
	}
	if s.Bulk {
		s.Batch, s.BatchDelay = k.BulkSize, Seconds(k.BulkMaxDelay)
	}
	if k.BackfillEnabled {
		s.Batch, s.Concurrency, s.Rate = k.BatchHits(), k.BackfillShards, k.BackfillRPS
		// A request carries hundreds of hits: where nothing is set it gets the five minutes that Matomo's own import of
		// logs gives one.
		if !k.Set["REQUEST_TIMEOUT"] {
			s.Timeout = 5 * time.Minute
		}
	}
	return s
}

func newCriteria(k *spec.Spec) Criteria {
	text := k.Thresholds
	if text == "" && k.CapacitySearch {
		text = threshold.CapacityDefault
	}
	v := Criteria{MaxErrorShare: k.StopErrorShare}
	v.Thresholds, _ = threshold.Parse("THRESHOLDS", text) // the settings were checked
	v.Abort = k.ThresholdAbort && len(v.Thresholds) > 0
	if len(v.Thresholds) == 0 {
		v.Thresholds = threshold.Default()
	}
	return v
}
