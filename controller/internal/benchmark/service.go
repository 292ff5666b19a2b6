package benchmark

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/benchmark/timing"
	"github.com/puttrix/trafficinator/controller/internal/fault"
	"github.com/puttrix/trafficinator/controller/internal/stored"
	"github.com/puttrix/trafficinator/shared/lifecycle"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/runid"
	"github.com/puttrix/trafficinator/shared/target"
)

// Store stores benchmarks.
type Store interface {
	SaveBenchmark(ctx context.Context, b timing.ReportBenchmark) error
	Benchmarks(ctx context.Context) ([]timing.ReportBenchmark, error)
	Benchmark(ctx context.Context, id string) (timing.ReportBenchmark, error)
	Baseline(ctx context.Context, url string, siteID int) (timing.ReportBenchmark, error)
	MarkBaseline(ctx context.Context, id string, marked bool) error
	DeleteBenchmark(ctx context.Context, id string) error
}

// Config of a Service.
type Config struct {
	Matomo Matomo
	Store  Store
	// Single returns the target of the configuration, without a URL if there is none. Targets returns the saved ones.
	Single  func(ctx context.Context) (target.Target, error)
	Targets func(ctx context.Context) ([]stored.Target, error)
	// Sending returns the id of the run or backfill that is sending, or "".
	Sending func(ctx context.Context) string
	Log     *slog.Logger
}

// Service runs benchmarks, one at a time, and stores their results. It is safe for concurrent use.
type Service struct {
	// Tasks runs the current benchmark.
	Tasks *lifecycle.Tasks
	cfg   Config

	mu     sync.Mutex // guards the following
	cancel context.CancelFunc
	// running is the current benchmark, or nil.
	running *timing.ReportBenchmark
}

var (
	// ErrBusy is returned while a benchmark is running: two would affect each other.
	ErrBusy = fault.Conflict.New("another benchmark is running; wait for it or cancel it")
	// ErrNoBaseline is returned for a site without a baseline.
	ErrNoBaseline = fault.Conflict.New("the site has no baseline to compare with; mark a benchmark as the baseline")
)

// New returns a Service.
func New(c Config) *Service {
	return &Service{Tasks: lifecycle.NewTasks("API benchmarks"), cfg: c}
}

// Start starts a benchmark and returns its state. The error is ErrBusy or a problem.List.
func (svc *Service) Start(ctx context.Context, o Options) (b timing.ReportBenchmark, err error) {
	_, problems := o.withDefaults().jobs()
	t, found, err := svc.target(ctx, o.Target)
	switch {
	case err != nil:
		return b, err
	case !found && o.Target == "":
		problems.Refuse("target", "", "is missing, and MATOMO_URL is not set", "name a target, or set MATOMO_URL")
	case !found:
		problems.Refuse("target", o.Target, "is not a saved target",
			"name one of the targets, or leave it out for the one of MATOMO_URL")
	}
	if err := problems.Err(); err != nil {
		return b, err
	}
	svc.mu.Lock()
	defer svc.mu.Unlock()
	if svc.running != nil {
		return b, ErrBusy
	}
	began := time.Now().UTC()
	b = timing.ReportBenchmark{
		ID: runid.New(began), Target: t.Name, URL: t.URL, SiteID: t.SiteID, Note: o.Note, Began: began,
		State: timing.BenchmarkRunning, Results: []timing.ReportTiming{}, Skipped: []timing.SkippedReport{},
	}
	if svc.cancel, err = svc.Tasks.Go(ctx, func(ctx context.Context) { svc.run(ctx, t, o, b) }); err == nil {
		svc.running = &b
	}
	return b, err
}

// target finds a target by its name or, failing that, by its id. The target of the configuration is called matomo, as
// in the loadgen.
func (svc *Service) target(ctx context.Context, name string) (target.Target, bool, error) {
	single, err := svc.cfg.Single(ctx)
	single.Name = target.SingleName
	if err != nil || single.URL != "" && (name == "" || name == single.Name) {
		return single, true, err
	}
	saved, err := svc.cfg.Targets(ctx)
	i := slices.IndexFunc(saved, func(t stored.Target) bool { return t.Name == name })
	if i < 0 {
		i = slices.IndexFunc(saved, func(t stored.Target) bool { return strconv.FormatInt(t.ID, 10) == name })
	}
	if i < 0 {
		return target.Target{}, false, err
	}
	return saved[i].Target, true, err
}

