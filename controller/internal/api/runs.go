package api

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/puttrix/trafficinator/controller/internal/record"
	"github.com/puttrix/trafficinator/controller/internal/run/history"
	"github.com/puttrix/trafficinator/controller/internal/run/job"
	"github.com/puttrix/trafficinator/controller/internal/security"
	"github.com/puttrix/trafficinator/shared/runsummary"
	"github.com/puttrix/trafficinator/shared/threshold"
)

type runsRequest struct {
	Skip   int    `query:"skip" minimum:"0" maximum:"1000000" default:"0"`
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"50"`
	Kind   string `query:"kind" maxLength:"64" doc:"Only runs of that kind."`
	Label  string `query:"label" maxLength:"50" doc:"Only runs with that label."`
	Reason string `query:"reason" maxLength:"64" doc:"Only runs that ended for that reason."`
	Text   string `query:"q" maxLength:"200" doc:"Only runs with this text in their id, note, labels or reason, whatever the case."`
}

// Resolve implements huma.Resolver: a kind that there is not would find no run and say nothing.
func (r *runsRequest) Resolve(huma.Context) []error {
	if names := runsummary.Kinds(); r.Kind != "" && !slices.Contains(names, r.Kind) {
		return []error{&huma.ErrorDetail{Location: "query.kind", Value: r.Kind,
			Message: fmt.Sprintf("expected value to be one of %q", strings.Join(names, ", "))}}
	}
	return nil
}

type auditRequest struct {
	Limit int `query:"limit" minimum:"1" maximum:"1000" default:"100"`
}

// ByRun is a request about one run. It is exported because huma leaves out what an unexported struct embeds.
type ByRun struct {
	ID string `path:"id" maxLength:"64" pattern:"^[A-Za-z0-9_-]+$"`
}

type runsResponse struct {
	Runs   []runRow `json:"runs" doc:"The latest first."`
	Total  int      `json:"total" doc:"How many there are of those that were asked for, whatever skip and limit."`
	Labels []string `json:"labels" doc:"All labels that runs have."`
}

// runRow is a run in a list.
type runRow struct {
	record.Head
	Totals *runTotals `json:"totals" doc:"Of the ledger of record; null where there is none."`
}

type runTotals struct {
	Hits    runsummary.Hits    `json:"hits"`
	Visits  runsummary.Visits  `json:"visits"`
	Latency runsummary.Latency `json:"latency"`
	Passed  *bool              `json:"passed" doc:"Whether every threshold held; null where nobody set one and the built-in one held, or the run is still running."`
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
		Note   *string  `json:"note,omitempty" maxLength:"2000"`
		Labels []string `json:"labels,omitempty" maxItems:"20" doc:"In place of those it has; left out they stay."`
	}
}

type intervalsResponse struct {
	Minutes []history.Interval `json:"minutes"`
}

type auditResponse struct {
	Entries  []security.Entry   `json:"entries" doc:"Changes and sign-ins, the latest first."`
	Refusals []security.Refusal `json:"refusals" doc:"What was tried without the right key, the latest first. It never displaces an entry."`
}

type removedRun struct {
	Success bool   `json:"success" doc:"Always true; failures have a status of their own."`
	Deleted string `json:"deleted_id"`
	Message string `json:"message"`
}

var _ = routes((*server).history)

func (s *server) history() {
	reply(s, op(http.MethodGet, "/api/runs", tagRun, "Recorded runs"), s.listRuns)
	byRun(s, op(http.MethodGet, "/api/runs/{id}", tagRun, "A recorded run with its configuration and ledger"),
		func(ctx context.Context, id string) (history.Record, error) { return s.book().Record(ctx, id) })
	reply(s, op(http.MethodPatch, "/api/runs/{id}", tagRun, "Write a run's note and labels"),
		func(ctx context.Context, in *updateRunRequest) (history.Record, error) {
			labels, err := history.NormalizeLabels(in.Body.Labels)
			if err == nil && in.Body.Note != nil {
				err = history.CheckNote(*in.Body.Note)
			}
			if err == nil {
				err = s.Store.DescribeRun(ctx, in.ID, in.Body.Note, labels)
			}
			if err != nil {
				return history.Record{}, err
			}
			return s.book().Record(ctx, in.ID)
		})
	byRun(s, about(op(http.MethodDelete, "/api/runs/{id}", tagRun, "Delete a run that has ended"),
		"409 while it runs. POST /api/runs/{id}/restore brings it back for a day."),
		func(ctx context.Context, id string) (removedRun, error) {
			return removedRun{true, id, "run deleted; it can be restored for a day"},
				s.Store.DeleteRun(ctx, id, s.alive(ctx, id))
		})
	byRun(s, op(http.MethodPost, "/api/runs/{id}/restore", tagRun, "Bring a deleted run back"),
		func(ctx context.Context, id string) (history.Record, error) {
			if err := s.Store.RestoreRun(ctx, id); err != nil {
				return history.Record{}, err
			}
			return s.book().Record(ctx, id)
		})
	byRun(s, op(http.MethodGet, "/api/runs/{id}/minutes", tagRun, "What a run did over time"),
		func(ctx context.Context, id string) (intervalsResponse, error) {
			intervals, err := s.book().Intervals(ctx, id)
			return intervalsResponse{intervals}, err
		})
	reply(s, op(http.MethodGet, "/api/audit", tagAccess, "Who changed what and when, and what was refused"),
		func(ctx context.Context, in *auditRequest) (a auditResponse, err error) {
			a.Entries, a.Refusals, err = s.Guard.AuditLog(ctx, in.Limit)
			return a, err
		})
}

func (s *server) listRuns(ctx context.Context, in *runsRequest) (a runsResponse, err error) {
	q := record.Query{
		Kind:   in.Kind,
		Label:  in.Label,
		Reason: in.Reason,
		Text:   in.Text,
		Skip:   in.Skip,
		Limit:  in.Limit,
	}
	runs, err := s.Store.Runs(ctx, q)
	if err != nil {
		return a, err
	}
	a.Runs = make([]runRow, len(runs))
	for i, r := range runs {
		a.Runs[i] = newRow(r)
	}
	if a.Total, err = s.Store.CountRuns(ctx, q); err == nil {
		a.Labels, err = s.Store.Labels(ctx)
	}
	return a, err
}

// alive tells whether a run, or the backfill of that id, is on.
func (s *server) alive(ctx context.Context, id string) bool {
	if st := s.Runs.Status(); st.Active() && st.Run.ID == id {
		return true
	}
	j, err := s.Jobs.Job(ctx, id)
	return err == nil && j.State != job.Exited
}

// book is where runs are read.
func (s *server) book() history.Reader {
	return history.Reader{Store: s.Store, Ledger: s.Ledger, Now: s.Now}
}
