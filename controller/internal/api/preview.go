package api

import (
	"context"
	"net/http"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/preview"
	"github.com/puttrix/trafficinator/shared/estimate"
	"github.com/puttrix/trafficinator/shared/problem"
)

// Preview outlines visits without sending them, see package preview.
type Preview interface {
	Visits(context.Context, preview.Request) (preview.Result, error)
	Estimate(ctx context.Context, overrides map[string]any) (estimate.Estimate, error)
	Check(ctx context.Context, overrides map[string]any) (problem.List, error)
	Profile(ctx context.Context, overrides map[string]any, now time.Time) (preview.Drawing, error)
}

type previewRequest struct {
	Body *struct {
		Config map[string]any `json:"config,omitempty" doc:"Settings laid over the saved ones, as PUT /api/config takes them. Nothing is saved."`
		Funnel funnelBody     `json:"funnel,omitempty" doc:"A funnel as for POST /api/funnels, which every visit shown then follows; name and probability may be left out."`
		Visits int            `json:"visits,omitempty" minimum:"1" maximum:"20" default:"3"`
	}
}

type previewResponse struct {
	Seed     uint64          `json:"seed" doc:"As RUN_SEED in config it gives the same visits again."`
	Visits   []preview.Visit `json:"visits" doc:"The hits as the loadgen would send them, without the moment and the token. Times are seconds since the visit's first hit."`
	Warnings []fieldProblem  `json:"warnings"`
}

var _ = routes((*server).preview)

func (s *server) preview() {
	reply(s, about(as(question, op(http.MethodPost, "/api/preview", tagTraffic,
		"The first visits of a run, hit by hit, without sending or saving anything")),
		"The loadgen itself outlines them. Faults are 422; it works without a target, and while a run goes on."),
		func(ctx context.Context, in *previewRequest) (previewResponse, error) {
			r := preview.Request{Visits: 3}
			if in.Body != nil {
				r = preview.Request{
					Overrides: in.Body.Config,
					Funnel:    in.Body.Funnel.RawMessage,
					Visits:    in.Body.Visits,
				}
			}
			got, err := s.Preview.Visits(ctx, r)
			return previewResponse{got.Seed, got.Visits, faults(got.Warnings)}, err
		})
	reply(s, about(as(question, op(http.MethodPost, "/api/estimate", tagTraffic,
		"What the settings come to: hits a visit, rates, open visits, end")),
		"The loadgen itself makes the plan and counts by its first visits; nothing is measured. Faults are "+
			"422; it works without a target, and while a run goes on. With Docker it takes a second or two."),
		func(ctx context.Context, in *profileRequest) (estimate.Estimate, error) {
			return s.Preview.Estimate(ctx, in.overrides())
		})
}
