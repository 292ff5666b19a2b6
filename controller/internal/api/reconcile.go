package api

import (
	"context"
	"net/http"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/reconcile"
	"github.com/puttrix/trafficinator/controller/internal/reconcile/comparison"
)

// Reconciler compares the summaries of runs with Matomo's figures, see package reconcile.
type Reconciler interface {
	Start(ctx context.Context, runID string, o reconcile.Options) (comparison.Reconciliation, error)
	Status(ctx context.Context, runID string) (comparison.Reconciliation, error)
	Cancel(runID string)
	Annotate(ctx context.Context, runID string) ([]reconcile.Annotated, error)
}

type reconcileRequest struct {
	ByRun
	Body *struct {
		Limit *int `json:"limit_seconds,omitempty" minimum:"0" maximum:"86400" default:"1200" doc:"How long to wait for Matomo's queue and archiving after the end of the run. 0 compares once."`
		Every int  `json:"every_seconds,omitempty" minimum:"1" maximum:"600" default:"10" doc:"Interval between comparisons. Hits count as missing once eight comparisons in a row agree."`
	}
}

type annotateResponse struct {
	Targets []reconcile.Annotated `json:"targets" doc:"The sites that the run sent to."`
}

// CancelledResponse confirms a cancellation.
type CancelledResponse struct {
	Success bool `json:"success" doc:"Always true; errors have their own status."`
}

var _ = addRoutes((*server).reconcile)

func (s *server) reconcile() {
	const path = "/api/runs/{id}/reconcile"
	handle(s, post(path, tagRuns, "Compare a run with Matomo's figures").status(http.StatusAccepted).
		describe("Runs in the background: follows a run in progress, then waits for Matomo's queue and archiving. Returns the "+
			"reconciliation in progress if there is one, and 409 if the run has no summary or none of its targets can be read."),
		func(ctx context.Context, in *reconcileRequest) (comparison.Reconciliation, error) {
			options := reconcile.Options{Every: reconcile.DefaultEvery, Limit: reconcile.DefaultLimit}
			if in.Body != nil {
				options = reconcile.Options{Every: time.Duration(in.Body.Every) * time.Second,
					Limit: time.Duration(*in.Body.Limit) * time.Second}
			}
			return s.Reconciler.Start(ctx, in.ID, options)
		})
	handleRun(s, get(path, tagRuns, "Get the current or last reconciliation of a run"),
		func(ctx context.Context, id string) (comparison.Reconciliation, error) {
			return s.Reconciler.Status(ctx, id)
		})
	handleRun(s, remove(path, tagRuns, "Cancel the reconciliation of a run"),
		func(_ context.Context, id string) (CancelledResponse, error) {
			s.Reconciler.Cancel(id)
			return CancelledResponse{Success: true}, nil
		})
	handleRun(s, post("/api/runs/{id}/annotate", tagRuns, "Annotate the start and end of a run in Matomo"),
		func(ctx context.Context, id string) (annotateResponse, error) {
			targets, err := s.Reconciler.Annotate(ctx, id)
			return annotateResponse{targets}, err
		})
}
