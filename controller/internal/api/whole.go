package api

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/puttrix/trafficinator/controller/internal/setup"
)

// wholeBody is an exported set-up as a person sends it; the library reads it and tells all faults at once.
type wholeBody struct{ json.RawMessage }

// Schema implements huma.SchemaProvider.
func (wholeBody) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true, Description: "What GET /api/setup gives."}
}

type wholeRequest struct{ Body wholeBody }

type wholeAnswer struct {
	Disposition string `header:"Content-Disposition"`
	Body        setup.Whole
}

// ImportedAnswer is the set-up that was imported.
type ImportedAnswer struct {
	setup.Whole
	Publication
}

var _ = routes((*server).whole)

func (s *server) whole() {
	route(s, op(http.MethodGet, "/api/setup", tagConfig, "The whole set-up as one file, without tokens"),
		func(ctx context.Context, _ *empty) (*wholeAnswer, error) {
			w, err := s.Setup.Export(ctx)
			return &wholeAnswer{`attachment; filename="trafficinator-setup.json"`, w}, err
		})
	reply(s, large(op(http.MethodPut, "/api/setup", tagConfig,
		"Put an exported set-up in place of the saved one, wholly or not at all")),
		func(ctx context.Context, in *wholeRequest) (ImportedAnswer, error) {
			if err := s.Setup.ImportAll(ctx, in.Body.RawMessage); err != nil {
				return ImportedAnswer{}, err
			}
			w, err := s.Setup.Export(ctx)
			return ImportedAnswer{w, s.publication()}, err
		})
}
