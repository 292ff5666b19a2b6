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

// patience is how many requests in a row may fail before a report is given up: one that fails always says nothing, and
// each may take the whole of the timeout.
const patience = 3

// measure asks for one report: once cold, then one after the other, then at once.
func (r *runner) measure(ctx context.Context, j job) {
	all := r.out.Done + r.options.requests()
	r.out.Asking = j.name()
	defer func() {
		if ctx.Err() == nil {
			r.out.Done = all // also those that were given up
		}
		r.tell(r.out)
	}()
	parameters, missing := r.parameters(j)
	if missing != "" {
		r.out.Skipped = append(r.out.Skipped,
			timing.SkippedReport{Report: j.name(), Why: "nothing was found that stands for " + missing})
		return
	}
	m := measured{runner: r, method: j.Method, parameters: parameters}
	m.out = timing.ReportTiming{Report: j.Name, Method: j.Method, Period: j.period, Segment: j.segment}
	if took, ok := m.ask(ctx); ok {
		m.out.Cold = &took
	}
	warm := m.after(ctx)
	var parallel []float64
	if r.options.Parallel > 1 && len(warm) > 0 {
		parallel = m.atOnce(ctx)
	}
	if ctx.Err() != nil {
		return // what was broken off says nothing
	}
	m.out.Warm, m.out.Parallel = spread(warm), spread(parallel)
	r.out.Results = append(r.out.Results, m.out)
}

// measured is one report being asked for.
type measured struct {
	*runner
	method     string
	parameters url.Values

	mu  sync.Mutex // guards what follows and the runner's own while several ask
	out timing.ReportTiming
	// failed is how many requests in a row did.
	failed int
}

// after asks one at a time.
func (m *measured) after(ctx context.Context) (times []float64) {
	for range m.options.Repeats {
		if m.failed >= patience || ctx.Err() != nil {
			break
		}
		if took, ok := m.ask(ctx); ok {
			times = append(times, took)
		}
	}
	return times
}

// atOnce has Parallel ask, each Repeats times.
func (m *measured) atOnce(ctx context.Context) (times []float64) {
	var all sync.WaitGroup
	each := make([][]float64, m.options.Parallel)
	for i := range each {
		all.Go(func() {
			for range m.options.Repeats {
				if m.hopeless() || ctx.Err() != nil {
					return
				}
				if took, ok := m.ask(ctx); ok {
					each[i] = append(each[i], took)
				}
			}
		})
	}
	all.Wait()
	return slices.Concat(each...)
}

func (m *measured) hopeless() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.failed >= patience*m.options.Parallel
}

// ask asks once; what fails is counted and has no time. A time is in seconds.
func (m *measured) ask(ctx context.Context) (float64, bool) {
	short, cancel := context.WithTimeout(ctx, m.options.Timeout)
	defer cancel()
	got, err := m.Time(short, m.target, m.method, maps.Clone(m.parameters))
	m.mu.Lock()
	defer m.mu.Unlock()
	m.runner.out.Done++
	m.tell(m.runner.out)
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
	slices.Sort(times)
	n := len(times)
	if n == 0 {
		return timing.Spread{}
	}
	at := func(p int) float64 { return times[(n*p+99)/100-1] }
	return timing.Spread{Requests: n, P50: at(50), P95: at(95), Max: times[n-1], Times: times}
}
