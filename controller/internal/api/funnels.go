package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/puttrix/trafficinator/controller/internal/setup"
	"github.com/puttrix/trafficinator/shared/funnel"
)

type funnelSummary struct {
	ID          int64     `json:"id" doc:"Unique identifier."`
	Name        string    `json:"name" doc:"Unique name."`
	Description string    `json:"description" doc:"Free text."`
	Probability float64   `json:"probability" doc:"Probability that a visit follows the funnel, 0 to 1."`
	Share       float64   `json:"share" doc:"Effective share of all visits, after the funnels of higher priority."`
	Priority    int       `json:"priority" doc:"Funnels of higher priority are drawn first."`
	Enabled     bool      `json:"enabled" doc:"Whether visits follow the funnel."`
	StepCount   int       `json:"step_count" doc:"Number of steps."`
	Created     time.Time `json:"created_at" doc:"Time of creation."`
	Updated     time.Time `json:"updated_at" doc:"Time of the last change."`
}

type funnelsResponse struct {
	Funnels []funnelSummary `json:"funnels" doc:"By priority, then last changed first."`
}

// funnelBody is a funnel in a request. Package funnel decodes it, which reports all problems at once.
type funnelBody struct{ json.RawMessage }

// Schema implements huma.SchemaProvider.
func (funnelBody) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{
		Type:                 huma.TypeObject,
		AdditionalProperties: true,
		Description: "A funnel. Fields missing from an update stay unchanged. The fields of config may also be at the " +
			"top level.",
		Properties: map[string]*huma.Schema{
			"name":        {Type: huma.TypeString, Description: "Unique name, 1 to 100 characters."},
			"description": {Type: huma.TypeString, Nullable: true, Description: "At most 500 characters."},
			"config": {Type: huma.TypeObject, AdditionalProperties: true,
				Description: "probability, priority, enabled, exit_after_completion, steps."},
			"steps": {Type: huma.TypeArray, Items: anyObject()},
		},
	}
}

type funnelRequest struct{ Body funnelBody }

type funnelUpdate struct {
	ByID
	Body funnelBody
}

var _ = addRoutes((*server).funnels)

func (s *server) funnels() {
	const path, one = "/api/funnels", "/api/funnels/{id}"
	handlePlain(s, get(path, tagTraffic, "List funnels"), s.listFunnels)
	handle(s, post(path, tagTraffic, "Create a funnel").status(http.StatusCreated),
		func(ctx context.Context, in *funnelRequest) (FunnelResponse, error) {
			f, err := s.Setup.CreateFunnel(ctx, in.Body.RawMessage)
			return FunnelResponse{f, s.publication()}, err
		})
	handle(s, post(path+"/validate", tagTraffic, "Validate a funnel").allow(readOnly),
		func(_ context.Context, in *funnelRequest) (validationResponse, error) {
			return newValidation(s.Setup.ValidateFunnel(in.Body.RawMessage)), nil
		})
	register(s, get(path+"/export", tagTraffic, "Export the enabled funnels as funnels.json").
		produces(map[string]*huma.Schema{"application/json": {Type: huma.TypeArray, Items: anyObject()}}),
		s.exportFunnels)
	handleID(s, get(one, tagTraffic, "Get a funnel"), s.Setup.Funnel)
	handle(s, put(one, tagTraffic, "Update a funnel"),
		func(ctx context.Context, in *funnelUpdate) (FunnelResponse, error) {
			f, err := s.Setup.UpdateFunnel(ctx, in.ID, in.Body.RawMessage)
			return FunnelResponse{f, s.publication()}, err
		})
	handleID(s, remove(one, tagTraffic, "Delete a funnel"),
		func(ctx context.Context, id int64) (RemovedResponse, error) {
			return s.removed(id, "funnel"), s.Setup.DeleteFunnel(ctx, id)
		})
}

// FunnelResponse is a saved funnel.
type FunnelResponse struct {
	setup.Funnel
	Publication
}

func (s *server) listFunnels(ctx context.Context) (funnelsResponse, error) {
	all, err := s.Setup.Funnels(ctx)
	out := make([]funnelSummary, len(all))
	for i, f := range all {
		out[i] = funnelSummary{
			f.ID, f.Name, f.Description, f.Config.Probability, f.Share, f.Config.Priority, f.Config.Enabled,
			len(f.Config.Steps), f.Created, f.Updated,
		}
	}
	return funnelsResponse{out}, err
}

func (s *server) exportFunnels(ctx context.Context, _ *empty) (*fileResponse, error) {
	all, err := s.Setup.Funnels(ctx)
	if err != nil {
		return nil, err
	}
	var enabled []funnel.Funnel
	for _, f := range all {
		if c := f.Config; c.Enabled {
			enabled = append(enabled, funnel.Funnel{Name: f.Name, Description: f.Description, Enabled: true,
				Probability: c.Probability, Priority: c.Priority, ExitAfterCompletion: c.ExitAfterCompletion,
				Steps: c.Steps})
		}
	}
	data, err := funnel.Encode(enabled)
	return newFile("application/json", "funnels.json", data), err
}
