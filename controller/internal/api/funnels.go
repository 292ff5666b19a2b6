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
	ID          int64     `json:"id"`
	Name        string    `json:"name"`
	Description string    `json:"description"`
	Probability float64   `json:"probability"`
	Share       float64   `json:"share" doc:"What part of all visits really follows it: funnels before it take theirs first."`
	Priority    int       `json:"priority"`
	Enabled     bool      `json:"enabled"`
	StepCount   int       `json:"step_count"`
	Created     time.Time `json:"created_at"`
	Updated     time.Time `json:"updated_at"`
}

type funnelsResponse struct {
	Funnels []funnelSummary `json:"funnels" doc:"By priority, then the newest change first."`
}

// funnelBody is a funnel as a person sends it. Its own rules, which tell all faults at once, read it.
type funnelBody struct{ json.RawMessage }

// Schema implements huma.SchemaProvider: name, description and the fields of a funnel, flat or under config.
func (funnelBody) Schema(r huma.Registry) *huma.Schema {
	return &huma.Schema{
		Type: huma.TypeObject, AdditionalProperties: true,
		Description: "The fields of a funnel. Changing one, those left out stay. The settings under config may stand " +
			"beside name too.",
		Properties: map[string]*huma.Schema{
			"name":        {Type: huma.TypeString, Description: "1 to 100 characters, its own"},
			"description": {Type: huma.TypeString, Nullable: true, Description: "at most 500 characters"},
			"config": {Type: huma.TypeObject, AdditionalProperties: true,
				Description: "probability, priority, enabled, exit_after_completion, steps"},
			"steps": {Type: huma.TypeArray,
				Items: &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}},
		},
	}
}

type funnelRequest struct{ Body funnelBody }

type funnelUpdate struct {
	ByID
	Body funnelBody
}

var _ = routes((*server).funnels)

func (s *server) funnels() {
	const one = "/api/funnels/{id}"
	get(s, "/api/funnels", tagTraffic, "All funnels", s.listFunnels)
	reply(s, made(op(http.MethodPost, "/api/funnels", tagTraffic, "Save a funnel")),
		func(ctx context.Context, in *funnelRequest) (FunnelResponse, error) {
			f, err := s.Setup.CreateFunnel(ctx, in.Body.RawMessage)
			return FunnelResponse{f, s.publication()}, err
		})
	reply(s, as(question, op(http.MethodPost, "/api/funnels/validate", tagTraffic, "Is this funnel good?")),
		func(_ context.Context, in *funnelRequest) (validationResponse, error) {
			return newValidity(s.Setup.ValidateFunnel(in.Body.RawMessage)), nil
		})
	route(s, file(op(http.MethodGet, "/api/funnels/export", tagTraffic,
		"funnels.json as the loadgen reads it: the enabled ones"),
		"application/json", &huma.Schema{Type: huma.TypeArray,
			Items: &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}}), s.exportFunnels)
	byID(s, op(http.MethodGet, one, tagTraffic, "One funnel"),
		func(ctx context.Context, id int64) (setup.Funnel, error) { return s.Setup.Funnel(ctx, id) })
	reply(s, op(http.MethodPut, one, tagTraffic, "Change a funnel; what is left out stays"),
		func(ctx context.Context, in *funnelUpdate) (FunnelResponse, error) {
			f, err := s.Setup.UpdateFunnel(ctx, in.ID, in.Body.RawMessage)
			return FunnelResponse{f, s.publication()}, err
		})
	byID(s, op(http.MethodDelete, one, tagTraffic, "Delete a funnel"),
		func(ctx context.Context, id int64) (RemovedResponse, error) {
			return s.removed(id, "funnel"), s.Setup.DeleteFunnel(ctx, id)
		})
}

// FunnelResponse is a funnel that was saved.
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

func (s *server) exportFunnels(ctx context.Context, _ *empty) (*textResponse, error) {
	all, err := s.Setup.Funnels(ctx)
	if err != nil {
		return nil, err
	}
	var enabled []funnel.Funnel
	for _, f := range all {
		if c := f.Config; c.Enabled {
			enabled = append(enabled, funnel.Funnel{
				Name: f.Name, Description: f.Description, Probability: c.Probability, Priority: c.Priority,
				Enabled: true, ExitAfterCompletion: c.ExitAfterCompletion, Steps: c.Steps,
			})
		}
	}
	data, err := funnel.Encode(enabled)
	return &textResponse{"application/json", `attachment; filename="funnels.json"`, data}, err
}
