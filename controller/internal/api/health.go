package api

import (
	"context"
	"net/http"

	"github.com/puttrix/trafficinator/controller/internal/runtime"
)

// healthAnswer tells strangers no more than that it lives.
type healthAnswer struct {
	Status  string `json:"status" enum:"healthy,degraded" doc:"degraded: the container engine does not answer."`
	Service string `json:"service"`
	Version string `json:"version"`
}

type welcome struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Docs    string `json:"docs"`
	Health  string `json:"health"`
}

func (s *server) health() {
	route(s, op(http.MethodGet, "/health", tagRun, "Does the controller live?"), func(context.Context, *empty) (*body[healthAnswer], error) {
		h := healthAnswer{"healthy", "trafficinator-controller", s.Version}
		if s.Runs.Status().Loadgen.State == runtime.Unavailable {
			h.Status = "degraded"
		}
		return answer(h), nil
	})
	route(s, op(http.MethodGet, "/api", tagRun, "What is this?"), func(context.Context, *empty) (*body[welcome], error) {
		return answer(welcome{"Trafficinator", s.Version, "/docs", "/health"}), nil
	})
}
