package api

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/puttrix/trafficinator/controller/internal/setup"
	"github.com/puttrix/trafficinator/shared/target"
)

// targetBody is a target as a person sends it; shared/target's rules read it and tell all faults at once.
type targetBody struct{ json.RawMessage }

// Schema implements huma.SchemaProvider.
func (targetBody) Schema(huma.Registry) *huma.Schema {
	text, hidden := &huma.Schema{Type: huma.TypeString}, &huma.Schema{Type: huma.TypeString, Nullable: true}
	return &huma.Schema{
		Type: huma.TypeObject, AdditionalProperties: true,
		Description: "A target. Changing one, what is left out stays; a masked secret keeps the saved one, an empty " +
			"one removes it. With another url, api_url or proxy_url saved secrets must be given again or removed.",
		Properties: map[string]*huma.Schema{
			"name": text, "url": text, "token_auth": hidden, "read_token": hidden,
			"site_id": {Type: huma.TypeInteger}, "weight": {Type: huma.TypeInteger},
			"enabled": {Type: huma.TypeBoolean},
			"api_url": text, "http_auth": hidden, "headers": hidden, "tls_ca_file": text, "tls_cert_file": text,
			"tls_key_file": text, "proxy_url": hidden,
		},
	}
}

// TargetsResponse is all targets and how they are used.
type TargetsResponse struct {
	Targets []setup.Target `json:"targets"`
	setup.Routing
}

// RoutingResponse is the targets after their routing was changed.
type RoutingResponse struct {
	TargetsResponse
	Publication
}

// TargetResponse is a target that was saved.
type TargetResponse struct {
	setup.Target
	Publication
}

type targetRequest struct{ Body targetBody }

type targetUpdate struct {
	ByID
	Body targetBody
}

type routingRequest struct {
	Body struct {
		Mode     setup.Mode      `json:"mode" enum:"single,multi" doc:"single: to MATOMO_URL of the configuration; multi: to the enabled targets."`
		Strategy target.Strategy `json:"distribution_strategy,omitempty" enum:"round-robin,weighted,random" default:"round-robin"`
	}
}

type testTargetsRequest struct {
	Body *struct {
		IDs     []int64 `json:"ids,omitempty" maxItems:"1000" doc:"Their numbers; left out: all."`
		Timeout int     `json:"timeout,omitempty" minimum:"1" maximum:"60" default:"10" doc:"Seconds for each."`
	}
}

type testTargetsResponse struct {
	Results []targetTest `json:"results"`
}

type targetTest struct {
	ID      int64  `json:"id" doc:"0 for the single target of the configuration."`
	Name    string `json:"name"`
	Enabled bool   `json:"enabled"`
	ConnectionResponse
}

var _ = routes((*server).targets)

func (s *server) targets() {
	const one = "/api/targets/{id}"
	get(s, "/api/targets", tagTargets, "All targets and how visits are dealt out", s.allTargets)
	reply(s, made(op(http.MethodPost, "/api/targets", tagTargets, "Save a target")),
		func(ctx context.Context, in *targetRequest) (TargetResponse, error) {
			t, err := s.Setup.CreateTarget(ctx, in.Body.RawMessage)
			return TargetResponse{t, s.publication()}, err
		})
	byID(s, op(http.MethodGet, one, tagTargets, "One target"),
		func(ctx context.Context, id int64) (setup.Target, error) { return s.Setup.Target(ctx, id) })
	reply(s, op(http.MethodPut, one, tagTargets, "Change a target; what is left out stays"),
		func(ctx context.Context, in *targetUpdate) (TargetResponse, error) {
			t, err := s.Setup.UpdateTarget(ctx, in.ID, in.Body.RawMessage)
			return TargetResponse{t, s.publication()}, err
		})
	byID(s, op(http.MethodDelete, one, tagTargets, "Delete a target"),
		func(ctx context.Context, id int64) (RemovedResponse, error) {
			return s.removed(id, "target"), s.Setup.DeleteTarget(ctx, id)
		})
	reply(s, op(http.MethodPut, "/api/targets/routing", tagTargets,
		"One target or several, and how visits are dealt out"),
		func(ctx context.Context, in *routingRequest) (RoutingResponse, error) {
			r := setup.Routing{Mode: in.Body.Mode, Strategy: in.Body.Strategy}
			if err := s.Setup.SaveRouting(ctx, r); err != nil {
				return RoutingResponse{}, err
			}
			all, err := s.allTargets(ctx)
			return RoutingResponse{all, s.publication()}, err
		})
	reply(s, op(http.MethodPost, "/api/targets/test", tagTargets, "Ask targets at once, without leaving a visit"),
		s.testTargets)
}

func (s *server) allTargets(ctx context.Context) (TargetsResponse, error) {
	all, routing, err := s.Setup.Targets(ctx)
	return TargetsResponse{all, routing}, err
}

func (s *server) testTargets(ctx context.Context, in *testTargetsRequest) (a testTargetsResponse, err error) {
	var ids []int64
	timeout := 10
	if in.Body != nil {
		ids, timeout = in.Body.IDs, in.Body.Timeout
	}
	saved, err := s.Setup.TargetsByID(ctx, ids...)
	if err != nil {
		return a, err
	}
	out := make([]targetTest, len(saved))
	asked := make([]target.Target, len(saved))
	for i, t := range saved {
		out[i], asked[i] = targetTest{ID: t.ID, Name: t.Name, Enabled: t.Enabled}, t.Target
	}
	if len(saved) == 0 {
		t, err := s.Setup.SingleTarget(ctx)
		if err != nil {
			return a, err
		}
		out, asked = []targetTest{{Name: "single", Enabled: true}}, []target.Target{t}
	}
	expect, err := s.Setup.Expected(ctx, nil, s.Now())
	if err != nil {
		return a, err
	}
	for i, a := range s.examineAll(ctx, asked, expect, timeout) {
		out[i].ConnectionResponse = a
	}
	return testTargetsResponse{out}, nil
}
