package benchmark

import (
	"context"
	"maps"
	"net/url"
	"slices"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/benchmark/timing"
	"github.com/puttrix/trafficinator/shared/matomo"
	"github.com/puttrix/trafficinator/shared/target"
)

// Matomo is what is asked, see package matomo.
type Matomo interface {
	Version(ctx context.Context, t target.Target) (string, error)
	Site(ctx context.Context, t target.Target) (matomo.Site, error)
	Time(ctx context.Context, t target.Target, method string, parameters url.Values) (Timing, error)
	Examples(ctx context.Context, t target.Target, parameters url.Values) (Examples, error)
	CountVisits(ctx context.Context, t target.Target, parameters url.Values) (uint64, error)
}

// Run measures. b comes with what names it; tell gets it as it grows. A context that is done cancels, and what was
// measured by then stays. A Matomo that cannot be asked at all fails it. The error is a problem.List of the options.
func Run(ctx context.Context, m Matomo, t target.Target, o Options, b timing.ReportBenchmark,
	tell func(timing.ReportBenchmark)) (timing.ReportBenchmark, error) {
	o = o.usual()
	jobs, problems := o.jobs()
	if err := problems.Err(); err != nil {
		return b, err
	}
	r := runner{Matomo: m, target: t, options: o, tell: tell, out: b}
	r.out.State, r.out.Planned, r.out.Note = timing.BenchmarkRunning, len(jobs)*o.requests(), o.Note
	r.out.Repeats, r.out.Parallel = o.Repeats, o.Parallel
	if err := r.prepare(ctx); err != nil && ctx.Err() == nil {
		return r.end(timing.BenchmarkFailed, err), nil
	}
	for _, j := range jobs {
		if ctx.Err() != nil {
			break
		}
		r.measure(ctx, j)
	}
	if ctx.Err() == nil {
		r.count(ctx)
	}
	if ctx.Err() != nil {
		return r.end(timing.BenchmarkCancelled, nil), nil
	}
	return r.end(timing.BenchmarkDone, nil), nil
}

// runner is one benchmark on its way.
type runner struct {
	Matomo
	target   target.Target
	options  Options
	examples map[string]string
	tell     func(timing.ReportBenchmark)
	// out only ever grows, so that who was told of it may read it further.
	out timing.ReportBenchmark
}

func (r *runner) end(state timing.BenchmarkState, err error) timing.ReportBenchmark {
	ended := time.Now().UTC()
	r.out.State, r.out.Ended, r.out.Asking = state, &ended, ""
	if err != nil {
		r.out.Error = matomo.Explain(err)
	}
	return r.out
}

// prepare finds the day and what stands for the examples. It asks for no report: the first request for one is to be
// measured.
func (r *runner) prepare(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, r.options.Timeout)
	defer cancel()
	if r.out.Version, err = r.Version(ctx, r.target); err != nil {
		return err
	}
	if r.out.Date = r.options.Date; r.out.Date == "" {
		zone := time.UTC
		if site, err := r.Site(ctx, r.target); err == nil { // else the day of UTC is as good
			if z, err := site.Zone(); err == nil {
				zone = z.Location()
			}
		}
		r.out.Date = time.Now().In(zone).AddDate(0, 0, -1).Format(time.DateOnly)
	}
	found, _ := r.Examples(ctx, r.target, r.when(r.longest())) // reports that need what is not found are skipped
	r.examples = map[string]string{"{visitor}": found.Visitor, "{page}": found.Page, "{label}": found.Label,
		"{dimension}": found.Dimension}
	return nil
}

// count reads the state of the data, which stays unknown where the Matomo does not tell it.
func (r *runner) count(ctx context.Context) {
	short, cancel := context.WithTimeout(ctx, r.options.Timeout)
	defer cancel()
	if visits, err := r.CountVisits(short, r.target, r.when(r.longest())); err == nil {
		r.out.Visits = &visits
	}
}

func (r *runner) longest() string {
	return slices.MaxFunc(r.options.Periods, func(a, b string) int { return rank(a) - rank(b) })
}

// rank orders periods by length; a range is as long as a month.
func rank(period string) int {
	return map[string]int{"day": 0, "week": 1, "range": 2, "month": 3, "year": 4}[period]
}

// when is Matomo's name of the period that holds the day.
func (r *runner) when(period string) url.Values {
	date := r.out.Date
	if period == "range" {
		if day, err := time.Parse(time.DateOnly, date); err == nil {
			date = day.AddDate(0, 0, -29).Format(time.DateOnly) + "," + date
		}
	}
	return url.Values{"period": {period}, "date": {date}}
}

// parameters are those of a job; missing is what the site has none of.
func (r *runner) parameters(j job) (out url.Values, missing string) {
	out = r.when(j.period)
	if j.segment != "" {
		out.Set("segment", j.segment)
	}
	for _, key := range slices.Sorted(maps.Keys(j.Parameters)) {
		v := j.Parameters[key]
		if example, stands := r.examples[v]; stands {
			if v = example; v == "" {
				return nil, j.Parameters[key]
			}
		}
		out.Set(key, v)
	}
	return out, ""
}
