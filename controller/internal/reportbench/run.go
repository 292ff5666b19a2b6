package reportbench

import (
	"context"
	"errors"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/puttrix/trafficinator/shared/matomo"
	"github.com/puttrix/trafficinator/shared/record"
	"github.com/puttrix/trafficinator/shared/target"
)

// Matomo is what is asked, see package matomo.
type Matomo interface {
	Version(ctx context.Context, t target.Target) (string, error)
	Site(ctx context.Context, t target.Target) (matomo.Site, error)
	Time(ctx context.Context, t target.Target, method string, parameters url.Values) (matomo.Timing, error)
	Examples(ctx context.Context, t target.Target, parameters url.Values) (matomo.Examples, error)
	VisitsOf(ctx context.Context, t target.Target, parameters url.Values) (uint64, error)
}

// Run measures. b comes with what names it; tell gets it as it grows. A context that is done cancels; the error is that
// of a Matomo that cannot be asked at all, or a problem.List of the options.
func Run(ctx context.Context, m Matomo, t target.Target, o Options, b record.ReportBenchmark, tell func(record.ReportBenchmark)) (record.ReportBenchmark, error) {
	jobs, problems := o.jobs()
	if err := problems.Err(); err != nil {
		return b, err
	}
	r := runner{Matomo: m, target: t, options: o, tell: tell, out: b}
	r.out.State, r.out.Planned = "running", len(jobs)*o.requests()
	if err := r.prepare(ctx); err != nil {
		return r.end("failed", err), err
	}
	for _, j := range jobs {
		if ctx.Err() != nil {
			return r.end("cancelled", nil), nil
		}
		r.measure(ctx, j)
	}
	if ctx.Err() != nil {
		return r.end("cancelled", nil), nil
	}
	return r.end("done", nil), nil
}

// runner is one benchmark on its way.
type runner struct {
	Matomo
	target   target.Target
	options  Options
	examples map[string]string
	tell     func(record.ReportBenchmark)
	out      record.ReportBenchmark
}

func (r *runner) end(state string, err error) record.ReportBenchmark {
	r.out.State, r.out.Ended = state, time.Now().UTC()
	if err != nil {
		r.out.Error = err.Error()
	}
	return r.out
}

// prepare reads the state of the data and what stands for the examples.
func (r *runner) prepare(ctx context.Context) (err error) {
	if r.out.Version, err = r.Version(ctx, r.target); err != nil {
		return err
	}
	if r.out.Date = r.options.Date; r.out.Date == "" {
		zone := time.UTC
		if site, err := r.Site(ctx, r.target); err == nil {
			if z, err := time.LoadLocation(site.Timezone); err == nil {
				zone = z
			}
		}
		r.out.Date = time.Now().In(zone).AddDate(0, 0, -1).Format(time.DateOnly)
	}
	longest := slices.MaxFunc(r.options.Periods, func(a, b string) int { return slices.Index(periods, a) - slices.Index(periods, b) })
	when := r.when(longest)
	if r.out.Visits, err = r.VisitsOf(ctx, r.target, when); err != nil {
		return err
	}
	found, err := r.Examples(ctx, r.target, when)
	if err != nil {
		return err
	}
	r.examples = map[string]string{"{visitor}": found.Visitor, "{page}": found.Page, "{label}": found.Label}
	return nil
}

// when is Matomo's name of the period that holds the day; a range is the thirty days up to it.
func (r *runner) when(period string) url.Values {
	date := r.out.Date
	if period == "range" {
		if day, err := time.Parse(time.DateOnly, date); err == nil {
			date = day.AddDate(0, 0, -29).Format(time.DateOnly) + "," + date
		}
	}
	return url.Values{"period": {period}, "date": {date}}
}

// measure asks for one report: once cold, then one after the other, then at once.
func (r *runner) measure(ctx context.Context, j job) {
	parameters, missing := r.parameters(j)
	if missing != "" {
		r.skip(j, "the site has no "+missing+" to ask for")
		return
	}
	out := record.ReportTiming{Report: j.Name, Method: j.Method, Period: j.period, Segment: j.segment}
	if took, ok := r.ask(ctx, j.Method, parameters, &out); ok {
		cold := took.Seconds()
		out.Cold = &cold
	}
	var warm, parallel []float64
	for range r.options.Repeats {
		if took, ok := r.ask(ctx, j.Method, parameters, &out); ok {
			warm = append(warm, took.Seconds())
		}
	}
	if r.options.Parallel > 1 {
		parallel = r.atOnce(ctx, j.Method, parameters, &out)
	}
	if ctx.Err() != nil {
		return // what was broken off says nothing
	}
	out.Warm, out.Parallel = spread(warm), spread(parallel)
	r.out.Results = append(r.out.Results, out)
	r.tell(r.copied())
}

// copied is the benchmark as it stands, safe to be read while it grows.
func (r *runner) copied() record.ReportBenchmark {
	c := r.out
	c.Results, c.Skipped = slices.Clone(c.Results), slices.Clone(c.Skipped)
	return c
}

func (r *runner) skip(j job, why string) {
	r.out.Done += r.options.requests()
	name := strings.TrimSpace(j.Name + ", " + j.period + " " + j.segment)
	r.out.Skipped = append(r.out.Skipped, record.SkippedReport{Report: name, Why: why})
}

func (r *runner) parameters(j job) (out url.Values, missing string) {
	out = r.when(j.period)
	if j.segment != "" {
		out.Set("segment", j.segment)
	}
	for key, v := range j.Parameters {
		if example, stands := r.examples[v]; stands {
			if v = example; v == "" {
				return nil, "visitor or page"
			}
		}
		out.Set(key, v)
	}
	return out, ""
}

// ask asks once; what fails is counted and has no time.
func (r *runner) ask(ctx context.Context, method string, parameters url.Values, into *record.ReportTiming) (time.Duration, bool) {
	got, err := r.Time(ctx, r.target, method, maps.Clone(parameters))
	return got.Took, r.book(got, err, into)
}

func (r *runner) book(got matomo.Timing, err error, into *record.ReportTiming) bool {
	r.out.Done++
	switch {
	case errors.Is(err, matomo.ErrTimedOut):
		into.Timeouts++
		into.Error = err.Error()
	case err != nil:
		into.Failures++
		into.Error = err.Error()
	default:
		into.Rows, into.Bytes = got.Rows, got.Bytes
	}
	return err == nil
}

// atOnce has Parallel ask, each Repeats times.
func (r *runner) atOnce(ctx context.Context, method string, parameters url.Values, into *record.ReportTiming) (took []float64) {
	var mu sync.Mutex // guards took, into and the benchmark
	var all sync.WaitGroup
	for range r.options.Parallel {
		all.Go(func() {
			for range r.options.Repeats {
				got, err := r.Time(ctx, r.target, method, maps.Clone(parameters))
				mu.Lock()
				if r.book(got, err, into) {
					took = append(took, got.Took.Seconds())
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	return took
}

// spread sorts times. Percentiles are of the nearest rank.
func spread(times []float64) record.Spread {
	slices.Sort(times)
	n := len(times)
	if n == 0 {
		return record.Spread{}
	}
	at := func(p int) float64 { return times[(n*p+99)/100-1] }
	return record.Spread{Requests: n, P50: at(50), P95: at(95), Max: times[n-1], Times: times}
}
