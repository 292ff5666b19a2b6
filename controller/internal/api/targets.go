package api

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"

	"github.com/danielgtaylor/huma/v2"

	"github.com/puttrix/trafficinator/controller/internal/stored"
	"github.com/puttrix/trafficinator/shared/target"
)

// targetBody is a target in a request. Package target decodes it, which reports all problems at once.
type targetBody struct{ json.RawMessage }

// Schema implements huma.SchemaProvider.
func (targetBody) Schema(huma.Registry) *huma.Schema {
	text, hidden := &huma.Schema{Type: huma.TypeString}, &huma.Schema{Type: huma.TypeString, Nullable: true}
	return &huma.Schema{
		Type:                 huma.TypeObject,
		AdditionalProperties: true,
		Description: "A target. Fields missing from an update stay unchanged; a masked secret keeps its value, an empty one " +
			"is removed. If url, api_url or proxy_url changes, saved secrets must be given again or removed.",
		Properties: map[string]*huma.Schema{
			"name":       text,
			"url":        text,
			"token_auth": hidden,
			"read_token": hidden,
			"site_id": {
				Type: huma.TypeInteger,
			},
			"weight":        {Type: huma.TypeInteger},
			"enabled":       {Type: huma.TypeBoolean},
			"api_url":       text,
			"http_auth":     hidden,
			"headers":       hidden,
			"tls_ca_file":   text,
			"tls_cert_file": text,
			"tls_key_file":  text,
			"proxy_url":     hidden,
		},
	}
}

// TargetsResponse has all targets and their routing.
type TargetsResponse struct {
	Targets []stored.Target `json:"targets" doc:"Saved targets."`
	stored.Routing
}

// RoutingResponse has the targets after a change of their routing.
type RoutingResponse struct {
	TargetsResponse
	Publication
}

// TargetResponse is a saved target.
type TargetResponse struct {
	stored.Target
	Publication
}

type targetRequest struct{ Body targetBody }

type targetUpdate struct {
	ByID
	Body targetBody
}

type routingRequest struct {
	Body struct {
		Mode     stored.Mode     `json:"mode" enum:"single,multi" doc:"single: send to MATOMO_URL; multi: send to the enabled targets."`
		Strategy target.Strategy `json:"distribution_strategy,omitempty" enum:"round-robin,weighted,random" default:"round-robin" doc:"How visits are distributed over the targets."`
	}
}

type testTargetsRequest struct {
	Body *struct {
		IDs     []int64 `json:"ids,omitempty" maxItems:"1000" doc:"Ids of the targets. Default: all."`
		Timeout int     `json:"timeout,omitempty" minimum:"1" maximum:"60" default:"10" doc:"Timeout of each test in seconds."`
	}
}

type testTargetsResponse struct {
	Results []targetTest `json:"results" doc:"One result for each target."`
}

type targetTest struct {
	ID      int64  `json:"id" doc:"Id of the target; 0 for the one of MATOMO_URL."`
	Name    string `json:"name" doc:"Name of the target."`
	Enabled bool   `json:"enabled" doc:"Whether visits are sent to the target."`
	ConnectionResponse
}

var _ = addRoutes((*server).targets)

func (s *server) targets() {
	const path, one = "/api/targets", "/api/targets/{id}"
	handlePlain(s, get(path, tagTargets, "List targets and their routing"), s.listTargets)
	handle(s, post(path, tagTargets, "Create a target").status(http.StatusCreated),
		func(ctx context.Context, in *targetRequest) (TargetResponse, error) {
			t, err := s.Setup.CreateTarget(ctx, in.Body.RawMessage)
			return TargetResponse{t, s.publication()}, err
		})
	handleID(s, get(one, tagTargets, "Get a target"), s.Setup.Target)
	handle(s, put(one, tagTargets, "Update a target"),
		func(ctx context.Context, in *targetUpdate) (TargetResponse, error) {
			t, err := s.Setup.UpdateTarget(ctx, in.ID, in.Body.RawMessage)
			return TargetResponse{t, s.publication()}, err
		})
	handleID(s, remove(one, tagTargets, "Delete a target"),
		func(ctx context.Context, id int64) (RemovedResponse, error) {
			return s.removed(id, "target"), s.Setup.DeleteTarget(ctx, id)
		})
	handle(s, put(path+"/routing", tagTargets, "Set the routing of visits to targets"),
		func(ctx context.Context, in *routingRequest) (RoutingResponse, error) {
			r := stored.Routing{Mode: in.Body.Mode, Strategy: in.Body.Strategy}
			if err := s.Setup.SaveRouting(ctx, r); err != nil {
				return RoutingResponse{}, err
			}
			all, err := s.listTargets(ctx)
			return RoutingResponse{all, s.publication()}, err
		})
	handle(s, post(path+"/test", tagTargets, "Test the connection to targets"), s.testTargets)
}

func (s *server) listTargets(ctx context.Context) (TargetsResponse, error) {
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
	targets := make([]target.Target, len(saved))
	a.Results = make([]targetTest, len(saved))
	for i, t := range saved {
		targets[i], a.Results[i] = t.Target, targetTest{ID: t.ID, Name: t.Name, Enabled: t.Enabled}
	}
	if len(saved) == 0 {
		single, err := s.Setup.SingleTarget(ctx)
		if err != nil {
			return a, err
		}
		targets, a.Results = []target.Target{single}, []targetTest{{Name: "single", Enabled: true}}
	}
	expected, err := s.Setup.Expected(ctx, nil, s.Now())
	if err != nil {
		return a, err
	}
	var all sync.WaitGroup
	for i, t := range targets {
		all.Go(func() { a.Results[i].ConnectionResponse = s.diagnose(ctx, t, expected, timeout) })
	}
	all.Wait()
	return a, nil
}
