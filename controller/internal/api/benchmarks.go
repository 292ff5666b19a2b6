package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/puttrix/trafficinator/controller/internal/benchmark"
	"github.com/puttrix/trafficinator/controller/internal/benchmark/timing"
)

// Benchmarks measures how fast Matomos answer their Reporting API, see package benchmark.
type Benchmarks interface {
	Start(ctx context.Context, target string, o benchmark.Options) (timing.ReportBenchmark, error)
	List(ctx context.Context) ([]timing.ReportBenchmark, error)
	Benchmark(ctx context.Context, id string) (timing.ReportBenchmark, error)
	Remove(ctx context.Context, id string) (cancelled bool, err error)
	SetBaseline(ctx context.Context, id string, baseline bool) (timing.ReportBenchmark, error)
	Compare(ctx context.Context, id, with string) (timing.BenchmarkComparison, error)
	History(ctx context.Context, url string, siteID int, key timing.ReportKey) ([]benchmark.Point, error)
}

type reportsResponse struct {
	Reports []benchmark.Report `json:"reports"`
	Periods []string           `json:"periods"`
}

type benchmarkRequest struct {
	Body struct {
		Target   string             `json:"target,omitempty" maxLength:"200" doc:"Name or number of a saved target. Default: the target of MATOMO_URL, called matomo."`
		Reports  []string           `json:"reports,omitempty" maxItems:"200" nullable:"false" doc:"Names of the Matomo reports to request. Default: all."`
		More     []benchmark.Report `json:"more,omitempty" maxItems:"100" nullable:"false" doc:"Additional reports. Their methods must begin with get."`
		Periods  []string           `json:"periods,omitempty" maxItems:"5" nullable:"false" doc:"day, week, month, year or range, the 30 days up to the date. Default: day, week, month."`
		Segments []string           `json:"segments,omitempty" maxItems:"20" nullable:"false" doc:"Matomo segments; an empty one is all visits. Default: all visits."`
		Repeats  int                `json:"repeats,omitempty" default:"5" doc:"Warm requests of each report, 1 to 100."`
		Parallel int                `json:"parallel,omitempty" default:"1" doc:"Parallel clients of the last round, 1 to 16; each sends as many requests again. 1 skips that round."`
		Timeout  int                `json:"timeout_seconds,omitempty" default:"60" doc:"Timeout of a request, 1 to 600 seconds."`
		Date     string             `json:"date,omitempty" maxLength:"32" doc:"Date to report on, YYYY-MM-DD. Default: yesterday in the site's time zone."`
		Note     string             `json:"note,omitempty" maxLength:"2000"`
	}
}

// benchmarkSummary is a benchmark with totals in place of its results.
type benchmarkSummary struct {
	timing.ReportBenchmark
	Results  int `json:"results" doc:"Number of reports measured. GET /api/benchmarks/{id} returns their results."`
	Skipped  int `json:"skipped" doc:"Number of reports that could not be requested."`
	Failing  int `json:"failing" doc:"Number of reports without a warm response."`
	Timeouts int `json:"timeouts" doc:"Number of requests that timed out."`
}

func newBenchmarkSummary(b timing.ReportBenchmark) benchmarkSummary {
	s := benchmarkSummary{ReportBenchmark: b, Results: len(b.Results), Skipped: len(b.Skipped)}
	s.Failing, s.Timeouts = b.Failures()
	return s
}

type benchmarksResponse struct {
	Benchmarks []benchmarkSummary `json:"benchmarks" doc:"Newest first. At most one is running."`
}

type baselineRequest struct {
	ByRun
	Body struct {
		Baseline bool `json:"baseline" doc:"true replaces the site's baseline by this benchmark; false removes it as the baseline."`
	}
}

type compareBenchmarksRequest struct {
	ByRun
	With string `query:"with" maxLength:"64" pattern:"^[A-Za-z0-9_-]*$" doc:"Benchmark to compare with. Default: the site's baseline."`
}

type reportHistoryRequest struct {
	URL     string `query:"url" required:"true" maxLength:"2000" doc:"URL of the target."`
	SiteID  int    `query:"site_id" required:"true"`
	Report  string `query:"report" required:"true" maxLength:"100"`
	Period  string `query:"period" required:"true" maxLength:"10"`
	Segment string `query:"segment" maxLength:"1000"`
}

type reportHistoryResponse struct {
	Points []benchmark.Point `json:"points" doc:"Oldest first."`
}

type exportBenchmarkRequest struct {
	ByRun
	Format string `query:"format" enum:"json,html" default:"json" doc:"json: all data; html: a self-contained page that includes the comparison with the site's baseline."`
}

// RemovedBenchmark is the response to a DELETE.
type RemovedBenchmark struct {
	Success   bool   `json:"success" doc:"Always true; errors have their own status."`
	ID        string `json:"id"`
	Cancelled bool   `json:"cancelled" doc:"true: the benchmark was running and is cancelled; its results so far are kept. false: it is deleted."`
}

var _ = addRoutes((*server).benchmarks)

