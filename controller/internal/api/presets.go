package api

import (
	"context"
	"net/http"

	"github.com/puttrix/trafficinator/controller/internal/setup"
)

type presetsResponse struct {
	Presets []setup.Preset        `json:"presets" doc:"Saved presets, last changed first."`
	BuiltIn []setup.BuiltInPreset `json:"built_in" doc:"Presets of the presets folder."`
	Faulty  []faultyPreset        `json:"faulty" doc:"Invalid files in the presets folder."`
}

type faultyPreset struct {
	File   string         `json:"file" doc:"Name of the file."`
	Errors []fieldProblem `json:"errors" doc:"Its problems."`
}

type presetRequest struct{ Body setup.PresetInput }

type presetUpdate struct {
	ByID
	presetRequest
}

type presetLoad struct {
	Preset  string `path:"id" maxLength:"100" doc:"Id of a saved preset or name of a built-in one."`
	IfMatch string `header:"If-Match" maxLength:"100" doc:"ETag of the saved configuration. Returns 412 if it has changed since. Default: any."`
}

// RemovedResponse confirms the deletion of a resource that is published.
type RemovedResponse struct {
	DeletedResponse
	Publication
}

func (s *server) removed(id int64, what string) RemovedResponse {
	return RemovedResponse{DeletedResponse{true, id, what + " deleted"}, s.publication()}
}

var _ = addRoutes((*server).presets)

func (s *server) presets() {
	const path, one = "/api/presets", "/api/presets/{id}"
	handlePlain(s, get(path, tagConfig, "List presets"), s.listPresets)
	handle(s, post(path, tagConfig, "Create a preset").status(http.StatusCreated),
		func(ctx context.Context, in *presetRequest) (setup.Preset, error) {
			return s.Setup.CreatePreset(ctx, in.Body)
		})
	handleID(s, get(one, tagConfig, "Get a preset"), s.Setup.Preset)
	handle(s, put(one, tagConfig, "Update a preset"),
		func(ctx context.Context, in *presetUpdate) (setup.Preset, error) {
			return s.Setup.UpdatePreset(ctx, in.ID, in.Body)
		})
	handleID(s, remove(one, tagConfig, "Delete a preset"),
		func(ctx context.Context, id int64) (DeletedResponse, error) {
			return DeletedResponse{true, id, "preset deleted"}, s.Setup.DeletePreset(ctx, id)
		})
	register(s, post(one+"/load", tagConfig, "Load a preset into the configuration"),
		func(ctx context.Context, in *presetLoad) (*configResponse, error) {
			return s.configAfter(ctx, in.IfMatch, func(revision int64) (setup.Config, error) {
				return s.Setup.LoadPreset(ctx, in.Preset, revision)
			})
		})
}

func (s *server) listPresets(ctx context.Context) (presetsResponse, error) {
	saved, err := s.Setup.Presets(ctx)
	if err != nil {
		return presetsResponse{}, err
	}
	builtIn, faulty, err := s.Setup.BuiltInPresets()
	out := presetsResponse{saved, builtIn, make([]faultyPreset, len(faulty))}
	for i, f := range faulty {
		out.Faulty[i] = faultyPreset{f.File, fieldProblems(f.Errors)}
	}
	return out, err
}
