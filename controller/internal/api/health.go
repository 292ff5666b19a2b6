package api

import (
	"context"
	"net/http"

	"github.com/puttrix/trafficinator/controller/internal/launcher"
)

// health tells strangers no more than how it is; GET /api/status tells why.
type healthBody struct {
	Status  string `json:"status" enum:"healthy,degraded,unhealthy" doc:"degraded: the container engine does not answer. unhealthy, with status 503: the database or the exchange folder cannot be written, tried once a minute."`
	Service string `json:"service"`
	Version string `json:"version,omitempty" doc:"For those with the key or a session alone."`
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

var _ = routes((*server).health)

func (s *server) health() {
	route(s, withEcho(as(public, op(http.MethodGet, "/health", tagRun,
		"Does the controller live, and can it store what it has to?"))),
		func(ctx context.Context, _ *empty) (*healthResponse, error) {
			h := &healthResponse{http.StatusOK, healthBody{"healthy", "trafficinator-controller", ""}}
			if s.Guard.IsAuthenticated(echoOf(ctx)) {
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
	get(s, "/api", tagRun, "What is this?", func(context.Context) (welcome, error) {
		return welcome{"Trafficinator", s.Version, "/docs", "/health"}, nil
	})
}
