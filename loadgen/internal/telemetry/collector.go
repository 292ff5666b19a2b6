package telemetry

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/puttrix/trafficinator/loadgen/internal/engine"
	"github.com/puttrix/trafficinator/loadgen/internal/ledger"
	"github.com/puttrix/trafficinator/loadgen/internal/routing"
	"github.com/puttrix/trafficinator/shared/hit"
	"github.com/puttrix/trafficinator/shared/metric"
	"github.com/puttrix/trafficinator/shared/outcome"
)

// Source is what is watched.
type Source interface {
	// Counts is the ledger as it stands; its targets are those of Targets.
	Counts() ledger.Counts
	Targets() []string
	Health(target int) routing.Health
	Phase() string
	// Pause is why new visits pause, one of package metric; empty where they do not.
	Pause() string
	// FinishBy is when open visits are cut off, zero where the run was not asked to finish them.
	FinishBy() time.Time
	RunID() string
	PlanHash() string
}

// buckets of the latency histogram, in seconds.
var buckets = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}

type collector struct {
	s                                                                              Source
	planned, hits, inFlight, visits, visitsPlanned, open, latency, revenue, health *prometheus.Desc
	phase, pause, plan, due, finishBy                                              *prometheus.Desc
}

func newCollector(s Source) *collector {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, labels, nil)
	}
	return &collector{
		s:       s,
		planned: desc(metric.Planned, "Hits of visits that began.", metric.LabelTarget, metric.LabelKind),
		hits: desc(metric.Hits, "Hits that ended, by outcome.", metric.LabelTarget, metric.LabelKind,
			metric.LabelOutcome),
		inFlight:      desc(metric.InFlight, "Hits in flight.", metric.LabelTarget),
		visits:        desc(metric.Visits, "Visits that ended, by fate.", metric.LabelFate),
		visitsPlanned: desc(metric.VisitsPlanned, "Visits that began."),
		due:           desc(metric.VisitsDue, "Visits that should have begun by the schedule."),
		open:          desc(metric.OpenVisits, "Visits that began and have not ended."),
		latency:       desc(metric.Latency, "Seconds from a hit's intended moment to its answer.", metric.LabelTarget),
		revenue:       desc(metric.Revenue, "Revenue of the accepted orders."),
		health:        desc(metric.Healthy, "1 for the state a target is in.", metric.LabelTarget, metric.LabelState),
		phase:         desc(metric.Phase, "1 for the phase the loadgen is in.", metric.LabelPhase),
		pause:         desc(metric.Pause, "1 for what new visits pause for.", metric.LabelReason),
		finishBy: desc(metric.FinishBy,
			"Unix time at which open visits are cut off, 0 where the run is not asked to finish."),
		plan: desc(metric.PlanInfo, "The running plan.", metric.LabelHash, metric.LabelRunID),
	}
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		c.planned, c.hits, c.inFlight, c.visits, c.visitsPlanned, c.due, c.open, c.latency, c.revenue, c.health,
		c.phase, c.pause, c.finishBy, c.plan,
	} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	counter := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v, labels...)
	}
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	for _, p := range []engine.Phase{engine.Idle, engine.Starting, engine.Running, engine.Paused, engine.Draining,
		engine.Ended} {
		gauge(c.phase, flag(string(p) == c.s.Phase()), string(p))
	}
	for _, why := range []string{metric.PauseAsked, metric.PauseCap, metric.PauseState} {
		gauge(c.pause, flag(why == c.s.Pause()), why)
	}
	finishBy := 0.0
	if by := c.s.FinishBy(); !by.IsZero() {
		finishBy = float64(by.UnixMilli()) / 1000
	}
	gauge(c.finishBy, finishBy)
	gauge(c.plan, 1, c.s.PlanHash(), c.s.RunID())
	counts := c.s.Counts()
	for t, name := range c.s.Targets() {
		for k := range hit.Kind(hit.Kinds) {
			row := counts.Rows[t][k]
			counter(c.planned, float64(row.Planned), name, k.String())
			for o := range outcome.Outcome(outcome.Count) {
				counter(c.hits, float64(row.Ended[o]), name, k.String(), o.String())
			}
		}
		gauge(c.inFlight, float64(counts.Total(t).InFlight), name)
		for _, h := range []routing.Health{routing.Healthy, routing.Degraded, routing.FailedHealth,
			routing.UnknownHealth} {
			gauge(c.health, flag(h == c.s.Health(t)), name, string(h))
		}
		ch <- histogram(c.latency, counts.Latency[t], name)
	}
	for f := range ledger.Fate(ledger.Fates) {
		counter(c.visits, float64(counts.Visits[f]), f.String())
	}
	counter(c.visitsPlanned, float64(counts.Planned))
	counter(c.due, float64(counts.Due))
	gauge(c.open, float64(counts.OpenVisits()))
	counter(c.revenue, float64(counts.Sales.Revenue)/100)
}

func flag(on bool) float64 {
	if on {
		return 1
	}
	return 0
}

func histogram(d *prometheus.Desc, h *hdrhistogram.Histogram, target string) prometheus.Metric {
	below := make(map[float64]uint64, len(buckets))
	var sum float64
	for _, bar := range h.Distribution() {
		for _, le := range buckets {
			if float64(bar.To)/1e6 <= le {
				below[le] += uint64(bar.Count)
			}
		}
		sum += float64(bar.Count) * float64(bar.From+bar.To) / 2 / 1e6
	}
	return prometheus.MustNewConstHistogram(d, uint64(h.TotalCount()), sum, below, target)
}
