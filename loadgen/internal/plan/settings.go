package plan

import (
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/profile"
	"github.com/puttrix/trafficinator/shared/runsummary"
	"github.com/puttrix/trafficinator/shared/spec"
	"github.com/puttrix/trafficinator/shared/threshold"
)

// Limits end or pause a run; 0 means no limit.
type Limits struct {
	StopAfter uint64 // visits
	AutoStop  time.Duration
	PerDay    uint64 // visits that start within 24 hours
}

// Sending is how hits are sent to the targets.
type Sending struct {
	// Bulk requests contain up to Batch hits, which wait up to BatchDelay for others.
	Bulk       bool
	Batch      int
	BatchDelay time.Duration
	// Concurrency is the maximum number of requests in flight.
	Concurrency int
	// Rate is the maximum number of requests per second of a backfill, 0 for no limit.
	Rate float64
	// Timeout applies to requests with hits, QueryTimeout to others.
	Timeout, QueryTimeout time.Duration
	// AwaitLateAnswers keeps waiting for an answer after the timeout, to know when the target is done with the request.
	AwaitLateAnswers bool
	// Live sends each hit at its own time; otherwise the time is sent with the hit.
	Live bool
	// RunDimension is the custom dimension for the run id, 0 for none.
	RunDimension int
}

// Files are paths, or "".
type Files struct {
	Exchange, State string // folders
	Summary         string // file
}

// Criteria is how a run is evaluated.
type Criteria struct {
	// Thresholds must pass at the end of the run, or of each step of a capacity search.
	Thresholds []threshold.Threshold
	// Abort ends a run that fails a threshold that was set.
	Abort bool
	// MaxErrorShare is the share of hits not accepted that triggers the error brake; 0 disables it.
	MaxErrorShare float64
}

// Search is the range of a capacity search in visits per second, and how long each rate is measured.
type Search struct {
	From, To float64
	Step     time.Duration
}

// Observability is the telemetry and log of a run.
type Observability struct {
	// Addr is the listen address of telemetry, "" for none. Chosen means that it was set.
	Addr   string
	Chosen bool
	// Level is the log level. JSON writes the log as JSON.
	Level slog.Level
	JSON  bool
}

// Seconds converts seconds of settings and files.
func Seconds(n float64) time.Duration { return time.Duration(n * float64(time.Second)) }

// Kind returns the kind of run, one of package runsummary.
func (p *Plan) Kind() string { return p.spec.Kind() }

// Week returns the curve that distributes the visits of a day.
func (p *Plan) Week() profile.Profile {
	curve, _ := profile.ParseCurve(p.spec.LoadCurve) // Parse reported its problems
	return profile.NewWeek(curve, 1, p.Zone)
}

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
		// A request carries hundreds of hits: the default is that of Matomo's own log importer.
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
	v.Thresholds, _ = threshold.Parse("THRESHOLDS", text) // Parse reported its problems
	v.Abort = k.ThresholdAbort && len(v.Thresholds) > 0
	if len(v.Thresholds) == 0 {
		v.Thresholds = threshold.Default()
	}
	return v
}

// reservedDescriptors are kept free for files and telemetry.
const reservedDescriptors = 32

// LimitConcurrency limits the requests in flight to the open files that this process may have; 0 means no limit. A run
// out of descriptors can neither send nor write its ledger.
func (p *Plan) LimitConcurrency(descriptors uint64) (problems problem.List) {
	key, minimum := "CONCURRENCY", len(p.Targets)
	if p.Kind() == runsummary.BackfillJob {
		key, minimum = "BACKFILL_SHARDS", 1
	}
	wanted := p.Sending.Concurrency
	if descriptors == 0 || uint64(wanted)+reservedDescriptors <= descriptors {
		return nil
	}
	cure := fmt.Sprintf("allow it %d: ulimit -n, or nofile of the container", wanted+reservedDescriptors)
	message := fmt.Sprintf("is more than this process can have, which may open %d files", descriptors)
	if descriptors < uint64(minimum+reservedDescriptors) {
		problems.Refuse(key, strconv.Itoa(wanted), message, cure)
		return problems
	}
	p.Sending.Concurrency = int(descriptors) - reservedDescriptors
	problems.Warn(key, strconv.Itoa(wanted), fmt.Sprintf("%s: reduced to %d", message, p.Sending.Concurrency), cure)
	return problems
}
