package api

import (
	"context"
	"encoding/json"

	"github.com/danielgtaylor/huma/v2"

	"github.com/puttrix/trafficinator/controller/internal/setup"
)

// setupBody is an exported set-up in a request. Package setup decodes it, which reports all problems at once.
type setupBody struct{ json.RawMessage }

// Schema implements huma.SchemaProvider.
func (setupBody) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true, Description: "Response of GET /api/setup."}
}

type importSetupRequest struct{ Body setupBody }

type exportSetupResponse struct {
	Disposition string `header:"Content-Disposition"`
	Body        setup.Exported
}

// ImportSetupResponse is the set-up after an import.
type ImportSetupResponse struct {
	setup.Exported
	Publication
}

var _ = addRoutes((*server).setup)

func (s *server) setup() {
	register(s, get("/api/setup", tagConfig, "Export the set-up, without secrets"),
		func(ctx context.Context, _ *empty) (*exportSetupResponse, error) {
			w, err := s.Setup.Export(ctx)
			return &exportSetupResponse{attachment("trafficinator-setup.json"), w}, err
		})
	handle(s, put("/api/setup", tagConfig, "Replace the set-up with an exported one").largeBody(),
		func(ctx context.Context, in *importSetupRequest) (ImportSetupResponse, error) {
			if err := s.Setup.Import(ctx, in.Body.RawMessage); err != nil {
				return ImportSetupResponse{}, err
			}
			w, err := s.Setup.Export(ctx)
			return ImportSetupResponse{w, s.publication()}, err
		})
}
