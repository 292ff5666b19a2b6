package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/run"
	"github.com/puttrix/trafficinator/controller/internal/store"
	"github.com/puttrix/trafficinator/shared/record"
)

type runsRequest struct {
	Skip   int    `query:"skip" minimum:"0" maximum:"1000000" default:"0"`
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"50"`
	Kind   string `query:"kind" enum:"live,capacity,backfill" doc:"Only runs of that kind."`
	Label  string `query:"label" maxLength:"50" doc:"Only runs with that label."`
	Reason string `query:"reason" maxLength:"64" doc:"Only runs that ended for that reason."`
	Text   string `query:"q" maxLength:"200" doc:"Only runs with this text in their id, note, labels or reason, whatever the case."`
}

type latest struct {
	Limit int `query:"limit" minimum:"1" maximum:"1000" default:"100"`
}

// ByRun is a request about one run. It is exported because huma leaves out what an unexported struct embeds.
type ByRun struct {
	ID string `path:"id" maxLength:"64" pattern:"^[A-Za-z0-9_-]+$"`
}

type runsAnswer struct {
	Runs   []recordRow `json:"runs" doc:"The latest first."`
	Total  int         `json:"total" doc:"How many there are of those that were asked for, whatever skip and limit."`
	Labels []string    `json:"labels" doc:"All labels that runs have."`
}

// RecordHead tells which run it was and how it went.
type RecordHead struct {
	ID       string     `json:"id"`
	Kind     string     `json:"kind" enum:"live,capacity,backfill"`
	Seed     uint64     `json:"seed"`
	PlanHash string     `json:"plan_hash"`
	Started  time.Time  `json:"started"`
	Ended    *time.Time `json:"ended" doc:"null while it goes on."`
	Reason   string     `json:"reason"`
	ExitCode *int       `json:"exit_code" doc:"The loadgen's; 4 where a threshold was missed or the error brake pulled. null until there is one."`
	Note     string     `json:"note"`
	Labels   []string   `json:"labels"`
}

func newHead(r store.Run) RecordHead {
	return RecordHead{r.ID, r.Kind, r.Seed, r.PlanHash, r.Started, moment(r.Ended), r.Reason, r.ExitCode, r.Note, append([]string{}, r.Labels...)}
}

// recordAnswer is a run as it was recorded.
type recordAnswer struct {
	RecordHead
	Config   map[string]string `json:"config" doc:"The exact configuration, secrets masked; what is not there has its default."`
	Files    []store.RunFile   `json:"files" doc:"What is kept of it for a rerun; empty where it was not started here."`
	Problems []run.Problem     `json:"problems" doc:"Warnings and errors of its log."`
	Summary  *record.Summary   `json:"summary" doc:"The ledger of record, as it stands where the run goes on; null where there is none."`
}

// recordRow is a run in a list.
type recordRow struct {
	RecordHead
	Totals *totalsAnswer `json:"totals" doc:"Of the ledger of record; null where there is none."`
}

type totalsAnswer struct {
	Hits    record.Hits    `json:"hits"`
	Visits  record.Visits  `json:"visits"`
	Latency record.Latency `json:"latency"`
}

func newRow(r store.Run) recordRow {
	row := recordRow{RecordHead: newHead(r)}
	if s := ledgerOf(r.Summary); s != nil {
		row.Totals = &totalsAnswer{s.Hits, s.Visits, s.Latency}
	}
	return row
}

// ledgerOf is what cannot be read as none.
func ledgerOf(data []byte) *record.Summary {
	var s record.Summary
	if len(data) == 0 || json.Unmarshal(data, &s) != nil {
		return nil
	}
	return &s
}

type describeRequest struct {
	ByRun
	Body struct {
		Note   *string  `json:"note,omitempty" maxLength:"2000"`
		Labels []string `json:"labels,omitempty" maxItems:"20" doc:"In place of those it has; left out they stay."`
	}
}

type minutesAnswer struct {
	Minutes []minuteAnswer `json:"minutes"`
}

type minuteAnswer struct {
	At      time.Time       `json:"at"`
	Numbers json.RawMessage `json:"numbers"`
}

type auditAnswer struct {
	Entries []auditEntry `json:"entries" doc:"The latest first."`
}

type auditEntry struct {
	At      time.Time `json:"at"`
	Address string    `json:"address"`
	Action  string    `json:"action"`
	Detail  string    `json:"detail"`
}

type removedRun struct {
	Success bool   `json:"success" doc:"Always true; failures have a status of their own."`
	Deleted string `json:"deleted_id"`
	Message string `json:"message"`
}

func (s *server) history() {
	route(s, op(http.MethodGet, "/api/runs", tagRun, "Recorded runs"), func(ctx context.Context, in *runsRequest) (*body[runsAnswer], error) {
		q := store.RunQuery{Kind: in.Kind, Label: in.Label, Reason: in.Reason, Text: in.Text, Skip: in.Skip, Limit: in.Limit}
		runs, err := s.Store.Runs(ctx, q)
		if err != nil {
			return nil, err
		}
		a := runsAnswer{Runs: make([]recordRow, len(runs))}
		for i, r := range runs {
			a.Runs[i] = newRow(r)
		}
		if a.Total, err = s.Store.CountRuns(ctx, q); err != nil {
			return nil, err
		}
		a.Labels, err = s.Store.Labels(ctx)
		return either(a, err)
	})
	route(s, op(http.MethodGet, "/api/runs/{id}", tagRun, "A recorded run with its configuration and ledger"), func(ctx context.Context, in *ByRun) (*body[recordAnswer], error) {
		return either(s.recordOf(ctx, in.ID))
	})
	route(s, op(http.MethodPatch, "/api/runs/{id}", tagRun, "Write a run's note and labels"), func(ctx context.Context, in *describeRequest) (*body[recordAnswer], error) {
		if err := s.Store.DescribeRun(ctx, in.ID, in.Body.Note, in.Body.Labels); err != nil {
			return nil, err
		}
		return either(s.recordOf(ctx, in.ID))
	})
	o := op(http.MethodDelete, "/api/runs/{id}", tagRun, "Delete a run that has ended")
	o.Description = "409 while it goes on. POST /api/runs/{id}/restore brings it back for a day."
	route(s, o, func(ctx context.Context, in *ByRun) (*body[removedRun], error) {
		return either(removedRun{true, in.ID, "run deleted; it can be restored for a day"}, s.Store.DeleteRun(ctx, in.ID))
	})
	route(s, op(http.MethodPost, "/api/runs/{id}/restore", tagRun, "Bring a deleted run back"), func(ctx context.Context, in *ByRun) (*body[recordAnswer], error) {
		if err := s.Store.RestoreRun(ctx, in.ID); err != nil {
			return nil, err
		}
		return either(s.recordOf(ctx, in.ID))
	})
	route(s, op(http.MethodGet, "/api/runs/{id}/minutes", tagRun, "What a run did, minute by minute"), func(ctx context.Context, in *ByRun) (*body[minutesAnswer], error) {
		if _, err := s.Store.Run(ctx, in.ID); err != nil {
			return nil, err
		}
		rows, err := s.Store.Minutes(ctx, in.ID)
		out := make([]minuteAnswer, len(rows))
		for i, m := range rows {
			out[i] = minuteAnswer{m.At, m.Body}
		}
		return either(minutesAnswer{out}, err)
	})
	route(s, op(http.MethodGet, "/api/audit", tagAccess, "Who changed what and when"), func(ctx context.Context, in *latest) (*body[auditAnswer], error) {
		rows, err := s.Store.AuditLog(ctx, in.Limit)
		out := make([]auditEntry, len(rows))
		for i, e := range rows {
			out[i] = auditEntry{e.At, e.Address, e.Action, e.Detail}
		}
		return either(auditAnswer{out}, err)
	})
}

// recordOf is a run with all that is kept of it.
func (s *server) recordOf(ctx context.Context, id string) (recordAnswer, error) {
	r, err := s.Store.Run(ctx, id)
	if err != nil {
		return recordAnswer{}, err
	}
	a := recordAnswer{RecordHead: newHead(r), Config: map[string]string{}, Problems: []run.Problem{}, Summary: ledgerOf(r.Summary)}
	if a.Files, err = s.Store.RunFiles(ctx, id); err != nil {
		return a, err
	}
	if err := json.Unmarshal(r.Config, &a.Config); err != nil {
		return a, err
	}
	return a, json.Unmarshal(r.Problems, &a.Problems)
}
