package api

import (
	"bytes"
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/puttrix/trafficinator/controller/internal/run/history"
)

type compareRequest struct {
	A string `query:"a" required:"true" maxLength:"64" pattern:"^[A-Za-z0-9_-]+$" doc:"The run to compare with."`
	B string `query:"b" required:"true" maxLength:"64" pattern:"^[A-Za-z0-9_-]+$" doc:"The other one."`
}

type exportRequest struct {
	ByRun
	Format history.Format `query:"format" enum:"json,html,junit" default:"json" doc:"json: everything; html: a report that stands alone; junit: the thresholds."`
}

var _ = routes((*server).lookBack)

func (s *server) lookBack() {
	reply(s, op(http.MethodGet, "/api/runs/compare", tagRun,
		"What differs between two runs, and which of it is more than chance"),
		func(ctx context.Context, in *compareRequest) (history.Compared, error) {
			return s.book().Compare(ctx, in.A, in.B)
		})
	o := file(about(op(http.MethodGet, "/api/runs/{id}/export", tagRun, "A run as a file"),
		"The report needs nothing but itself: no network, no script."), "application/json",
		&huma.Schema{Type: huma.TypeObject, AdditionalProperties: true})
	for _, kind := range []string{"text/html", "application/xml"} {
		o.Responses["200"].Content[kind] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString}}
	}
	route(s, o, s.export)
}

// exports are what a file of each format is called.
var exports = map[history.Format]struct{ kind, ending string }{
	history.JSON: {"application/json", ".json"}, history.HTML: {"text/html; charset=utf-8", ".html"},
	history.JUnit: {"application/xml", ".junit.xml"},
}

func (s *server) export(ctx context.Context, in *exportRequest) (*textResponse, error) {
	r, err := s.Store.Run(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := s.book().Export(ctx, &out, in.ID, in.Format, s.Live.History(r.Started), s.Version); err != nil {
		return nil, err
	}
	as := exports[in.Format]
	return &textResponse{as.kind, `attachment; filename="` + in.ID + as.ending + `"`, out.Bytes()}, nil
}
