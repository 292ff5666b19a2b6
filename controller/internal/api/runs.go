package api

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/puttrix/trafficinator/controller/internal/record"
	"github.com/puttrix/trafficinator/controller/internal/run/history"
	"github.com/puttrix/trafficinator/controller/internal/run/job"
	"github.com/puttrix/trafficinator/shared/runsummary"
	"github.com/puttrix/trafficinator/shared/threshold"
)

type runsRequest struct {
	Skip   int    `query:"skip" minimum:"0" maximum:"1000000" default:"0" doc:"Number of runs to skip."`
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"50" doc:"Maximum number of runs to return."`
	Kind   string `query:"kind" maxLength:"64" doc:"Only runs of this kind."`
	Label  string `query:"label" maxLength:"50" doc:"Only runs with this label."`
	Reason string `query:"reason" maxLength:"64" doc:"Only runs that ended for this reason."`
	Text   string `query:"q" maxLength:"200" doc:"Only runs with this text in their id, note, labels or end reason, ignoring case."`
}

// Resolve implements huma.Resolver. An unknown kind would silently match no run.
func (r *runsRequest) Resolve(huma.Context) []error {
	if names := runsummary.Kinds(); r.Kind != "" && !slices.Contains(names, r.Kind) {
		return []error{&huma.ErrorDetail{Location: "query.kind", Value: r.Kind,
			Message: fmt.Sprintf("expected value to be one of %q", strings.Join(names, ", "))}}
	}
	return nil
}

type runsResponse struct {
	Runs   []runRow `json:"runs" doc:"Newest first."`
	Total  int      `json:"total" doc:"Number of matching runs, regardless of skip and limit."`
	Labels []string `json:"labels" doc:"All labels in use."`
}

// runRow is a run in a list.
type runRow struct {
	record.Head
	Totals *runTotals `json:"totals" doc:"From the run summary; null if there is none."`
}

type runTotals struct {
	Hits    runsummary.Hits    `json:"hits" doc:"Number of hits, by outcome."`
	Visits  runsummary.Visits  `json:"visits" doc:"Number of visits, by outcome."`
	Latency runsummary.Latency `json:"latency" doc:"Latencies of all hits, in seconds."`
	Passed  *bool              `json:"passed" doc:"Whether every threshold passed. null while the run is in progress, and if only the built-in threshold applied and passed."`
}

func newRow(r record.Run) runRow {
	row := runRow{Head: r.Head}
	if s := r.Summary; s != nil {
		row.Totals = &runTotals{Hits: s.Hits, Visits: s.Visits, Latency: s.Latency}
		if !s.Ended.IsZero() {
			row.Totals.Passed = threshold.Result(s.Thresholds)
		}
	}
	return row
}

type updateRunRequest struct {
	ByRun
	Body struct {
		Note   *string  `json:"note,omitempty" maxLength:"2000" doc:"Free text. Default: unchanged."`
		Labels []string `json:"labels,omitempty" maxItems:"20" doc:"Replaces the labels of the run. Default: unchanged."`
	}
}

type intervalsResponse struct {
	Minutes []history.Interval `json:"minutes" doc:"Intervals of the run, oldest first."`
}

type compareRunsRequest struct {
	A string `query:"a" required:"true" maxLength:"64" pattern:"^[A-Za-z0-9_-]+$" doc:"Id of the run to compare with."`
	B string `query:"b" required:"true" maxLength:"64" pattern:"^[A-Za-z0-9_-]+$" doc:"Id of the run to compare."`
}

type exportRunRequest struct {
	ByRun
	Format history.Format `query:"format" enum:"json,html,junit" default:"json" doc:"json: all data; html: a self-contained page; junit: thresholds and reconciliation as test cases."`
}

var _ = addRoutes((*server).history)

func (s *server) history() {
	const one = "/api/runs/{id}"
	handle(s, get("/api/runs", tagRuns, "List runs"), s.listRuns)
	handleRun(s, get(one, tagRuns, "Get a run with its configuration and summary"), s.History.Record)
	handle(s, patch(one, tagRuns, "Update note and labels of a run"), s.updateRun)
	handleRun(s, remove(one, tagRuns, "Delete a run").
		describe("Returns 409 while the run is in progress. A deleted run can be restored for 24 hours."),
		func(ctx context.Context, id string) (deletedRun, error) {
			return deletedRun{true, id, "run deleted; it can be restored for 24 hours"},
				s.History.Store.DeleteRun(ctx, id, s.isRunning(ctx, id))
		})
	handleRun(s, post(one+"/restore", tagRuns, "Restore a deleted run"),
		func(ctx context.Context, id string) (history.Record, error) {
			if err := s.History.Store.RestoreRun(ctx, id); err != nil {
				return history.Record{}, err
			}
			return s.History.Record(ctx, id)
		})
	handleRun(s, get(one+"/minutes", tagRuns, "Get the time series of a run"),
		func(ctx context.Context, id string) (intervalsResponse, error) {
			intervals, err := s.History.Intervals(ctx, id)
			return intervalsResponse{intervals}, err
		})
	handle(s, get("/api/runs/compare", tagRuns, "Compare two runs").
		describe("Reports which differences are statistically significant."),
		func(ctx context.Context, in *compareRunsRequest) (history.Compared, error) {
			return s.History.Compare(ctx, in.A, in.B)
		})
	register(s, get(one+"/export", tagRuns, "Export a run").produces(map[string]*huma.Schema{
		"application/json": anyObject(), "text/html": anyString(), "application/xml": anyString()}), s.exportRun)
}

func (s *server) listRuns(ctx context.Context, in *runsRequest) (a runsResponse, err error) {
	q := record.Query{Kind: in.Kind, Label: in.Label, Reason: in.Reason, Text: in.Text, Skip: in.Skip, Limit: in.Limit}
	runs, err := s.History.Store.Runs(ctx, q)
	if err != nil {
		return a, err
	}
	a.Runs = make([]runRow, len(runs))
	for i, r := range runs {
		a.Runs[i] = newRow(r)
	}
	if a.Total, err = s.History.Store.CountRuns(ctx, q); err == nil {
		a.Labels, err = s.History.Store.Labels(ctx)
	}
	return a, err
}

func (s *server) updateRun(ctx context.Context, in *updateRunRequest) (r history.Record, err error) {
	labels, err := history.NormalizeLabels(in.Body.Labels)
	if err == nil && in.Body.Note != nil {
		err = history.CheckNote(*in.Body.Note)
	}
	if err == nil {
		err = s.History.Store.DescribeRun(ctx, in.ID, in.Body.Note, labels)
	}
	if err != nil {
		return r, err
	}
	return s.History.Record(ctx, in.ID)
}

// isRunning reports whether the run or backfill job with this id is in progress.
func (s *server) isRunning(ctx context.Context, id string) bool {
	if st := s.Runs.Status(); st.Active() && st.Run.ID == id {
		return true
	}
	j, err := s.Jobs.Job(ctx, id)
	return err == nil && j.State != job.Exited
}

// exportFiles are the content type and the file extension of each export format.
var exportFiles = map[history.Format]struct{ contentType, extension string }{
	history.JSON: {"application/json", ".json"}, history.HTML: {"text/html; charset=utf-8", ".html"},
	history.JUnit: {"application/xml", ".junit.xml"},
}

func (s *server) exportRun(ctx context.Context, in *exportRunRequest) (*fileResponse, error) {
	r, err := s.History.Store.Run(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := s.History.Export(ctx, &out, in.ID, in.Format, s.Live.History(r.Started), s.Version); err != nil {
		return nil, err
	}
	f := exportFiles[in.Format]
	return newFile(f.contentType, in.ID+f.extension, out.Bytes()), nil
}
