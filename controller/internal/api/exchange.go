package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/puttrix/trafficinator/controller/internal/publish"
)

// pendingAnswer is what a restart would change.
type pendingAnswer struct {
	Restart bool                 `json:"restart_needed"`
	Changes []publish.Difference `json:"changes" doc:"What differs from the plan that was started last."`
	Edited  []string             `json:"edited_files" doc:"Shared files that were edited by hand; a start uses them as they are."`
}

type resolveRequest struct {
	Body struct {
		Resolution publish.Resolution `json:"resolution" enum:"import,overwrite" doc:"import takes the edit over into the saved set-up; overwrite loses it."`
		Files      []string           `json:"files,omitempty" maxItems:"5" doc:"Their names; left out: all that were edited."`
	}
}

func (s *server) exchange() {
	route(s, op(http.MethodGet, "/api/exchange", tagConfig, "What a restart would change, and what was edited by hand"), func(ctx context.Context, _ *empty) (*body[pendingAnswer], error) {
		return either(s.pending(ctx))
	})
	route(s, op(http.MethodPost, "/api/exchange/resolve", tagConfig, "Import or overwrite shared files that were edited by hand"), func(ctx context.Context, in *resolveRequest) (*body[pendingAnswer], error) {
		if err := s.Publisher.Resolve(context.WithoutCancel(ctx), in.Body.Resolution, in.Body.Files...); err != nil {
			return nil, err
		}
		return either(s.pending(ctx))
	})
}

func (s *server) pending(ctx context.Context) (pendingAnswer, error) {
	changes, err := s.Publisher.Pending(ctx)
	if err != nil {
		return pendingAnswer{}, err
	}
	edited, err := s.Publisher.Conflicts(ctx)
	return pendingAnswer{len(changes) > 0 && s.Runs.Status().Active(), changes, edited}, err
}

// change saves something and publishes it. It does not end with its request: what is saved gets published.
func (s *server) change(ctx context.Context, save func(context.Context) error, files ...string) error {
	return s.Publisher.Change(context.WithoutCancel(ctx), save, files...)
}

// edited is the problem of a change that would overwrite what was edited by hand.
func edited(err error) error {
	var conflict *publish.Conflict
	if !errors.As(err, &conflict) {
		return nil
	}
	errs := make([]error, len(conflict.Files))
	for i, file := range conflict.Files {
		errs[i] = &fieldError{where: file, message: "was edited by hand; POST /api/exchange/resolve with import or overwrite"}
	}
	return refuse(http.StatusConflict, conflict.Error(), errs...)
}
