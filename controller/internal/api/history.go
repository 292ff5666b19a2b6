package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/live"
	"github.com/puttrix/trafficinator/controller/internal/store"
)

type page struct {
	Skip  int `query:"skip" minimum:"0" maximum:"1000000" default:"0"`
	Limit int `query:"limit" minimum:"1" maximum:"500" default:"50"`
}

type latest struct {
	Limit int `query:"limit" minimum:"1" maximum:"1000" default:"100"`
}

type runID struct {
	ID string `path:"id" maxLength:"64" pattern:"^[A-Za-z0-9_-]+$"`
}

type runsAnswer struct {
	Runs []recordRow `json:"runs" doc:"The latest first."`
}

// RecordHead tells which run it was and how it went.
type RecordHead struct {
	ID       string     `json:"id"`
	Kind     string     `json:"kind"`
	Seed     uint64     `json:"seed"`
	PlanHash string     `json:"plan_hash"`
	Started  time.Time  `json:"started"`
	Ended    *time.Time `json:"ended"`
	Reason   string     `json:"reason"`
}

func newHead(r store.Run) RecordHead {
	return RecordHead{r.ID, r.Kind, r.Seed, r.PlanHash, r.Started, moment(r.Ended), r.Reason}
}

// recordAnswer is a run as it was recorded.
type recordAnswer struct {
	RecordHead
	Config  json.RawMessage `json:"config,omitempty" doc:"The exact configuration, secrets masked."`
	Summary json.RawMessage `json:"summary,omitempty" doc:"The ledger of record."`
}

// recordRow is a run in a list.
type recordRow struct {
	RecordHead
	Totals *totalsAnswer `json:"totals" doc:"Of the ledger of record; null where there is none."`
}

type totalsAnswer struct {
	Hits   live.Hits         `json:"hits"`
	Visits map[string]uint64 `json:"visits" doc:"By fate, and planned: all that began."`
}

func newRow(r store.Run) recordRow {
	row := recordRow{RecordHead: newHead(r)}
	if json.Unmarshal(r.Summary, &row.Totals) != nil { // what cannot be read is no ledger
		row.Totals = nil
	}
	return row
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

func (s *server) history() {
	route(s, op(http.MethodGet, "/api/runs", tagRun, "Recorded runs"), func(ctx context.Context, in *page) (*body[runsAnswer], error) {
		runs, err := s.Store.Runs(ctx, in.Skip, in.Limit)
		out := make([]recordRow, len(runs))
		for i, r := range runs {
			out[i] = newRow(r)
		}
		return either(runsAnswer{out}, err)
	})
	route(s, op(http.MethodGet, "/api/runs/{id}", tagRun, "A recorded run with its configuration and ledger"), func(ctx context.Context, in *runID) (*body[recordAnswer], error) {
		r, err := s.Store.Run(ctx, in.ID)
		return either(recordAnswer{newHead(r), r.Config, r.Summary}, err)
	})
	route(s, op(http.MethodGet, "/api/runs/{id}/minutes", tagRun, "What a run did, minute by minute"), func(ctx context.Context, in *runID) (*body[minutesAnswer], error) {
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
