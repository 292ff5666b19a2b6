package api

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/puttrix/trafficinator/controller/internal/setup"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/spec"
)

type configResponse struct {
	ETag string `header:"ETag"`
	Body configBody
}

type configBody struct {
	setup.Config
	Pending pendingChanges `json:"pending_changes"`
	Publication
}

type saveRequest struct {
	IfMatch string `header:"If-Match" maxLength:"100" doc:"ETag of the configuration that was edited. Returns 412 if it has changed since. Default: overwrite."`
	Body    struct {
		Config map[string]any `json:"config" doc:"All settings. Missing ones are reset to their default. A secret that is masked or missing keeps its value, unless MATOMO_URL, MATOMO_API_URL or PROXY_URL changes; an empty one is removed."`
	}
}

type mergeRequest struct {
	IfMatch string `header:"If-Match" maxLength:"100" doc:"ETag of the configuration that was edited. Returns 412 if it has changed since. Default: merge into what is saved."`
	Body    struct {
		Config map[string]any `json:"config" doc:"Settings to change; null or an empty string resets one to its default. A secret that is masked or missing keeps its value, unless MATOMO_URL, MATOMO_API_URL or PROXY_URL changes; an empty one is removed."`
	}
}

type schemaResponse struct {
	Groups []string       `json:"groups" doc:"Names of the groups, in display order."`
	Fields []settingField `json:"fields" doc:"All settings that can be saved."`
	// Backfill is separate because its settings are never saved.
	Backfill []settingField `json:"backfill" doc:"Settings of POST /api/backfill/run."`
}

type settingField struct {
	Key      string   `json:"key" doc:"Name of the setting and of its environment variable."`
	Group    string   `json:"group" doc:"Group of the setting, one of groups."`
	Kind     string   `json:"kind" enum:"text,whole number,number,yes or no,list of numbers" doc:"Type of the value."`
	Default  string   `json:"default" doc:"Default value; empty if there is none."`
	InBulk   string   `json:"default_in_bulk" doc:"Default value with SEND_MODE=bulk, if different."`
	Min      string   `json:"min" doc:"Minimum value; empty if there is none."`
	Max      string   `json:"max" doc:"Maximum value; empty if there is none."`
	NotAbove string   `json:"not_above" doc:"Setting whose value this one must not exceed; empty if there is none."`
	OneOf    []string `json:"one_of" doc:"Permitted values; empty if any value is."`
	Unit     string   `json:"unit" doc:"Unit of the value; empty if it has none."`
	Help     string   `json:"help" doc:"What the setting does."`
	Secret   bool     `json:"secret" doc:"Whether the value is masked in responses."`
	Role     string   `json:"role" enum:"behaviour,target,run,speed,place,verdict,log" doc:"What the setting decides. Presets have no settings with the role target."`
	Widget   string   `json:"widget" doc:"Form control to edit the setting: secret, choice, toggle, file, number, list, text, or a specific one."`
}

// fieldProblem is a problem in the format of the original.
type fieldProblem struct {
	Field    string `json:"field" doc:"Setting, field or line with the problem."`
	Message  string `json:"message" doc:"What is wrong and how to fix it."`
	Severity string `json:"severity" enum:"error,warning" doc:"Whether the input is rejected."`
}

// fieldProblems returns problems in the format of the original.
func fieldProblems(problems problem.List) []fieldProblem {
	out := make([]fieldProblem, len(problems))
	for i, p := range problems {
		out[i] = fieldProblem{p.Where, p.Advice(), string(p.Severity)}
	}
	return out
}

type validationResponse struct {
	Valid    bool           `json:"valid" doc:"Whether there are no errors."`
	Errors   []fieldProblem `json:"errors" doc:"Problems that must be fixed."`
	Warnings []fieldProblem `json:"warnings" doc:"Other problems."`
}

type validateRequest struct {
	Body struct {
		Config map[string]any `json:"config" doc:"All settings, as for PUT /api/config."`
	}
}

var _ = addRoutes((*server).config)

