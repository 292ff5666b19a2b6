package api

import (
	"context"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/preview"
	"github.com/puttrix/trafficinator/shared/estimate"
	"github.com/puttrix/trafficinator/shared/problem"
)

// Preview generates visits without sending them, see package preview.
type Preview interface {
	Visits(context.Context, preview.Request) (preview.Result, error)
	Estimate(ctx context.Context, overrides map[string]any) (estimate.Estimate, error)
	Check(ctx context.Context, overrides map[string]any) (problem.List, error)
	Profile(ctx context.Context, overrides map[string]any, now time.Time) (preview.Drawing, error)
}

type previewRequest struct {
	Body *struct {
		Config map[string]any `json:"config,omitempty" doc:"Settings that replace saved ones, as for PUT /api/config. Nothing is saved."`
		Funnel funnelBody     `json:"funnel,omitempty" doc:"A funnel, as for POST /api/funnels, that every visit follows. name and probability are optional."`
		Visits int            `json:"visits,omitempty" minimum:"1" maximum:"20" default:"3" doc:"Number of visits to generate."`
	}
}

type previewResponse struct {
	Seed     uint64          `json:"seed" doc:"Seed of the visits. Set RUN_SEED in config to this value to get the same visits again."`
	Visits   []preview.Visit `json:"visits" doc:"Visits with the hits that the loadgen would send, without time and token. Times are seconds since the first hit of the visit."`
	Warnings []fieldProblem  `json:"warnings" doc:"Warnings about the settings."`
}

// overridesRequest has settings that replace saved ones for one calculation.
type overridesRequest struct {
	Body *struct {
		Config map[string]any `json:"config,omitempty" doc:"Settings that replace saved ones, as for PUT /api/config. Nothing is saved."`
	}
}

func (r *overridesRequest) overrides() map[string]any {
	if r.Body == nil {
		return nil
	}
	return r.Body.Config
}

var _ = addRoutes((*server).preview)

func (s *server) preview() {
	handle(s, post("/api/preview", tagTraffic, "Preview visits, hit by hit").allow(readOnly).
		describe("The loadgen generates the visits; nothing is sent or saved. Works without a target and during a run. "+
			"Returns 422 with every invalid setting."),
		func(ctx context.Context, in *previewRequest) (previewResponse, error) {
			r := preview.Request{Visits: 3}
			if b := in.Body; b != nil {
				r = preview.Request{Overrides: b.Config, Funnel: b.Funnel.RawMessage, Visits: b.Visits}
			}
			got, err := s.Preview.Visits(ctx, r)
			return previewResponse{got.Seed, got.Visits, fieldProblems(got.Warnings)}, err
		})
	handle(s, post("/api/estimate", tagTraffic, "Estimate hits per visit, rates, open visits and the end of a run").
		allow(readOnly).
		describe("The loadgen calculates the estimate from its plan and first visits; nothing is measured. "+
			"Works without a target and during a run. It takes a second or two with Docker. Returns "+
			"422 with every invalid setting."),
		func(ctx context.Context, in *overridesRequest) (estimate.Estimate, error) {
			return s.Preview.Estimate(ctx, in.overrides())
		})
	handle(s, post("/api/profile", tagConfig, "Calculate the arrival rate over time and the number of visits").
		allow(readOnly), func(ctx context.Context, in *overridesRequest) (preview.Drawing, error) {
		return s.Preview.Profile(ctx, in.overrides(), s.Now())
	})
}
