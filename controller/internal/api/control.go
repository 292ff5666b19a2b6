package api

import (
	"context"
	"net/http"

	"github.com/puttrix/trafficinator/shared/exchange"
)

type controlRequest struct {
	Body struct {
		Paused *bool    `json:"paused,omitempty" doc:"true pauses the start of new visits; open visits continue. Default: unchanged."`
		Scale  *float64 `json:"scale,omitempty" minimum:"0.01" maximum:"100" doc:"Factor of the planned arrival rate. Default: unchanged."`
	}
}

// ControlState is how the current run differs from its plan.
type ControlState struct {
	RunID  string  `json:"run_id"`
	Paused bool    `json:"paused"`
	Scale  float64 `json:"scale" doc:"Factor of the planned arrival rate."`
}

func newControlState(c exchange.Control) ControlState {
	return ControlState{RunID: c.RunID, Paused: c.Paused, Scale: c.Scale}
}

var _ = addRoutes((*server).control)

func (s *server) control() {
	handle(s, describe(allow(unmetered, op(http.MethodPost, "/api/control", tagRuns,
		"Pause, resume or scale the current run")),
		"The loadgen follows within about a second; statistics continue. Returns 409 if nothing is running. Not "+
			"subject to the rate limit."),
		func(ctx context.Context, in *controlRequest) (ControlState, error) {
			c, err := s.Runs.Steer(ctx, in.Body.Paused, in.Body.Scale)
			return newControlState(c), err
		})
}
