package api

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
	"github.com/puttrix/trafficinator/controller/internal/run"
	"github.com/puttrix/trafficinator/controller/internal/setup"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/problem"
)

type applyRequest struct {
	IfMatch string `header:"If-Match" maxLength:"100" doc:"ETag of the saved configuration. Returns 412 if it has changed since. Default: any."`
	Timeout int    `query:"timeout" minimum:"1" maximum:"3600" default:"60" doc:"Seconds that open visits of the current run have to finish."`
	Body    *struct {
		Config map[string]any `json:"config,omitempty" doc:"All settings, as for PUT /api/config. Default: apply the saved configuration."`
	}
}

type applyResponse struct {
	ResultResponse
	Container bool `json:"container_restarted" doc:"Same as restarted."`
}

func (s *server) apply(ctx context.Context, in *applyRequest) (a applyResponse, err error) {
	ctx = context.WithoutCancel(ctx)
	revision, err := revisionOf(in.IfMatch)
	if err != nil {
		return a, err
	}
	saved, err := s.Setup.Config(ctx)
	if err != nil {
		return a, err
	}
	if revision != 0 && revision != saved.Revision {
		return a, setup.ErrStale
	}
	var draft *run.Draft
	if in.Body != nil && in.Body.Config != nil {
		draft = &run.Draft{Config: in.Body.Config, Revision: revision}
	}
	applied, err := s.Runs.Apply(ctx, time.Duration(in.Timeout)*time.Second, draft)
	r, err := result(applied, err)
	if err != nil {
		return a, err
	}
	published := Publication{Published: true}
	if applied.Saved != nil { // otherwise nothing was saved
		saved, published = *applied.Saved, s.publication()
	}
	a = applyResponse{r, r.Restarted}
	a.Warnings = append(a.Warnings, saved.Warnings...)
	if !published.Published {
		a.Warnings.Warn(exchange.EnvFile, "", "is saved, but not published yet: "+published.Cause,
			"it is retried automatically")
	}
	return a, nil
}

// validate checks the settings one by one and, if those are valid, the plan that results from them.
func (s *server) validate(ctx context.Context, in *validateRequest) (validationResponse, error) {
	problems, err := s.Setup.ValidateConfig(ctx, in.Body.Config)
	if err != nil || problems.Err() != nil {
		return newValidation(problems), err
	}
	planProblems, err := s.Preview.Check(ctx, setup.FullOverrides(in.Body.Config))
	switch {
	case errors.Is(err, launcher.ErrUnavailable), errors.Is(err, launcher.ErrMissing),
		errors.Is(err, launcher.ErrForeign), errors.Is(err, context.DeadlineExceeded):
		problems.Warn("loadgen", "", "could not check the plan, only the settings: "+err.Error(), "validate again")
	case err != nil:
		return validationResponse{}, err
	}
	for _, p := range planProblems {
		if !slices.ContainsFunc(problems, func(o problem.Problem) bool { return o.String() == p.String() }) {
			problems = append(problems, p)
		}
	}
	return newValidation(problems), nil
}
