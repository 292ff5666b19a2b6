package api

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/puttrix/trafficinator/controller/internal/setup"
)

// setupBody is an exported set-up as a person sends it; the library reads it and tells all faults at once.
type setupBody struct{ json.RawMessage }

// Schema implements huma.SchemaProvider.
func (setupBody) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true, Description: "What GET /api/setup gives."}
}

type importSetupRequest struct{ Body setupBody }

type exportSetupResponse struct {
	Disposition string `header:"Content-Disposition"`
	Body        setup.Exported
}

// ImportSetupResponse is the set-up that was imported.
type ImportSetupResponse struct {
	setup.Exported
	Publication
}

var _ = routes((*server).whole)

func (s *server) whole() {
	route(s, op(http.MethodGet, "/api/setup", tagConfig, "The whole set-up as one file, without tokens"),
		func(ctx context.Context, _ *empty) (*exportSetupResponse, error) {
			w, err := s.Setup.Export(ctx)
			return &exportSetupResponse{`attachment; filename="trafficinator-setup.json"`, w}, err
		})
	reply(s, large(op(http.MethodPut, "/api/setup", tagConfig,
		"Put an exported set-up in place of the saved one, wholly or not at all")),
		func(ctx context.Context, in *importSetupRequest) (ImportSetupResponse, error) {
			if err := s.Setup.Import(ctx, in.Body.RawMessage); err != nil {
				return ImportSetupResponse{}, err
			}
			w, err := s.Setup.Export(ctx)
			return ImportSetupResponse{w, s.publication()}, err
		})
}
