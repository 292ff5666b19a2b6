package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/puttrix/trafficinator/controller/internal/benchmark"
	"github.com/puttrix/trafficinator/controller/internal/benchmark/timing"
)

// Benchmarks measures how fast Matomos answer their Reporting API, see package benchmark.
type Benchmarks interface {
	Start(ctx context.Context, o benchmark.Options) (timing.ReportBenchmark, error)
	List(ctx context.Context) ([]timing.ReportBenchmark, error)
	Benchmark(ctx context.Context, id string) (timing.ReportBenchmark, error)
	Remove(ctx context.Context, id string) (cancelled bool, err error)
	SetBaseline(ctx context.Context, id string, baseline bool) (timing.ReportBenchmark, error)
	Compare(ctx context.Context, id, with string) (timing.BenchmarkComparison, error)
	History(ctx context.Context, url string, siteID int, key timing.ReportKey) ([]benchmark.Point, error)
}

type reportsResponse struct {
	Reports []benchmark.Report `json:"reports" doc:"Built-in reports."`
	Periods []string           `json:"periods" doc:"Periods of Matomo, shortest first."`
}

type benchmarkRequest struct{ Body benchmark.Options }

// benchmarkSummary is a benchmark with totals in place of its results.
type benchmarkSummary struct {
	timing.ReportBenchmark
	Results  int `json:"results" doc:"Number of reports measured. GET /api/benchmarks/{id} returns their results."`
	Skipped  int `json:"skipped" doc:"Number of reports that could not be requested."`
	Failing  int `json:"failing" doc:"Number of reports without a warm response."`
	Timeouts int `json:"timeouts" doc:"Number of requests that timed out."`
}

type benchmarksResponse struct {
	Benchmarks []benchmarkSummary `json:"benchmarks" doc:"Newest first. At most one is running."`
}

type baselineRequest struct {
	ByRun
	Body struct {
		Baseline bool `json:"baseline" doc:"true makes this benchmark the baseline of its site; false removes it as the baseline."`
	}
}

type compareBenchmarksRequest struct {
	ByRun
	With string `query:"with" maxLength:"64" pattern:"^[A-Za-z0-9_-]*$" doc:"Benchmark to compare with. Default: the site's baseline."`
}

type reportHistoryRequest struct {
	URL     string `query:"url" required:"true" maxLength:"2000" doc:"URL of the target."`
	SiteID  int    `query:"site_id" required:"true" doc:"Id of the site."`
	Report  string `query:"report" required:"true" maxLength:"100" doc:"Name of the report."`
	Period  string `query:"period" required:"true" maxLength:"10" doc:"Period of the report."`
	Segment string `query:"segment" maxLength:"1000" doc:"Matomo segment. Default: all visits."`
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
	ID        string `json:"id" doc:"Id of the benchmark."`
	Cancelled bool   `json:"cancelled" doc:"true: the benchmark was running and has been cancelled; its results so far are kept. false: it has been deleted."`
}

var _ = addRoutes((*server).benchmarks)

func (s *server) benchmarks() {
	const path, one = "/api/benchmarks", "/api/benchmarks/{id}"
	const oldPath, oldOne = "/api/report-benchmarks", "/api/report-benchmarks/{id}"
	handlePlain(s, get(path+"/reports", tagBenchmarks, "List the Matomo reports that a benchmark can request").
		formerly("/api/reports"), func(context.Context) (reportsResponse, error) {
		return reportsResponse{benchmark.BuiltInReports(), benchmark.Periods()}, nil
	})
	handle(s, post(path, tagBenchmarks, "Start a benchmark").status(http.StatusAccepted).formerly(oldPath).
		describe("Measures how fast a Matomo answers its Reporting API. Each report is requested once cold, then warm one "+
			"request at a time, then by parallel clients. The benchmark runs in the background. Returns 409 if another "+
			"one is running, and 422 with every invalid option."),
		func(ctx context.Context, in *benchmarkRequest) (timing.ReportBenchmark, error) {
			return s.Benchmarks.Start(ctx, in.Body)
		})
	handlePlain(s, get(path, tagBenchmarks, "List benchmarks").formerly(oldPath), s.listBenchmarks)
	handleRun(s, get(one, tagBenchmarks, "Get a benchmark").formerly(oldOne).
		describe("Includes the results so far if it is running."),
		func(ctx context.Context, id string) (timing.ReportBenchmark, error) {
			return s.Benchmarks.Benchmark(ctx, id)
		})
	handleRun(s, remove(one, tagBenchmarks, "Cancel or delete a benchmark").formerly(oldOne).
		describe("Cancels the benchmark if it is running, and deletes it otherwise."),
		func(ctx context.Context, id string) (RemovedBenchmark, error) {
			cancelled, err := s.Benchmarks.Remove(ctx, id)
			return RemovedBenchmark{true, id, cancelled}, err
		})
	handle(s, post(one+"/baseline", tagBenchmarks, "Set or unset a benchmark as the baseline of its site").
		formerly(oldOne+"/baseline"),
		func(ctx context.Context, in *baselineRequest) (timing.ReportBenchmark, error) {
			return s.Benchmarks.SetBaseline(ctx, in.ID, in.Body.Baseline)
		})
	handle(s, get(one+"/comparison", tagBenchmarks, "Compare a benchmark with a baseline").
		formerly(oldOne+"/comparison").
		describe("Reports which Matomo reports became significantly slower or faster. Returns 409 if the site has no "+
			"baseline and no other benchmark is given."),
		func(ctx context.Context, in *compareBenchmarksRequest) (timing.BenchmarkComparison, error) {
			return s.Benchmarks.Compare(ctx, in.ID, in.With)
		})
	handle(s, get(path+"/history", tagBenchmarks, "List all measurements of one report of a site").
		formerly("/api/report-history"),
		func(ctx context.Context, in *reportHistoryRequest) (reportHistoryResponse, error) {
			points, err := s.Benchmarks.History(ctx, in.URL, in.SiteID,
				timing.ReportKey{Report: in.Report, Period: in.Period, Segment: in.Segment})
			return reportHistoryResponse{points}, err
		})
	register(s, get(one+"/export", tagBenchmarks, "Export a benchmark").formerly(oldOne+"/export").
		produces(map[string]*huma.Schema{"application/json": anyObject(), "text/html": anyString()}), s.exportBenchmark)
}

func (s *server) listBenchmarks(ctx context.Context) (benchmarksResponse, error) {
	all, err := s.Benchmarks.List(ctx)
	out := make([]benchmarkSummary, len(all))
	for i, b := range all {
		failing, timeouts := b.Failures()
		out[i] = benchmarkSummary{b, len(b.Results), len(b.Skipped), failing, timeouts}
	}
	return benchmarksResponse{out}, err
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
	// Without a baseline, or if this is the baseline, the page has no comparison.
	if c, err := s.Benchmarks.Compare(ctx, in.ID, ""); err == nil && c.Baseline != b.ID {
		page.Comparison = &c
	}
	var out bytes.Buffer
	if err := benchmark.WriteHTML(&out, &page); err != nil {
		return nil, err
	}
	return newFile("text/html; charset=utf-8", "benchmark-"+b.ID+".html", out.Bytes()), nil
}
