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

// Reports times the reports of Matomos, see package benchmark.
type Benchmarks interface {
	Start(ctx context.Context, target string, o benchmark.Options) (timing.ReportBenchmark, error)
	List(ctx context.Context) ([]timing.ReportBenchmark, error)
	Benchmark(ctx context.Context, id string) (timing.ReportBenchmark, error)
	Remove(ctx context.Context, id string) (cancelled bool, err error)
	Mark(ctx context.Context, id string, marked bool) (timing.ReportBenchmark, error)
	Compare(ctx context.Context, id, with string) (timing.BenchmarkComparison, error)
	History(ctx context.Context, url string, siteID int, key timing.ReportKey) ([]benchmark.Point, error)
}

type reportsResponse struct {
	Reports []benchmark.Report `json:"reports"`
	Periods []string           `json:"periods"`
}

type benchmarkRequest struct {
	Body struct {
		Target   string             `json:"target,omitempty" maxLength:"200" doc:"Name or number of a saved target; the single one of the configuration, called matomo, unless given."`
		Reports  []string           `json:"reports,omitempty" maxItems:"200" nullable:"false" doc:"Names of reports; all unless given."`
		More     []benchmark.Report `json:"more,omitempty" maxItems:"100" nullable:"false" doc:"Further reports, whose methods begin with get."`
		Periods  []string           `json:"periods,omitempty" maxItems:"5" nullable:"false" doc:"day, week, month, year, range; the first three unless given. A range is the thirty days up to the date."`
		Segments []string           `json:"segments,omitempty" maxItems:"20" nullable:"false" doc:"As Matomo writes them; an empty one, the default, is all visits."`
		Repeats  int                `json:"repeats,omitempty" default:"5" doc:"Warm requests of each report, 1 to 100."`
		Parallel int                `json:"parallel,omitempty" default:"1" doc:"How many ask at once after that, 1 to 16, each as often again; 1 leaves it out."`
		Timeout  int                `json:"timeout_seconds,omitempty" default:"60" doc:"How long an answer is waited for, 1 to 600."`
		Date     string             `json:"date,omitempty" maxLength:"32" doc:"The day that the periods hold, YYYY-MM-DD; yesterday of the site unless given."`
		Note     string             `json:"note,omitempty" maxLength:"2000"`
	}
}

// benchmarkSummary is a benchmark without what it measured.
type benchmarkSummary struct {
	timing.ReportBenchmark
	Results  int `json:"results" doc:"How many reports it measured; GET …/{id} tells them."`
	Skipped  int `json:"skipped" doc:"How many could not be asked for."`
	Failing  int `json:"failing" doc:"How many gave no warm answer."`
	Timeouts int `json:"timeouts" doc:"Of all requests."`
}

func newBenchmarkSummary(b timing.ReportBenchmark) benchmarkSummary {
	h := benchmarkSummary{ReportBenchmark: b, Results: len(b.Results), Skipped: len(b.Skipped)}
	for _, r := range b.Results {
		h.Timeouts += r.Timeouts
		if r.Warm.Requests == 0 {
			h.Failing++
		}
	}
	return h
}

type benchmarksResponse struct {
	Benchmarks []benchmarkSummary `json:"benchmarks" doc:"The latest first. One at a time goes on."`
}

type baselineRequest struct {
	ByRun
	Body struct {
		Baseline bool `json:"baseline" doc:"true: in place of what the site's baseline was; false: it is none."`
	}
}

type compareBenchmarksRequest struct {
	ByRun
	With string `query:"with" maxLength:"64" pattern:"^[A-Za-z0-9_-]*$" doc:"The benchmark to compare with; the site's baseline unless given."`
}

type reportHistoryRequest struct {
	URL     string `query:"url" required:"true" maxLength:"2000" doc:"Of the target."`
	SiteID  int    `query:"site_id" required:"true"`
	Report  string `query:"report" required:"true" maxLength:"100"`
	Period  string `query:"period" required:"true" maxLength:"10"`
	Segment string `query:"segment" maxLength:"1000"`
}

type reportHistoryResponse struct {
	Points []benchmark.Point `json:"points" doc:"The first first."`
}

type exportBenchmarkRequest struct {
	ByRun
	Format string `query:"format" enum:"json,html" default:"json" doc:"json: everything; html: a report that stands alone, with the comparison with the site's baseline."`
}

// RemovedBenchmark tells what DELETE did.
type RemovedBenchmark struct {
	Success   bool   `json:"success" doc:"Always true; failures have a status of their own."`
	ID        string `json:"id"`
	Cancelled bool   `json:"cancelled" doc:"It went on and ends now; what it has measured is kept. Otherwise it is deleted."`
}

