package benchmark

import (
	"context"
	"errors"
	"maps"
	"net/url"
	"slices"
	"sync"

	"github.com/puttrix/trafficinator/controller/internal/benchmark/timing"
	"github.com/puttrix/trafficinator/shared/matomo"
)

// patience is how many requests in a row may fail before a report is given up, because each may take the full timeout.
const patience = 3

// measure requests one report: once cold, then one request at a time, then in parallel.
func (r *runner) measure(ctx context.Context, j job) {
	all := r.out.Done + r.options.requests()
	r.out.Asking = j.name()
	defer func() {
		if ctx.Err() == nil {
			r.out.Done = all // including skipped ones
		}
		r.onChange(r.out)
	}()
	parameters, missing := r.parameters(j)
	if missing != "" {
		r.out.Skipped = append(r.out.Skipped,
			timing.SkippedReport{Report: j.name(), Why: "the site has no example for " + missing})
		return
	}
	m := measurement{runner: r, method: j.Method, parameters: parameters}
	m.out = timing.ReportTiming{Report: j.Name, Method: j.Method, Period: j.period, Segment: j.segment}
	if took, ok := m.request(ctx); ok {
		m.out.Cold = &took
	}
	warm := m.repeat(ctx, patience)
	var parallel []float64
	if r.options.Parallel > 1 && len(warm) > 0 {
		parallel = m.parallel(ctx)
	}
	if ctx.Err() != nil {
		return // an interrupted measurement is no result
	}
	m.out.Warm, m.out.Parallel = spread(warm), spread(parallel)
	r.out.Results = append(r.out.Results, m.out)
}

// measurement is one report in progress.
type measurement struct {
	*runner
	method     string
	parameters url.Values

	mu  sync.Mutex // guards the following, and runner.out, during parallel requests
	out timing.ReportTiming
	// failed is the number of consecutive failures.
	failed int
}

// repeat sends the warm requests of one client and returns the times of successful ones. It gives up after this many
// consecutive failures of all clients.
func (m *measurement) repeat(ctx context.Context, maxFailed int) (times []float64) {
	for range m.options.Repeats {
		m.mu.Lock()
		failed := m.failed
		m.mu.Unlock()
		if failed >= maxFailed || ctx.Err() != nil {
			break
		}
		if took, ok := m.request(ctx); ok {
			times = append(times, took)
		}
	}
	return times
}

func (m *measurement) parallel(ctx context.Context) []float64 {
	var all sync.WaitGroup
	each := make([][]float64, m.options.Parallel)
	for i := range each {
		all.Go(func() { each[i] = m.repeat(ctx, patience*m.options.Parallel) })
	}
	all.Wait()
	return slices.Concat(each...)
}

// request sends one request and returns its time in seconds. A failure is counted and has no time.
func (m *measurement) request(ctx context.Context) (float64, bool) {
	short, cancel := context.WithTimeout(ctx, m.options.timeout())
	defer cancel()
	got, err := m.Time(short, m.target, m.method, maps.Clone(m.parameters))
	m.mu.Lock()
	defer m.mu.Unlock()
	m.runner.out.Done++
	m.onChange(m.runner.out)
	if err == nil {
		m.failed, m.out.Rows, m.out.Bytes = 0, got.Rows, got.Bytes
		return got.Took.Seconds(), true
	}
	m.failed++
	m.out.Error = matomo.Explain(err)
	if errors.Is(err, matomo.ErrTimedOut) {
		m.out.Timeouts++
	} else {
		m.out.Failures++
	}
	return 0, false
}

// spread sorts times. Percentiles are of the nearest rank.
func spread(times []float64) timing.Spread {
	if len(times) == 0 {
		return timing.Spread{}
	}
	slices.Sort(times)
	return timing.Spread{Requests: len(times), P50: percentile(times, 50), P95: percentile(times, 95),
		Max: times[len(times)-1], Times: times}
}

func percentile(sorted []float64, p int) float64 { return sorted[(len(sorted)*p+99)/100-1] }
