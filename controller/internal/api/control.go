package api

import (
	"context"

	"github.com/puttrix/trafficinator/shared/exchange"
)

type controlRequest struct {
	Body struct {
		Paused *bool    `json:"paused,omitempty" doc:"true stops starting new visits; open visits continue. Default: unchanged."`
		Scale  *float64 `json:"scale,omitempty" minimum:"0.01" maximum:"100" doc:"Factor that multiplies the planned arrival rate. Default: unchanged."`
	}
}

// ControlState is how the current run differs from its plan.
type ControlState struct {
	RunID  string  `json:"run_id" doc:"Id of the run."`
	Paused bool    `json:"paused" doc:"Whether no new visits start."`
	Scale  float64 `json:"scale" doc:"Factor that multiplies the planned arrival rate."`
}

func newControlState(c exchange.Control) ControlState {
	return ControlState{c.RunID, c.Paused, c.Scale}
}

var _ = addRoutes((*server).control)

func (s *server) control() {
	handle(s, post("/api/control", tagRuns, "Pause, resume or scale the current run").allow(unmetered).
		describe("The loadgen follows within about a second; statistics continue. Returns 409 if no run is in progress. "+
			"Not rate-limited."),
		func(ctx context.Context, in *controlRequest) (ControlState, error) {
			c, err := s.Runs.Steer(ctx, in.Body.Paused, in.Body.Scale)
			return newControlState(c), err
		})
}