var _ = routes((*server).reports)

func (s *server) reports() {
	const path, one = "/api/report-benchmarks", "/api/report-benchmarks/{id}"
	get(s, "/api/reports", tagReports, "Reports that can be timed", func(context.Context) (reportsResponse, error) {
		return reportsResponse{benchmark.Reports(), benchmark.Periods()}, nil
	})
	reply(s, about(begun(op(http.MethodPost, path, tagReports, "Time the reports of a Matomo")),
		"It goes on by itself: each report once cold, then warm one at a time, then at once. 409 while another one "+
			"goes on; 422 tells every fault."),
		func(ctx context.Context, in *benchmarkRequest) (timing.ReportBenchmark, error) {
			b := in.Body
			return s.Benchmarks.Start(ctx, b.Target, benchmark.Options{
				Reports: b.Reports, More: b.More, Periods: b.Periods, Segments: b.Segments, Repeats: b.Repeats,
				Parallel: b.Parallel, Timeout: time.Duration(b.Timeout) * time.Second, Date: b.Date, Note: b.Note,
			})
		})
	get(s, path, tagReports, "Benchmarks of reports", func(ctx context.Context) (benchmarksResponse, error) {
		all, err := s.Benchmarks.List(ctx)
		out := make([]benchmarkSummary, len(all))
		for i, b := range all {
			out[i] = newBenchmarkSummary(b)
		}
		return benchmarksResponse{out}, err
	})
	byRun(s, op(http.MethodGet, one, tagReports, "A benchmark of reports, as it stands where it goes on"),
		func(ctx context.Context, id string) (timing.ReportBenchmark, error) {
			return s.Benchmarks.Benchmark(ctx, id)
		})
	byRun(s, op(http.MethodDelete, one, tagReports, "Cancel the benchmark that goes on, or delete one that has ended"),
		func(ctx context.Context, id string) (RemovedBenchmark, error) {
			cancelled, err := s.Benchmarks.Remove(ctx, id)
			return RemovedBenchmark{true, id, cancelled}, err
		})
	reply(s, op(http.MethodPost, one+"/baseline", tagReports,
		"Make a benchmark the baseline of its site, or no longer"),
		func(ctx context.Context, in *baselineRequest) (timing.ReportBenchmark, error) {
			return s.Benchmarks.Mark(ctx, in.ID, in.Body.Baseline)
		})
	reply(s, about(op(http.MethodGet, one+"/comparison", tagReports,
		"Which reports got slower or faster, beyond chance"),
		"409 where the site has no baseline and no other benchmark is named."),
		func(ctx context.Context, in *compareBenchmarksRequest) (timing.BenchmarkComparison, error) {
			return s.Benchmarks.Compare(ctx, in.ID, in.With)
		})
	reply(s, op(http.MethodGet, "/api/report-history", tagReports,
		"What the benchmarks of a site measured of one report"),
		func(ctx context.Context, in *reportHistoryRequest) (reportHistoryResponse, error) {
			points, err := s.Benchmarks.History(ctx, in.URL, in.SiteID,
				timing.ReportKey{Report: in.Report, Period: in.Period, Segment: in.Segment})
			return reportHistoryResponse{points}, err
		})
	o := file(op(http.MethodGet, one+"/export", tagReports, "A benchmark as a file"), "application/json",
		&huma.Schema{Type: huma.TypeObject, AdditionalProperties: true})
	o.Responses["200"].Content["text/html"] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString}}
	route(s, o, s.exportBenchmark)
}

func (s *server) exportBenchmark(ctx context.Context, in *exportBenchmarkRequest) (*textResponse, error) {
	b, err := s.Benchmarks.Benchmark(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	name := func(ending string) string { return `attachment; filename="reports-` + b.ID + ending + `"` }
	if in.Format == "json" {
		data, err := json.MarshalIndent(b, "", "  ")
		if err != nil {
			return nil, fmt.Errorf("export benchmark: %w", err)
		}
		return &textResponse{"application/json", name(".json"), data}, nil
	}
	shown := benchmark.Page{ReportBenchmark: b, Version: s.Version}
	// else there is nothing to compare with
	if c, err := s.Benchmarks.Compare(ctx, in.ID, ""); err == nil && c.Baseline != b.ID {
		shown.Comparison = &c
	}
	var out bytes.Buffer
	if err := benchmark.HTML(&out, &shown); err != nil {
		return nil, err
	}
	return &textResponse{"text/html; charset=utf-8", name(".html"), out.Bytes()}, nil
}
