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

// Store is where benchmarks are kept.
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
	// Single is the target of the configuration, whose address is empty where there is none, Targets are the saved
	// ones.
	Single  func(ctx context.Context) (target.Target, error)
	Targets func(ctx context.Context) ([]stored.Target, error)
	// Sending is the id of the run or backfill that sends now, empty where none does.
	Sending func(ctx context.Context) string
	Log     *slog.Logger
}

// Service runs benchmarks, one at a time, and keeps what they measure. It is safe for concurrent use.
type Service struct {
	// Tasks is the benchmark that goes on.
	Tasks *lifecycle.Tasks
	cfg   Config

	mu     sync.Mutex // guards what follows
	cancel context.CancelFunc
	// going is nil where none goes on.
	going *timing.ReportBenchmark
}

var (
	// ErrBusy says that one benchmark goes on, and two would measure each other.
	ErrBusy = fault.Conflict.New("a benchmark of reports goes on; wait for it or cancel it")
	// ErrNoBaseline says that the site has none.
	ErrNoBaseline = fault.Conflict.New("the site has no baseline to compare with; mark a benchmark as one")
)

// New makes a Service.
func New(c Config) *Service {
	return &Service{Tasks: lifecycle.NewTasks("report benchmarks"), cfg: c}
}

// Start begins a benchmark of a target, by its name or number, else of the single one, and returns it as it stands. The
// error is ErrBusy or a problem.List.
func (svc *Service) Start(ctx context.Context, asked string, o Options) (timing.ReportBenchmark, error) {
	_, problems := o.usual().jobs()
	t, found, err := svc.target(ctx, asked)
	if err != nil {
		return timing.ReportBenchmark{}, err
	}
	switch {
	case !found && asked == "":
		problems.Refuse("target", "", "is none: no single target is configured",
			"set MATOMO_URL, or name one of the targets")
	case !found:
		problems.Refuse("target", asked, "is no saved target",
			"name one of the targets, or leave it out for the one of MATOMO_URL")
	}
	if err := problems.Err(); err != nil {
		return timing.ReportBenchmark{}, err
	}
	svc.mu.Lock()
	defer svc.mu.Unlock()
	if svc.going != nil {
		return timing.ReportBenchmark{}, ErrBusy
	}
	began := time.Now().UTC()
	b := timing.ReportBenchmark{
		ID: runid.New(began), Target: t.Name, URL: t.URL, SiteID: t.SiteID, Note: o.Note, Began: began,
		State:   timing.BenchmarkRunning,
		Results: []timing.ReportTiming{}, Skipped: []timing.SkippedReport{},
	}
	if svc.cancel, err = svc.Tasks.Go(ctx, func(ctx context.Context) { svc.run(ctx, t, o, b) }); err == nil {
		svc.going = &b
	}
	return b, err
}

// target finds one by its name or, where none is called so, by its number. The single one is called matomo, as the
// loadgen does.
func (svc *Service) target(ctx context.Context, asked string) (target.Target, bool, error) {
	single, err := svc.cfg.Single(ctx)
	single.Name = target.SingleName
	if err != nil || single.URL != "" && (asked == "" || asked == single.Name) {
		return single, true, err
	}
	saved, err := svc.cfg.Targets(ctx)
	i := slices.IndexFunc(saved, func(t stored.Target) bool { return t.Name == asked })
	if i < 0 {
		i = slices.IndexFunc(saved, func(t stored.Target) bool { return strconv.FormatInt(t.ID, 10) == asked })
	}
	if i < 0 {
		return target.Target{}, false, err
	}
	return saved[i].Target, true, err
}

func (svc *Service) run(ctx context.Context, t target.Target, o Options, b timing.ReportBenchmark) {
	sent, asking := "", "nothing"
	tell := func(b timing.ReportBenchmark) {
		if sent == "" && asking != b.Asking { // once for each report
			sent, asking = svc.cfg.Sending(ctx), b.Asking
		}
		b.RunID = sent
		svc.mu.Lock()
		defer svc.mu.Unlock()
		svc.going = &b
	}
	tell(b)
	b, err := Run(ctx, svc.cfg.Matomo, t, o, b, tell)
	b.RunID = sent
	svc.mu.Lock() // so that at each moment it either goes on or is kept
	defer svc.mu.Unlock()
	if err == nil {
		err = svc.cfg.Store.SaveBenchmark(context.WithoutCancel(ctx), b)
	}
	if err != nil {
		svc.cfg.Log.Error("a benchmark of reports cannot be kept", "id", b.ID, "err", err)
	}
	svc.going = nil
}

// List are all benchmarks, the latest first and among them the one that goes on.
func (svc *Service) List(ctx context.Context) ([]timing.ReportBenchmark, error) {
	going := svc.current()
	kept, err := svc.cfg.Store.Benchmarks(ctx)
	if going == nil || slices.ContainsFunc(kept, func(b timing.ReportBenchmark) bool { return b.ID == going.ID }) {
		return kept, err
	}
	return slices.Insert(kept, 0, *going), err
}

func (svc *Service) current() *timing.ReportBenchmark {
	svc.mu.Lock()
	defer svc.mu.Unlock()
	return svc.going
}

// Benchmark is one, as it stands where it goes on, or fault.NotFound.
func (svc *Service) Benchmark(ctx context.Context, id string) (timing.ReportBenchmark, error) {
	if b := svc.current(); b != nil && b.ID == id {
		return *b, nil
	}
	return svc.cfg.Store.Benchmark(ctx, id)
}

// Remove cancels the one that goes on, which keeps what it has measured, and deletes one that has ended.
func (svc *Service) Remove(ctx context.Context, id string) (cancelled bool, err error) {
	svc.mu.Lock()
	if svc.going != nil && svc.going.ID == id {
		defer svc.mu.Unlock()
		svc.cancel()
		return true, nil
	}
	svc.mu.Unlock()
	return false, svc.cfg.Store.DeleteBenchmark(ctx, id)
}

// SetBaseline makes a benchmark that was measured to its end the baseline of its site, or no longer.
func (svc *Service) SetBaseline(ctx context.Context, id string, marked bool) (timing.ReportBenchmark, error) {
	b, err := svc.Benchmark(ctx, id)
	if err != nil {
		return b, err
	}
	if marked && b.State != timing.BenchmarkDone {
		var problems problem.List
		problems.Refuse("baseline", id, "has not been measured to its end", "mark one that is done")
		return b, problems
	}
	if err := svc.cfg.Store.MarkBaseline(ctx, id, marked); err != nil {
		return b, err
	}
	b.Baseline = marked
	return b, nil
}

// Compare sets a benchmark beside another, or beside the baseline of its site. The error is fault.NotFound or
// ErrNoBaseline.
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

// Point is what one benchmark measured of a report.
type Point struct {
	ID    string    `json:"id"`
	Began time.Time `json:"began"`
	Note  string    `json:"note"`
	// Cold is in seconds, nil where it failed; so are those of Warm.
	Cold *float64 `json:"cold"`
	P50  *float64 `json:"p50"`
	P95  *float64 `json:"p95"`
}

// History is what the benchmarks of a site measured of one report, the first first.
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
