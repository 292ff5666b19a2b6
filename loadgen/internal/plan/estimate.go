package plan

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/visit"
	"github.com/puttrix/trafficinator/shared/calendar"
	"github.com/puttrix/trafficinator/shared/estimate"
	"github.com/puttrix/trafficinator/shared/hit"
	"github.com/puttrix/trafficinator/shared/profile"
)

const sampleSize = 5000

type sample struct {
	hits, actions int
	openTime      time.Duration
	visitsWith    [hit.Kinds]int // visits with a hit of the kind
}

func newSample(visits *visit.Generator) (m sample) {
	var v visit.Visit
	for n := range uint64(sampleSize) {
		visits.Outline(n, &v)
		m.hits += len(v.Hits)
		m.openTime += v.Hits[len(v.Hits)-1].SendOffset
		var has [hit.Kinds]bool
		for i := range v.Hits {
			kind := v.Hits[i].RecordedAs
			has[kind] = true
			if hit.Rows[kind].Action {
				m.actions++
			}
		}
		for k, yes := range has {
			if yes {
				m.visitsWith[k]++
			}
		}
	}
	return m
}

// String returns the share of visits with hits of each kind.
func (m sample) String() string {
	var parts []string
	for k, row := range hit.Rows {
		if row.Step != "" && hit.Kind(k) != hit.Pageview { // every visit has those
			parts = append(parts, fmt.Sprintf("%s %.1f %%", row.Name, 100*float64(m.visitsWith[k])/sampleSize))
		}
	}
	return strings.Join(parts, ", ")
}

// HitsPerSecond returns the peak hit rate.
func (p *Plan) HitsPerSecond() float64 {
	return p.Load.Peak() / 86400 * float64(p.sample.hits) / sampleSize
}

// plannedVisits returns the number of visits, the duration, and the setting that ends the run; all are zero for a run
// without an end. It ignores the daily cap, and uses the mean rate of a weekly profile.
func (p *Plan) plannedVisits() (visits uint64, length time.Duration, by string) {
	k, load := &p.spec, p.Load
	if load.Kind() == profile.Week {
		load = profile.NewConstant(k.VisitsPerDay)
	}
	if length = load.Length(); length > 0 {
		by = "LOAD_PROFILE"
	}
	if stop := time.Duration(k.AutoStopHours * float64(time.Hour)); stop > 0 && (length == 0 || stop < length) {
		length, by = stop, "AUTO_STOP_AFTER_HOURS"
	}
	if length == 0 && k.StopAfterVisits > 0 {
		by = "STOP_AFTER_VISITS"
		length = time.Duration(min(float64(k.StopAfterVisits)/load.Peak()*float64(24*time.Hour), math.MaxInt64/2))
	}
	if length == 0 {
		return 0, 0, ""
	}
	var start time.Time // any: these profiles ignore the time of day
	visits = profile.Count(load.Integral(start, start, start.Add(length)))
	if stop := uint64(k.StopAfterVisits); stop > 0 && stop < visits {
		at, _ := load.TimeOf(start, start, start.Add(length), float64(stop))
		visits, length, by = stop, at.Sub(start), "STOP_AFTER_VISITS"
	}
	return visits, length, by
}

// Estimate returns an estimate of the run without BytesPerVisit. now determines the current day of a backfill.
func (p *Plan) Estimate(now time.Time) estimate.Estimate {
	k := &p.spec
	e := estimate.Estimate{
		SampledVisits: sampleSize, HitsPerVisit: float64(p.sample.hits) / sampleSize,
		ActionsPerVisit: float64(p.sample.actions) / sampleSize, OpenSeconds: p.sample.openTime.Seconds() / sampleSize,
		HitsPerRequest: 1, Concurrency: k.Concurrency,
	}
	if k.BackfillEnabled {
		days, _ := k.Backfill(now) // Backfill reports its problems
		e.Visits = calendar.Total(days)
		e.HitsPerRequest = float64(max(k.BatchHits(), 1))
		if k.BackfillRPS > 0 {
			requests := float64(e.Visits) * e.HitsPerVisit / e.HitsPerRequest
			e.End = &estimate.End{Seconds: requests / k.BackfillRPS, By: "BACKFILL_RPS_LIMIT"}
		}
		return e
	}
	e.VisitsPerSecond, e.HitsPerSecond = p.Load.Peak()/86400, p.HitsPerSecond()
	e.OpenVisits = e.VisitsPerSecond * e.OpenSeconds
	if k.SendMode == "bulk" { // by Little's law, like OpenVisits
		e.HitsPerRequest = min(float64(k.BulkSize), max(1, e.HitsPerSecond*k.BulkMaxDelay))
	}
	visits, length, by := p.plannedVisits()
	if e.Visits = visits; by != "" {
		e.End = &estimate.End{Seconds: length.Seconds(), By: by}
	}
	if limit := float64(k.MaxTotalVisits); limit > 0 && limit < k.VisitsPerDay && p.Load.Kind() != profile.Stages {
		p.applyDailyCap(&e, limit)
	}
	return e
}

// applyDailyCap applies the cap of 24 hours to an estimate: each day's window starts with its visits.
func (p *Plan) applyDailyCap(e *estimate.Estimate, limit float64) {
	k := &p.spec
	second := k.VisitsPerDay / 86400
	e.PausesAfterSeconds = limit / second
	ends := math.Inf(1)
	if stop := float64(k.StopAfterVisits); stop > 0 {
		full := math.Ceil(stop/limit) - 1
		ends = full*86400 + (stop-full*limit)/second
	}
	stops := k.AutoStopHours * 3600
	switch {
	case stops > 0 && stops <= ends:
		windows := math.Floor(stops / 86400)
		e.Visits = uint64(windows*limit + min(limit, (stops-windows*86400)*second))
		e.End = &estimate.End{Seconds: stops, By: "AUTO_STOP_AFTER_HOURS"}
	case !math.IsInf(ends, 1):
		e.Visits = uint64(k.StopAfterVisits)
		e.End = &estimate.End{Seconds: ends, By: "STOP_AFTER_VISITS"}
	}
}
