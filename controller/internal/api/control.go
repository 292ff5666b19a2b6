package api

import (
	"context"
	"net/http"

	"github.com/puttrix/trafficinator/controller/internal/preview"
	"github.com/puttrix/trafficinator/shared/exchange"
)

type controlRequest struct {
	Body struct {
		Paused *bool    `json:"paused,omitempty" doc:"true: no new visits until false; open ones go on. Left out it stays."`
		Scale  *float64 `json:"scale,omitempty" minimum:"0.01" maximum:"100" doc:"What the plan's rate is multiplied by. Left out it stays."`
	}
}

// ControlState is what a run that goes on was told.
type ControlState struct {
	RunID  string  `json:"run_id"`
	Paused bool    `json:"paused"`
	Scale  float64 `json:"scale" doc:"1 is the plan's own rate."`
}

func controlState(c exchange.Control) ControlState {
	return ControlState{RunID: c.RunID, Paused: c.Paused, Scale: c.Scale}
}

type profileRequest struct {
	Body *struct {
		Config map[string]any `json:"config,omitempty" doc:"Settings laid over the saved ones, as PUT /api/config takes them. Nothing is saved."`
	}
}

// overrides are the settings to be laid over the saved ones.
func (r *profileRequest) overrides() map[string]any {
	if r.Body == nil {
		return nil
	}
	return r.Body.Config
}

var _ = routes((*server).steering)

func (s *server) steering() {
	reply(s, about(as(urgent, op(http.MethodPost, "/api/control", tagRun,
		"Pause, resume or change the rate of the run that goes on")),
		"409 where none goes on. Statistics are kept; the loadgen follows within about a second."),
		func(ctx context.Context, in *controlRequest) (ControlState, error) {
			c, err := s.Runs.Steer(ctx, in.Body.Paused, in.Body.Scale)
			return controlState(c), err
		})
	reply(s, as(question, op(http.MethodPost, "/api/profile", tagConfig,
		"How the rate changes with time by these settings, and how many visits that makes")),
		func(ctx context.Context, in *profileRequest) (preview.Drawing, error) {
			return s.Preview.Profile(ctx, in.overrides(), s.Now())
		})
}
