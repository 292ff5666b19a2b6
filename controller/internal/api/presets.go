package api

import (
	"context"
	"net/http"

	"github.com/puttrix/trafficinator/controller/internal/setup"
)

type presetsResponse struct {
	Presets []setup.Preset        `json:"presets" doc:"Saved ones, the newest change first."`
	BuiltIn []setup.BuiltInPreset `json:"built_in" doc:"Those of the presets' folder."`
	Faulty  []faultyPreset        `json:"faulty" doc:"Files of the presets' folder that cannot be used, with what is wrong."`
}

type faultyPreset struct {
	File   string         `json:"file"`
	Errors []fieldProblem `json:"errors"`
}

type presetRequest struct {
	Body struct {
		Name        *string        `json:"name,omitempty" minLength:"1" maxLength:"100"`
		Description *string        `json:"description,omitempty" maxLength:"500"`
		Config      map[string]any `json:"config,omitempty" doc:"Settings by their names. Those of the one target (address, site, token, how it is reached) are left out, and named in left_out: loading a preset never changes them."`
		// Targets hold no secrets.
		Targets *setup.PresetTargets `json:"targets,omitempty" doc:"Targets, without secrets, and how they are used. Loading it replaces those of the same name, which keep their secrets where their addresses stay, and disables the others; warnings name those without a token. An empty list removes them from the preset."`
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
	Preset  string `path:"id" maxLength:"100" doc:"The number of a saved one or the name of a built-in one."`
	IfMatch string `header:"If-Match" maxLength:"100"`
}

// DeletedResponse is what was deleted.
type DeletedResponse struct {
	Success bool   `json:"success" doc:"Always true; failures have a status of their own."`
	Deleted int64  `json:"deleted_id"`
	Message string `json:"message"`
}

// RemovedResponse is a DeletedResponse for what is published.
type RemovedResponse struct {
	DeletedResponse
	Publication
}

func (s *server) removed(id int64, what string) RemovedResponse {
	return RemovedResponse{DeletedResponse{true, id, what + " deleted"}, s.publication()}
}

var _ = routes((*server).presets)

func (s *server) presets() {
	const one = "/api/presets/{id}"
	get(s, "/api/presets", tagConfig, "All presets", func(ctx context.Context) (presetsResponse, error) {
		saved, err := s.Setup.Presets(ctx)
		if err != nil {
			return presetsResponse{}, err
		}
		builtIn, faulty, err := s.Setup.BuiltInPresets()
		out := presetsResponse{saved, builtIn, make([]faultyPreset, len(faulty))}
		for i, f := range faulty {
			out.Faulty[i] = faultyPreset{f.File, faults(f.Errors)}
		}
		return out, err
	})
	reply(s, made(op(http.MethodPost, "/api/presets", tagConfig, "Save a preset")),
		func(ctx context.Context, in *presetRequest) (setup.Preset, error) {
			return s.Setup.CreatePreset(ctx, in.input())
		})
	byID(s, op(http.MethodGet, one, tagConfig, "One preset"),
		func(ctx context.Context, id int64) (setup.Preset, error) { return s.Setup.Preset(ctx, id) })
	reply(s, op(http.MethodPut, one, tagConfig, "Change a preset; what is left out stays"),
		func(ctx context.Context, in *presetUpdate) (setup.Preset, error) {
			return s.Setup.UpdatePreset(ctx, in.ID, in.input())
		})
	byID(s, op(http.MethodDelete, one, tagConfig, "Delete a preset"),
		func(ctx context.Context, id int64) (DeletedResponse, error) {
			return DeletedResponse{true, id, "preset deleted"}, s.Setup.DeletePreset(ctx, id)
		})
	route(s, op(http.MethodPost, one+"/load", tagConfig, "Lay a preset over the saved configuration"),
		func(ctx context.Context, in *presetLoad) (*configResponse, error) {
			return s.savedConfig(ctx, in.IfMatch, func(revision int64) (setup.Config, error) {
				return s.Setup.LoadPreset(ctx, in.Preset, revision)
			})
		})
}