func (svc *Service) run(ctx context.Context, t target.Target, o Options, b timing.ReportBenchmark) {
	sending, asking := "", "nothing"
	onChange := func(b timing.ReportBenchmark) {
		if sending == "" && asking != b.Asking { // once for each report
			sending, asking = svc.cfg.Sending(ctx), b.Asking
		}
		b.RunID = sending
		svc.mu.Lock()
		defer svc.mu.Unlock()
		svc.running = &b
	}
	onChange(b)
	b, err := Run(ctx, svc.cfg.Matomo, t, o, b, onChange)
	b.RunID = sending
	svc.mu.Lock() // so that it is either running or saved at any moment
	defer svc.mu.Unlock()
	if err == nil {
		err = svc.cfg.Store.SaveBenchmark(context.WithoutCancel(ctx), b)
	}
	if err != nil {
		svc.cfg.Log.Error("could not save an API benchmark", "id", b.ID, "err", err)
	}
	svc.running = nil
}

// List returns all benchmarks including a running one, newest first.
func (svc *Service) List(ctx context.Context) ([]timing.ReportBenchmark, error) {
	running := svc.current()
	saved, err := svc.cfg.Store.Benchmarks(ctx)
	if running == nil || slices.ContainsFunc(saved, func(b timing.ReportBenchmark) bool { return b.ID == running.ID }) {
		return saved, err
	}
	return slices.Insert(saved, 0, *running), err
}

func (svc *Service) current() *timing.ReportBenchmark {
	svc.mu.Lock()
	defer svc.mu.Unlock()
	return svc.running
}

// Benchmark returns a benchmark, running or saved, or fault.NotFound.
func (svc *Service) Benchmark(ctx context.Context, id string) (timing.ReportBenchmark, error) {
	if b := svc.current(); b != nil && b.ID == id {
		return *b, nil
	}
	return svc.cfg.Store.Benchmark(ctx, id)
}

// Remove cancels a running benchmark, which keeps its results so far, and deletes any other.
func (svc *Service) Remove(ctx context.Context, id string) (cancelled bool, err error) {
	svc.mu.Lock()
	if svc.running != nil && svc.running.ID == id {
		defer svc.mu.Unlock()
		svc.cancel()
		return true, nil
	}
	svc.mu.Unlock()
	return false, svc.cfg.Store.DeleteBenchmark(ctx, id)
}

// SetBaseline sets or unsets a completed benchmark as the baseline of its site.
func (svc *Service) SetBaseline(ctx context.Context, id string, marked bool) (timing.ReportBenchmark, error) {
	b, err := svc.Benchmark(ctx, id)
	if err != nil {
		return b, err
	}
	if marked && b.State != timing.BenchmarkDone {
		var problems problem.List
		problems.Refuse("baseline", id, "is not complete", "choose a benchmark that is done")
		return b, problems
	}
	if err := svc.cfg.Store.MarkBaseline(ctx, id, marked); err != nil {
		return b, err
	}
	b.Baseline = marked
	return b, nil
}

// Compare compares a benchmark with another one, by default with the baseline of its site. The error is
// fault.NotFound or ErrNoBaseline.
func (svc *Service) Compare(ctx context.Context, id, with string) (timing.BenchmarkComparison, error) {
	now, err := svc.Benchmark(ctx, id)
	if err != nil {
		return timing.BenchmarkComparison{}, err
	}
	var before timing.ReportBenchmark
	if with != "" {
		before, err = svc.Benchmark(ctx, with)
	} else if before, err = svc.cfg.Store.Baseline(ctx, now.URL, now.SiteID); errors.Is(err, fault.NotFound) {
		err = ErrNoBaseline
	}
	if err != nil {
		return timing.BenchmarkComparison{}, err
	}
	return Compare(before, now), nil
}

// Point is one benchmark's measurement of a report.
type Point struct {
	ID    string    `json:"id" doc:"Id of the benchmark."`
	Began time.Time `json:"began" doc:"Start of the benchmark."`
	Note  string    `json:"note" doc:"Note of the benchmark."`
	Cold  *float64  `json:"cold" doc:"Time of the cold request in seconds; null if it failed."`
	P50   *float64  `json:"p50" doc:"Median of the warm requests in seconds; null if all failed."`
	P95   *float64  `json:"p95" doc:"95th percentile of the warm requests in seconds; null if all failed."`
}

// History returns all measurements of one report of a site, oldest first.
func (svc *Service) History(ctx context.Context, url string, siteID int, key timing.ReportKey) ([]Point, error) {
	all, err := svc.cfg.Store.Benchmarks(ctx)
	if err != nil {
		return nil, fmt.Errorf("read history of reports: %w", err)
	}
	out := []Point{}
	for _, b := range slices.Backward(all) {
		for _, r := range b.Results {
			if b.URL != url || b.SiteID != siteID || r.Key() != key {
				continue
			}
			p := Point{ID: b.ID, Began: b.Began, Note: b.Note, Cold: r.Cold}
			if r.Warm.Requests > 0 {
				p.P50, p.P95 = &r.Warm.P50, &r.Warm.P95
			}
			out = append(out, p)
		}
	}
	return out, nil
}
