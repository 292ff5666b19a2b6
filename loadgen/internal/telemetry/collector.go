package telemetry

import (
	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/puttrix/trafficinator/loadgen/internal/ledger"
	"github.com/puttrix/trafficinator/loadgen/internal/routing"
	"github.com/puttrix/trafficinator/shared/hit"
	"github.com/puttrix/trafficinator/shared/metric"
	"github.com/puttrix/trafficinator/shared/outcome"
	"github.com/puttrix/trafficinator/shared/phase"
	"github.com/puttrix/trafficinator/shared/status"
)

type collector struct {
	source Source
	descs  []*prometheus.Desc

	planned, hits, inFlight, visits, visitsPlanned, open, latency, revenue, health *prometheus.Desc
	phase, pause, plan, due, finishBy                                              *prometheus.Desc
}

func newCollector(source Source) *collector {
	c := &collector{source: source}
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		d := prometheus.NewDesc(name, help, labels, nil)
		c.descs = append(c.descs, d)
		return d
	}
	c.planned = desc(metric.Planned, "Hits of started visits.", metric.LabelTarget, metric.LabelKind)
	c.hits = desc(metric.Hits, "Hits by outcome.", metric.LabelTarget, metric.LabelKind, metric.LabelOutcome)
	c.inFlight = desc(metric.InFlight, "Hits in flight.", metric.LabelTarget)
	c.visits = desc(metric.Visits, "Ended visits by outcome.", metric.LabelFate)
	c.visitsPlanned = desc(metric.VisitsPlanned, "Started visits.")
	c.due = desc(metric.VisitsDue, "Visits due by the load profile.")
	c.open = desc(metric.OpenVisits, "Visits in progress.")
	c.latency = desc(metric.Latency, "Seconds from a hit's due time to its answer.", metric.LabelTarget)
	c.revenue = desc(metric.Revenue, "Revenue of accepted orders.")
	c.health = desc(metric.Healthy, "1 for the health state of the target.", metric.LabelTarget, metric.LabelState)
	c.phase = desc(metric.Phase, "1 for the current phase.", metric.LabelPhase)
	c.pause = desc(metric.Pause, "1 for the reason why no visits start.", metric.LabelReason)
	c.finishBy = desc(metric.FinishBy,
		"Unix time at which open visits are cut off, 0 if the run was not asked to finish.")
	c.plan = desc(metric.PlanInfo, "The running plan.", metric.LabelHash, metric.LabelRunID)
	return c
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range c.descs {
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
	s, summary := c.source, c.source.Summary()
	for _, p := range phase.All() {
		gauge(c.phase, boolValue(string(p) == s.Phase()), string(p))
	}
	for _, why := range []string{metric.PauseAsked, metric.PauseCap, metric.PauseState} {
		gauge(c.pause, boolValue(why == s.Pause()), why)
	}
	finishBy := 0.0
	if by := summary.FinishBy; !by.IsZero() {
		finishBy = float64(by.UnixMilli()) / 1000
	}
	gauge(c.finishBy, finishBy)
	gauge(c.plan, 1, summary.PlanHash, summary.RunID)
	counts := s.Counts()
	for t, name := range s.Targets() {
		for k := range hit.Kind(hit.Kinds) {
			row := counts.Rows[t][k]
			counter(c.planned, float64(row.Planned), name, k.String())
			for o := range outcome.Outcome(outcome.Count) {
				counter(c.hits, float64(row.Outcomes[o]), name, k.String(), o.String())
			}
		}
		gauge(c.inFlight, float64(counts.Total(t).InFlight), name)
		for _, h := range []routing.Health{routing.Healthy, routing.Degraded, routing.Failed,
			routing.Unknown} {
			gauge(c.health, boolValue(string(h) == summary.Targets[name].Health), name, string(h))
		}
		ch <- histogram(c.latency, counts.Latency[t], name)
	}
	for f := range ledger.VisitOutcome(ledger.VisitOutcomes) {
		counter(c.visits, float64(counts.Visits[f]), f.String())
	}
	counter(c.visitsPlanned, float64(counts.Planned))
	counter(c.due, float64(counts.Due))
	gauge(c.open, float64(counts.OpenVisits()))
	counter(c.revenue, float64(counts.Sales.Revenue)/100)
}

func boolValue(on bool) float64 {
	if on {
		return 1
	}
	return 0
}

func histogram(d *prometheus.Desc, h *hdrhistogram.Histogram, target string) prometheus.Metric {
	counts, sum := cumulativeLatency(h)
	below := make(map[float64]uint64, len(status.LatencyBuckets))
	for i, bound := range status.LatencyBuckets {
		below[bound] = counts[i]
	}
	return prometheus.MustNewConstHistogram(d, uint64(h.TotalCount()), sum, below, target)
}

// cumulativeLatency returns the cumulative counts of status.Target.Answered for a histogram in µs, and the sum of its
// latencies in seconds.
func cumulativeLatency(h *hdrhistogram.Histogram) (counts []uint64, sum float64) {
	counts = make([]uint64, len(status.LatencyBuckets)+1)
	for _, bar := range h.Distribution() {
		for i, bound := range status.LatencyBuckets {
			if float64(bar.To)/1e6 <= bound {
				counts[i] += uint64(bar.Count)
			}
		}
		sum += float64(bar.Count) * float64(bar.From+bar.To) / 2 / 1e6
	}
	counts[len(status.LatencyBuckets)] = uint64(h.TotalCount())
	return counts, sum
}