func (s *server) config() {
	register(s, get("/api/config", tagConfig, "Get the configuration"),
		func(ctx context.Context, _ *empty) (*configResponse, error) {
			return s.configAfter(ctx, "", func(int64) (setup.Config, error) { return s.Setup.Config(ctx) })
		})
	register(s, put("/api/config", tagConfig, "Replace the configuration"),
		func(ctx context.Context, in *saveRequest) (*configResponse, error) {
			return s.configAfter(ctx, in.IfMatch, func(revision int64) (setup.Config, error) {
				return s.Setup.SaveConfig(ctx, in.Body.Config, revision)
			})
		})
	register(s, patch("/api/config", tagConfig, "Update settings"),
		func(ctx context.Context, in *mergeRequest) (*configResponse, error) {
			return s.configAfter(ctx, in.IfMatch, func(revision int64) (setup.Config, error) {
				return s.Setup.MergeConfig(ctx, in.Body.Config, revision)
			})
		})
	handlePlain(s, get("/api/config/schema", tagConfig, "List all settings with default, range and help"),
		func(context.Context) (schemaResponse, error) { return schema(), nil })
	handle(s, post("/api/validate", tagConfig, "Validate a configuration").allow(readOnly).
		describe("The loadgen checks the settings together with the saved URLs, funnels, events and targets; everything "+
			"that would prevent a start is an error. Nothing is sent or saved."),
		s.validate)
	handle(s, post("/api/config/apply", tagConfig, "Apply a configuration").
		describe("Restarts the current run with the configuration and saves it once the new plan runs. If that fails, the "+
			"previous run continues and nothing is saved. Without a run, it is only saved and published."),
		s.apply)
}

// configAfter returns the configuration after a change, which gets the revision of an If-Match.
func (s *server) configAfter(ctx context.Context, ifMatch string,
	change func(revision int64) (setup.Config, error)) (*configResponse, error) {
	revision, err := revisionOf(ifMatch)
	if err != nil {
		return nil, err
	}
	c, err := change(revision)
	if err != nil {
		return nil, err
	}
	pending, err := s.pendingChanges(ctx)
	return &configResponse{etag(c.Revision), configBody{c, pending, pending.Publication}}, err
}

func newValidation(p problem.List) validationResponse {
	return validationResponse{p.Err() == nil, fieldProblems(p.Errors()), fieldProblems(p.Warnings())}
}

func schema() schemaResponse {
	var a schemaResponse
	defaults, inBulk := spec.Canonical(nil), spec.Canonical(map[string]string{"SEND_MODE": "bulk"})
	for _, f := range setup.Fields() {
		if !slices.Contains(a.Groups, f.Group) {
			a.Groups = append(a.Groups, f.Group)
		}
		a.Fields = append(a.Fields, newField(f, defaults[f.Key], inBulk[f.Key]))
	}
	for _, f := range spec.Fields() {
		if f.Group == spec.BackfillGroup && f.Key != "BACKFILL_ENABLED" {
			a.Backfill = append(a.Backfill, newField(f, defaults[f.Key], inBulk[f.Key]))
		}
	}
	return a
}

func newField(f spec.Field, fallback, inBulk string) settingField {
	a := settingField{Key: f.Key, Group: f.Group, Kind: string(f.Kind), Default: f.Default, Min: f.Min, Max: f.Max,
		NotAbove: f.NotAbove, OneOf: append([]string{}, f.OneOf...), Unit: f.Unit, Help: f.Help, Secret: f.Secret,
		Role: string(f.Role), Widget: string(f.Widget)}
	if inBulk != fallback && f.Key != "SEND_MODE" {
		a.InBulk = inBulk
	}
	return a
}

// etag returns the ETag of a revision.
func etag(revision int64) string { return fmt.Sprintf("%q", strconv.FormatInt(revision, 10)) }

// revisionOf returns the revision of an If-Match header; 0 matches any.
func revisionOf(ifMatch string) (int64, error) {
	text := strings.Trim(strings.TrimPrefix(strings.TrimSpace(ifMatch), "W/"), `"`)
	if text == "" || text == "*" {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 {
		return 0, newFailure(http.StatusPreconditionFailed,
			"If-Match is not an ETag of the configuration; read it again")
	}
	return n, nil
}
