package api

import (
	"context"
	"net/http"

	"github.com/puttrix/trafficinator/controller/internal/setup"
	"github.com/puttrix/trafficinator/controller/internal/stored"
)

type presetsResponse struct {
	Presets []setup.Preset        `json:"presets" doc:"Saved presets, last changed first."`
	BuiltIn []setup.BuiltInPreset `json:"built_in" doc:"Presets of the presets folder."`
	Faulty  []faultyPreset        `json:"faulty" doc:"Invalid files in the presets folder."`
}

type faultyPreset struct {
	File   string         `json:"file"`
	Errors []fieldProblem `json:"errors"`
}

type presetRequest struct {
	Body struct {
		Name        *string               `json:"name,omitempty" minLength:"1" maxLength:"100"`
		Description *string               `json:"description,omitempty" maxLength:"500"`
		Config      map[string]any        `json:"config,omitempty" doc:"Settings by name. Those of the single target (URL, site, token, access) are left out and listed in left_out: loading a preset never changes them."`
		Targets     *stored.PresetTargets `json:"targets,omitempty" doc:"Targets, without secrets, and their routing. Loading the preset replaces targets of the same name, which keep their secrets if their addresses are the same, and disables the others; warnings name targets without a token. An empty list removes the targets from the preset."`
	}
}

func (r *presetRequest) input() setup.PresetInput {
	return setup.PresetInput{Name: r.Body.Name, Description: r.Body.Description, Values: r.Body.Config,
		Targets: r.Body.Targets}
}

type presetUpdate struct {
	ByID
	presetRequest
}

type presetLoad struct {
	Preset  string `path:"id" maxLength:"100" doc:"Id of a saved preset or name of a built-in one."`
	IfMatch string `header:"If-Match" maxLength:"100"`
}

// DeletedResponse confirms a deletion.
type DeletedResponse struct {
	Success bool   `json:"success" doc:"Always true; errors have their own status."`
	Deleted int64  `json:"deleted_id"`
	Message string `json:"message"`
}

// RemovedResponse confirms the deletion of something that is published.
type RemovedResponse struct {
	DeletedResponse
	Publication
}

func (s *server) removed(id int64, what string) RemovedResponse {
	return RemovedResponse{DeletedResponse{true, id, what + " deleted"}, s.publication()}
}

var _ = addRoutes((*server).presets)

func (s *server) presets() {
	const one = "/api/presets/{id}"
	handleGet(s, "/api/presets", tagConfig, "List presets", func(ctx context.Context) (presetsResponse, error) {
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
	})
	handle(s, respondsWith(http.StatusCreated, op(http.MethodPost, "/api/presets", tagConfig, "Create a preset")),
		func(ctx context.Context, in *presetRequest) (setup.Preset, error) {
			return s.Setup.CreatePreset(ctx, in.input())
		})
	handleID(s, op(http.MethodGet, one, tagConfig, "Get a preset"),
		s.Setup.Preset)
	handle(s, op(http.MethodPut, one, tagConfig, "Update a preset"),
		func(ctx context.Context, in *presetUpdate) (setup.Preset, error) {
			return s.Setup.UpdatePreset(ctx, in.ID, in.input())
		})
	handleID(s, op(http.MethodDelete, one, tagConfig, "Delete a preset"),
		func(ctx context.Context, id int64) (DeletedResponse, error) {
			return DeletedResponse{true, id, "preset deleted"}, s.Setup.DeletePreset(ctx, id)
		})
	register(s, op(http.MethodPost, one+"/load", tagConfig, "Load a preset into the configuration"),
		func(ctx context.Context, in *presetLoad) (*configResponse, error) {
			return s.configAfter(ctx, in.IfMatch, func(revision int64) (setup.Config, error) {
				return s.Setup.LoadPreset(ctx, in.Preset, revision)
			})
		})
}
