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
	IfMatch string `header:"If-Match" maxLength:"100" doc:"The ETag of what was edited; 412 where it has changed since. Left out: overwrite."`
	Body    struct {
		Config map[string]any `json:"config" doc:"All settings that differ from their default: those left out get their default. A secret that is masked or left out keeps its value while MATOMO_URL, MATOMO_API_URL and PROXY_URL are the same, with another one it must be given; an empty one is removed, so send the mask to keep it."`
	}
}

type mergeRequest struct {
	IfMatch string `header:"If-Match" maxLength:"100" doc:"The ETag of what was edited; 412 where it has changed since. Left out: merge into whatever is saved."`
	Body    struct {
		Config map[string]any `json:"config" doc:"The settings to change: those left out stay as they are, null or an empty text resets one to its default. Of a secret the mask keeps it and an empty text removes it; with another MATOMO_URL, MATOMO_API_URL or PROXY_URL it must be given."`
	}
}

type schemaResponse struct {
	Groups []string       `json:"groups" doc:"In the order of a form."`
	Fields []settingField `json:"fields"`
	// Backfill are apart because no saved configuration holds them.
	Backfill []settingField `json:"backfill" doc:"What POST /api/backfill/run takes."`
}

type settingField struct {
	Key      string   `json:"key"`
	Group    string   `json:"group"`
	Kind     string   `json:"kind" enum:"text,whole number,number,yes or no,list of numbers"`
	Default  string   `json:"default"`
	InBulk   string   `json:"default_in_bulk" doc:"The default with SEND_MODE=bulk, where that is another; empty else."`
	Min      string   `json:"min"`
	Max      string   `json:"max"`
	NotAbove string   `json:"not_above" doc:"The setting that this one must not exceed. Empty if there is none."`
	OneOf    []string `json:"one_of"`
	Unit     string   `json:"unit"`
	Help     string   `json:"help"`
	Secret   bool     `json:"secret"`
	Role     string   `json:"role" enum:"behaviour,target,run,speed,place,verdict,log" doc:"What kind of decision it is; a preset holds none of a target."`
	Widget   string   `json:"widget" doc:"With what a form edits it: secret, choice, toggle, file, number, list or text, or a word that the setting alone has."`
}

// fieldProblem is a problem in the original's words: the field, what is wrong with the cure, how bad it is.
type fieldProblem struct {
	Field    string `json:"field"`
	Message  string `json:"message"`
	Severity string `json:"severity" enum:"error,warning"`
}

func faults(problems problem.List) []fieldProblem {
	out := make([]fieldProblem, len(problems))
	for i, p := range problems {
		out[i] = fieldProblem{p.Where, p.Advice(), string(p.Severity)}
	}
	return out
}

type validationResponse struct {
	Valid    bool           `json:"valid"`
	Errors   []fieldProblem `json:"errors"`
	Warnings []fieldProblem `json:"warnings"`
}

type validateRequest struct {
	Body struct {
		Config map[string]any `json:"config" doc:"As PUT /api/config takes it: what is left out has its default, secrets apart."`
	}
}

var _ = routes((*server).config)

func (s *server) config() {
	route(s, op(http.MethodGet, "/api/config", tagConfig, "The saved configuration"),
		func(ctx context.Context, _ *empty) (*configResponse, error) {
			return s.savedConfig(ctx, "", func(int64) (setup.Config, error) { return s.Setup.Config(ctx) })
		})
	route(s, op(http.MethodPut, "/api/config", tagConfig, "Replace the saved configuration; what runs stays as it is"),
		func(ctx context.Context, in *saveRequest) (*configResponse, error) {
			return s.savedConfig(ctx, in.IfMatch, func(revision int64) (setup.Config, error) {
				return s.Setup.SaveConfig(ctx, in.Body.Config, revision)
			})
		})
	route(s, op(http.MethodPatch, "/api/config", tagConfig,
		"Change some settings; the others and what runs stay as they are"),
		func(ctx context.Context, in *mergeRequest) (*configResponse, error) {
			return s.savedConfig(ctx, in.IfMatch, func(revision int64) (setup.Config, error) {
				return s.Setup.MergeConfig(ctx, in.Body.Config, revision)
			})
		})
	get(s, "/api/config/schema", tagConfig, "Every setting with its bounds and help",
		func(context.Context) (schemaResponse, error) { return schema(), nil })
	reply(s, about(as(question, op(http.MethodPost, "/api/validate", tagConfig, "Is this configuration good?")),
		"The loadgen itself checks the plan that it makes with the saved pages, funnels, events and "+
			"targets: what it would refuse at a start is an error here, in the same words. Nothing is sent or saved."),
		s.validate)
	reply(s, about(op(http.MethodPost, "/api/config/apply", tagConfig,
		"Publish, restart, wait until the new plan runs, and save"),
		"While nothing runs it saves and publishes. Where it is refused, what is saved stays as it was, "+
			"and the previous run continues."), s.apply)
}

// savedConfig answers what save leaves saved. save gets the revision of an If-Match.
func (s *server) savedConfig(ctx context.Context, ifMatch string,
	save func(revision int64) (setup.Config, error)) (*configResponse, error) {
	revision, err := revisionOf(ifMatch)
	if err != nil {
		return nil, err
	}
	c, err := save(revision)
	if err != nil {
		return nil, err
	}
	pending, err := s.pending(ctx)
	return &configResponse{etag(c.Revision), configBody{c, pending, pending.Publication}}, err
}

func newValidity(p problem.List) validationResponse {
	return validationResponse{p.Err() == nil, faults(p.Errors()), faults(p.Warnings())}
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
	a := settingField{
		Key:      f.Key,
		Group:    f.Group,
		Kind:     string(f.Kind),
		Default:  f.Default,
		Min:      f.Min,
		Max:      f.Max,
		NotAbove: f.NotAbove,
		OneOf:    append([]string{}, f.OneOf...),
		Unit:     f.Unit,
		Help:     f.Help,
		Secret:   f.Secret,
		Role:     string(f.Role),
		Widget:   string(f.Widget),
	}
	if inBulk != fallback && f.Key != "SEND_MODE" {
		a.InBulk = inBulk
	}
	return a
}

// etag is a revision as HTTP has it.
func etag(revision int64) string { return fmt.Sprintf("%q", strconv.FormatInt(revision, 10)) }

// revisionOf is the revision of an If-Match; 0 is any.
func revisionOf(ifMatch string) (int64, error) {
	text := strings.Trim(strings.TrimPrefix(strings.TrimSpace(ifMatch), "W/"), `"`)
	if text == "" || text == "*" {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 {
		return 0, refuse(http.StatusPreconditionFailed, "If-Match holds no ETag of this configuration; read it again")
	}
	return n, nil
}
