package live

import (
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/puttrix/trafficinator/shared/metric"
)

// maxScrape is the largest answer that is read, in bytes; a loadgen with a hundred targets gives less than 1 MiB.
const maxScrape = 8 << 20

// startTime tells one life of a loadgen from the next.
const startTime = "process_start_time_seconds"

// Scrape is what a loadgen said at one moment.
type Scrape struct {
	RunID, PlanHash, Phase string
	life                   float64 // when it was started, 0 where it does not tell
	targets                []string
	health                 map[string]string
	inFlight               map[string]uint64
	// Pause is why new visits pause, one of package metric; empty where they do not.
	Pause string
	// OpenVisits are those that began and have not ended, FinishBy is when they are cut off: zero where the loadgen was
	// not asked to finish them.
	OpenVisits uint64
	FinishBy   time.Time
	counters   counters
}

// counters are all that only ever grows within one life of a loadgen.
type counters struct {
	planned map[hitKey]float64
	hits    map[hitKey]float64
	visits  map[string]float64
	due     float64
	revenue float64
	// latency are cumulative bucket counts by target and upper bound in seconds.
	latency map[bucketKey]float64
}

type hitKey struct{ target, kind, outcome string }

type bucketKey struct {
	target string
	le     float64
}

// Read scrapes the loadgen whose telemetry is at base, as http://host:port.
func Read(ctx context.Context, client *http.Client, base string) (*Scrape, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/metrics", nil)
	if err != nil {
		return nil, fmt.Errorf("ask the loadgen: %w", err)
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask the loadgen: %w", err)
	}
	defer resp.Body.Close() //nolint:errcheck // only read
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("ask the loadgen: it answers %s", resp.Status)
	}
	return parse(io.LimitReader(resp.Body, maxScrape))
}

func parse(r io.Reader) (*Scrape, error) {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(r)
	if err != nil {
		return nil, fmt.Errorf("read the loadgen's metrics: %w", err)
	}
	s := &Scrape{health: map[string]string{}, inFlight: map[string]uint64{}, counters: newCounters()}
	each(families[metric.PlanInfo], func(m *dto.Metric) {
		s.PlanHash, s.RunID = label(m, metric.LabelHash), label(m, metric.LabelRunID)
	})
	each(families[metric.Phase], func(m *dto.Metric) {
		if m.GetGauge().GetValue() == 1 {
			s.Phase = label(m, metric.LabelPhase)
		}
	})
	each(families[metric.Pause], func(m *dto.Metric) {
		if m.GetGauge().GetValue() == 1 {
			s.Pause = label(m, metric.LabelReason)
		}
	})
	each(families[startTime], func(m *dto.Metric) { s.life = m.GetGauge().GetValue() })
	each(families[metric.Healthy], func(m *dto.Metric) {
		if m.GetGauge().GetValue() == 1 {
			s.health[label(m, metric.LabelTarget)] = label(m, metric.LabelState)
		}
	})
	each(families[metric.InFlight], func(m *dto.Metric) {
		name := label(m, metric.LabelTarget)
		s.targets = append(s.targets, name)
		s.inFlight[name] = uint64(m.GetGauge().GetValue())
	})
	each(families[metric.OpenVisits], func(m *dto.Metric) { s.OpenVisits = uint64(m.GetGauge().GetValue()) })
	each(families[metric.FinishBy], func(m *dto.Metric) {
		if by := m.GetGauge().GetValue(); by > 0 {
			s.FinishBy = time.UnixMilli(int64(by * 1000)).UTC()
		}
	})
	s.counters.read(families)
	return s, nil
}

func (c *counters) read(families map[string]*dto.MetricFamily) {
	each(families[metric.Planned], func(m *dto.Metric) {
		c.planned[hitKey{label(m, metric.LabelTarget), label(m, metric.LabelKind), ""}] = m.GetCounter().GetValue()
	})
	each(families[metric.Hits], func(m *dto.Metric) {
		key := hitKey{label(m, metric.LabelTarget), label(m, metric.LabelKind), label(m, metric.LabelOutcome)}
		c.hits[key] = m.GetCounter().GetValue()
	})
	each(families[metric.Visits], func(m *dto.Metric) {
		c.visits[label(m, metric.LabelFate)] = m.GetCounter().GetValue()
	})
	each(families[metric.VisitsPlanned], func(m *dto.Metric) { c.visits[plannedVisits] = m.GetCounter().GetValue() })
	each(families[metric.VisitsDue], func(m *dto.Metric) { c.due = m.GetCounter().GetValue() })
	each(families[metric.Revenue], func(m *dto.Metric) { c.revenue = m.GetCounter().GetValue() })
	each(families[metric.Latency], func(m *dto.Metric) {
		name, h := label(m, metric.LabelTarget), m.GetHistogram()
		for _, b := range h.GetBucket() {
			if !math.IsInf(b.GetUpperBound(), 1) {
				c.latency[bucketKey{name, b.GetUpperBound()}] = float64(b.GetCumulativeCount())
			}
		}
		c.latency[bucketKey{name, math.Inf(1)}] = float64(h.GetSampleCount())
	})
}

// plannedVisits is the fate that stands for all visits that began.
const plannedVisits = "planned"

func each(f *dto.MetricFamily, do func(*dto.Metric)) {
	for _, m := range f.GetMetric() {
		do(m)
	}
}

func label(m *dto.Metric, name string) string {
	for _, l := range m.GetLabel() {
		if l.GetName() == name {
			// A copy: the parser's texts share one large buffer.
			return strings.Clone(l.GetValue())
		}
	}
	return ""
}
