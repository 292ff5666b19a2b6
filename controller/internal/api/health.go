package api

import (
	"context"
	"net/http"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
)

// healthBody is public, so it has no reasons; GET /api/status has them.
type healthBody struct {
	Status  string `json:"status" enum:"healthy,degraded,unhealthy" doc:"degraded: the container engine does not respond. unhealthy, with status 503: the database or the exchange folder cannot be written, checked once a minute."`
	Service string `json:"service" doc:"Always trafficinator-controller."`
	Version string `json:"version,omitempty" doc:"Version of the controller; only for authenticated requests."`
}

type healthResponse struct {
	Status int
	Body   healthBody
}

type welcome struct {
	Name    string `json:"name" doc:"Name of the service."`
	Version string `json:"version" doc:"Version of the controller."`
	Docs    string `json:"docs" doc:"Path of the API documentation."`
	Health  string `json:"health" doc:"Path of the health check."`
}

var _ = addRoutes((*server).health)

func (s *server) health() {
	register(s, get("/health", tagRuns, "Check the health of the controller").allow(public).withEchoContext(),
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
		})
	handlePlain(s, get("/api", tagRuns, "Get name, version and links of the controller"),
		func(context.Context) (welcome, error) {
			return welcome{"Trafficinator", s.Version, "/docs", "/health"}, nil
		})
}
