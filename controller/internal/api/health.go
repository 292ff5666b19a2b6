package api

import (
	"context"
	"net/http"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
)

// healthBody is public, so it has no reasons; GET /api/status has them.
type healthBody struct {
	Status  string `json:"status" enum:"healthy,degraded,unhealthy" doc:"degraded: the container engine does not answer. unhealthy, with status 503: the database or the exchange folder cannot be written, checked once a minute."`
	Service string `json:"service"`
	Version string `json:"version,omitempty" doc:"Only for authenticated requests."`
}

type healthResponse struct {
	Status int
	Body   healthBody
}

type welcome struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Docs    string `json:"docs"`
	Health  string `json:"health"`
}

var _ = addRoutes((*server).health)

func (s *server) health() {
	register(
		s,
		withEchoContext(allow(public, op(http.MethodGet, "/health", tagRuns, "Check the health of the controller"))),
		func(ctx context.Context, _ *empty) (*healthResponse, error) {
			h := &healthResponse{http.StatusOK, healthBody{"healthy", "trafficinator-controller", ""}}
			if s.Guard.IsAuthenticated(echoContext(ctx)) {
				h.Body.Version = s.Version
			}
			switch {
			case len(s.Disk.Faults()) > 0:
				h.Status, h.Body.Status = http.StatusServiceUnavailable, "unhealthy"
			case s.Runs.Status().Loadgen.State == launcher.Unavailable:
				h.Body.Status = "degraded"
			}
			return h, nil
		},
	)
	handleGet(
		s,
		"/api",
		tagRuns,
		"Get name, version and links of the controller",
		func(context.Context) (welcome, error) {
			return welcome{"Trafficinator", s.Version, "/docs", "/health"}, nil
		},
	)
}
