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

// Matomo is the Matomo that is measured, see package matomo.
type Matomo interface {
	Version(ctx context.Context, t target.Target) (string, error)
	Site(ctx context.Context, t target.Target) (matomo.Site, error)
	Time(ctx context.Context, t target.Target, method string, parameters url.Values) (Timing, error)
	Examples(ctx context.Context, t target.Target, parameters url.Values) (Examples, error)
	CountVisits(ctx context.Context, t target.Target, parameters url.Values) (uint64, error)
}

// Run measures a target. b identifies the benchmark; onChange gets it whenever it changes. Cancelling ctx keeps the
// results so far. If the Matomo cannot be reached at all, the benchmark fails. The error is a problem.List of the
// options.
func Run(ctx context.Context, m Matomo, t target.Target, o Options, b timing.ReportBenchmark,
	onChange func(timing.ReportBenchmark)) (timing.ReportBenchmark, error) {
	o = o.withDefaults()
	jobs, problems := o.jobs()
	if err := problems.Err(); err != nil {
		return b, err
	}
	r := runner{Matomo: m, target: t, options: o, onChange: onChange, out: b}
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
		r.countVisits(ctx)
	}
	if ctx.Err() != nil {
		return r.end(timing.BenchmarkCancelled, nil), nil
	}
	return r.end(timing.BenchmarkDone, nil), nil
}

// runner is one benchmark in progress.
type runner struct {
	Matomo
	target   target.Target
	options  Options
	examples map[string]string
	onChange func(timing.ReportBenchmark)
	// out is only appended to, so copies of it remain valid.
	out timing.ReportBenchmark
}

func (r *runner) end(state timing.BenchmarkState, err error) timing.ReportBenchmark {
	r.out.State, r.out.Ended, r.out.Asking = state, new(time.Now().UTC()), ""
	if err != nil {
		r.out.Error = matomo.Explain(err)
	}
	return r.out
}

// prepare finds the date and the examples. It requests no report, because the first request for one has to be measured.
func (r *runner) prepare(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, r.options.timeout())
	defer cancel()
	if r.out.Version, err = r.Version(ctx, r.target); err != nil {
		return err
	}
	if r.out.Date = r.options.Date; r.out.Date == "" {
		zone := time.UTC
		if site, err := r.Site(ctx, r.target); err == nil { // otherwise the date in UTC will do
			if z, err := site.Zone(); err == nil {
				zone = z.Location()
			}
		}
		r.out.Date = time.Now().In(zone).AddDate(0, 0, -1).Format(time.DateOnly)
	}
	found, _ := r.Examples(ctx, r.target, r.dates(r.longest())) // reports without an example are skipped
	r.examples = map[string]string{"{visitor}": found.Visitor, "{page}": found.Page, "{label}": found.Label,
		"{dimension}": found.Dimension}
	return nil
}

// countVisits counts the visits of the site; their number remains unknown if that fails.
func (r *runner) countVisits(ctx context.Context) {
	short, cancel := context.WithTimeout(ctx, r.options.timeout())
	defer cancel()
	if visits, err := r.CountVisits(short, r.target, r.dates(r.longest())); err == nil {
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

// dates returns the parameters of the period that contains the date.
func (r *runner) dates(period string) url.Values {
	date := r.out.Date
	if period == "range" {
		if day, err := time.Parse(time.DateOnly, date); err == nil {
			date = day.AddDate(0, 0, -29).Format(time.DateOnly) + "," + date
		}
	}
	return url.Values{"period": {period}, "date": {date}}
}

// parameters returns the parameters of a job, or the placeholder for which the site has no example.
func (r *runner) parameters(j job) (out url.Values, missing string) {
	out = r.dates(j.period)
	if j.segment != "" {
		out.Set("segment", j.segment)
	}
	for _, key := range slices.Sorted(maps.Keys(j.Parameters)) {
		v := j.Parameters[key]
		if example, found := r.examples[v]; found {
			if example == "" {
				return nil, v
			}
			v = example
		}
		out.Set(key, v)
	}
	return out, ""
}
