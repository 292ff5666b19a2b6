package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/puttrix/trafficinator/controller/internal/compare"
)

type compareRequest struct {
	A string `query:"a" required:"true" maxLength:"64" pattern:"^[A-Za-z0-9_-]+$" doc:"The run to compare with."`
	B string `query:"b" required:"true" maxLength:"64" pattern:"^[A-Za-z0-9_-]+$" doc:"The other one."`
}

type compareAnswer struct {
	A RecordHead `json:"a"`
	B RecordHead `json:"b"`
	compare.Result
}

type exportRequest struct {
	ByRun
	Format string `query:"format" enum:"json,html,junit" default:"json" doc:"json: everything; html: a report that stands alone; junit: the thresholds."`
}

func (s *server) lookBack() {
	route(s, op(http.MethodGet, "/api/runs/compare", tagRun, "What differs between two runs, and which of it is more than chance"), func(context.Context, *compareRequest) (*body[compareAnswer], error) {
		return nil, refuse(http.StatusNotImplemented, "not there yet")
	})
	o := file(op(http.MethodGet, "/api/runs/{id}/export", tagRun, "A run as a file"), "application/json", &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true})
	for _, kind := range []string{"text/html", "application/xml"} {
		o.Responses["200"].Content[kind] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString}}
	}
	route(s, o, func(context.Context, *exportRequest) (*textAnswer, error) {
		return nil, refuse(http.StatusNotImplemented, "not there yet")
	})
}