func (s *server) benchmarks() {
	const path, one = "/api/benchmarks", "/api/benchmarks/{id}"
	const oldPath, oldOne = "/api/report-benchmarks", "/api/report-benchmarks/{id}"
	handle(s, formerly("/api/reports", op(http.MethodGet, path+"/reports", tagBenchmarks,
		"List the Matomo reports that a benchmark can request")),
		func(context.Context, *empty) (reportsResponse, error) {
			return reportsResponse{benchmark.BuiltInReports(), benchmark.Periods()}, nil
		})
	handle(s, formerly(oldPath, describe(respondsWith(http.StatusAccepted, op(http.MethodPost, path, tagBenchmarks,
		"Start a benchmark")), "Measures how fast a Matomo answers its Reporting API: each report is requested once "+
		"cold, then warm one at a time, then by parallel clients. The benchmark runs in the background. Returns 409 "+
		"if another one is running, and 422 with every invalid option.")),
		func(ctx context.Context, in *benchmarkRequest) (timing.ReportBenchmark, error) {
			b := in.Body
			return s.Benchmarks.Start(ctx, b.Target, benchmark.Options{
				Reports: b.Reports, More: b.More, Periods: b.Periods, Segments: b.Segments, Repeats: b.Repeats,
				Parallel: b.Parallel, Timeout: time.Duration(b.Timeout) * time.Second, Date: b.Date, Note: b.Note,
			})
		})
	handle(s, formerly(oldPath, op(http.MethodGet, path, tagBenchmarks, "List benchmarks")),
		func(ctx context.Context, _ *empty) (benchmarksResponse, error) {
			all, err := s.Benchmarks.List(ctx)
			out := make([]benchmarkSummary, len(all))
			for i, b := range all {
				out[i] = newBenchmarkSummary(b)
			}
			return benchmarksResponse{out}, err
		})
	handleRun(s, formerly(oldOne, describe(op(http.MethodGet, one, tagBenchmarks, "Get a benchmark"),
		"Includes the results so far if it is running.")),
		func(ctx context.Context, id string) (timing.ReportBenchmark, error) {
			return s.Benchmarks.Benchmark(ctx, id)
		})
	handleRun(s, formerly(oldOne, op(http.MethodDelete, one, tagBenchmarks, "Cancel or delete a benchmark")),
		func(ctx context.Context, id string) (RemovedBenchmark, error) {
			cancelled, err := s.Benchmarks.Remove(ctx, id)
			return RemovedBenchmark{true, id, cancelled}, err
		})
	handle(s, formerly(oldOne+"/baseline", op(http.MethodPost, one+"/baseline", tagBenchmarks,
		"Set or unset a benchmark as the baseline of its site")),
		func(ctx context.Context, in *baselineRequest) (timing.ReportBenchmark, error) {
			return s.Benchmarks.SetBaseline(ctx, in.ID, in.Body.Baseline)
		})
	handle(s, formerly(oldOne+"/comparison", describe(op(http.MethodGet, one+"/comparison", tagBenchmarks,
		"Compare a benchmark with a baseline"), "Tells which reports became significantly slower or faster. Returns "+
		"409 if the site has no baseline and no other benchmark is given.")),
		func(ctx context.Context, in *compareBenchmarksRequest) (timing.BenchmarkComparison, error) {
			return s.Benchmarks.Compare(ctx, in.ID, in.With)
		})
	handle(s, formerly("/api/report-history", op(http.MethodGet, path+"/history", tagBenchmarks,
		"List all measurements of one report of a site")),
		func(ctx context.Context, in *reportHistoryRequest) (reportHistoryResponse, error) {
			points, err := s.Benchmarks.History(ctx, in.URL, in.SiteID,
				timing.ReportKey{Report: in.Report, Period: in.Period, Segment: in.Segment})
			return reportHistoryResponse{points}, err
		})
	register(
		s,
		formerly(oldOne+"/export", produces(op(http.MethodGet, one+"/export", tagBenchmarks, "Export a benchmark"),
			map[string]*huma.Schema{"application/json": anyObject, "text/html": anyString})),
		s.exportBenchmark,
	)
}

func (s *server) exportBenchmark(ctx context.Context, in *exportBenchmarkRequest) (*fileResponse, error) {
	b, err := s.Benchmarks.Benchmark(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if in.Format == "json" {
		data, err := json.MarshalIndent(b, "", "  ")
		if err != nil {
			return nil, fmt.Errorf("export benchmark: %w", err)
		}
		return newFile("application/json", "benchmark-"+b.ID+".json", data), nil
	}
	page := benchmark.Page{ReportBenchmark: b, Version: s.Version}
	if c, err := s.Benchmarks.Compare(
		ctx,
		in.ID,
		"",
	); err == nil &&
		c.Baseline != b.ID { // else there is no other baseline
		page.Comparison = &c
	}
	var out bytes.Buffer
	if err := benchmark.WriteHTML(&out, &page); err != nil {
		return nil, err
	}
	return newFile("text/html; charset=utf-8", "benchmark-"+b.ID+".html", out.Bytes()), nil
}
