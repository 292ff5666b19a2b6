package api

import (
	"context"
	"net/http"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/reconcile"
	"github.com/puttrix/trafficinator/controller/internal/reconcile/comparison"
)

// Proof sets what Matomo shows of runs beside their ledgers, see package proof.
type Reconciler interface {
	Start(ctx context.Context, runID string, o reconcile.Options) (comparison.Reconciliation, error)
	Status(ctx context.Context, runID string) (comparison.Reconciliation, error)
	Cancel(runID string)
	Annotate(ctx context.Context, runID string) ([]reconcile.Annotated, error)
}

type reconcileRequest struct {
	ByRun
	Body *struct {
		Limit *int `json:"limit_seconds,omitempty" minimum:"0" maximum:"86400" default:"1200" doc:"How long is waited at most, after the end of the run, for Matomo's queue and archiving; 0 looks once."`
		Every int  `json:"every_seconds,omitempty" minimum:"1" maximum:"600" default:"10" doc:"The pause between two looks; what is missing is told once eight in a row show the same."`
	}
}

var _ = routes((*server).proof)

func (s *server) proof() {
	const path = "/api/runs/{id}/reconcile"
	reply(s, about(begun(op(http.MethodPost, path, tagRun, "Set what Matomo shows of a run beside its ledger")),
		"It goes on by itself: a run that goes on is followed, then queue and archiving are waited for. "+
			"One that goes on already is left alone. 409 where there is no ledger or no target to ask."),
		func(ctx context.Context, in *reconcileRequest) (comparison.Reconciliation, error) {
			options := reconcile.Options{Every: reconcile.DefaultEvery, Limit: reconcile.DefaultLimit}
			if in.Body != nil {
				options = reconcile.Options{Every: time.Duration(in.Body.Every) * time.Second,
					Limit: time.Duration(*in.Body.Limit) * time.Second}
			}
			return s.Reconciler.Start(ctx, in.ID, options)
		})
	byRun(s, op(http.MethodGet, path, tagRun, "The reconciliation of a run: the one that goes on, else the last"),
		func(ctx context.Context, id string) (comparison.Reconciliation, error) {
			return s.Reconciler.Status(ctx, id)
		})
	byRun(s, op(http.MethodDelete, path, tagRun, "Give up the reconciliation that goes on"),
		func(_ context.Context, id string) (CancelledResponse, error) {
			s.Reconciler.Cancel(id)
			return CancelledResponse{Success: true}, nil
		})
	byRun(s, op(http.MethodPost, "/api/runs/{id}/annotate", tagRun, "Write begin and end of a run into Matomo's graph"),
		func(ctx context.Context, id string) (annotatedResponse, error) {
			targets, err := s.Reconciler.Annotate(ctx, id)
			return annotatedResponse{targets}, err
		})
}

type annotatedResponse struct {
	Targets []reconcile.Annotated `json:"targets"`
}

// CancelledResponse says that nothing goes on any more.
type CancelledResponse struct {
	Success bool `json:"success"`
}
