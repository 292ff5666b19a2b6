package setup

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/puttrix/trafficinator/controller/internal/setup/plan"
	"github.com/puttrix/trafficinator/controller/internal/stored"
	"github.com/puttrix/trafficinator/shared/eventset"
	"github.com/puttrix/trafficinator/shared/funnel"
	"github.com/puttrix/trafficinator/shared/problem"
)

// format is the version of the exported file.
const format = 1

// Exported is the complete set-up as one file, without secrets.
type Exported struct {
	Format  int              `json:"trafficinator_setup"`
	Config  map[string]any   `json:"config"`
	Presets []ExportedPreset `json:"presets"`
	Funnels []funnel.Funnel  `json:"funnels"`
	// URLs is the saved list, nil for the built-in one; Events likewise.
	URLs    *string               `json:"urls"`
	Events  *eventset.Set         `json:"events"`
	Targets []stored.PublicTarget `json:"targets"`
	stored.Routing
}

// ExportedPreset is a preset of an exported set-up.
type ExportedPreset struct {
	Name        string                `json:"name"`
	Description string                `json:"description"`
	Values      map[string]any        `json:"config"`
	Targets     *stored.PresetTargets `json:"targets,omitempty"`
}

// Export returns the complete set-up without its secrets.
func (s *Service) Export(ctx context.Context) (Exported, error) {
	c, err := s.store.Config(ctx)
	if err != nil {
		return Exported{}, err
	}
	out := Exported{Format: format, Config: typedOnly(c.Values), Presets: []ExportedPreset{},
		Funnels: []funnel.Funnel{}, Targets: []stored.PublicTarget{}}
	presets, err := s.Presets(ctx)
	if err != nil {
		return out, err
	}
	for _, p := range presets {
		out.Presets = append(out.Presets, ExportedPreset{p.Name, p.Description, p.Values, p.Targets})
	}
	funnels, err := s.sortedFunnels(ctx)
	if err != nil {
		return out, err
	}
	for _, f := range funnels {
		out.Funnels = append(out.Funnels, f.Funnel)
	}
	content, source, err := s.URLContent(ctx)
	if err != nil {
		return out, err
	}
	if source == Custom {
		out.URLs = new(string(content))
	}
	events, source, err := s.Events(ctx)
	if err != nil {
		return out, err
	}
	if source == Custom {
		events.ClickProbability, events.RandomProbability = nil, nil // they are settings
		out.Events = &events
	}
	targets, routing, err := s.Targets(ctx)
	for _, t := range targets {
		out.Targets = append(out.Targets, stored.Public(t.Target))
	}
	out.Routing = routing
	return out, err
}

// importedSetup is an Exported as submitted, each part for the reader of its format.
type importedSetup struct {
	Format  int               `json:"trafficinator_setup"`
	Config  map[string]any    `json:"config"`
	Presets []ExportedPreset  `json:"presets"`
	Funnels json.RawMessage   `json:"funnels"`
	URLs    *string           `json:"urls"`
	Events  json.RawMessage   `json:"events"`
	Targets []json.RawMessage `json:"targets"`
	stored.Routing
}

// Import replaces the saved set-up with an exported one, or changes nothing. The saved secrets of the single target are
// kept if its addresses are unchanged, those of another target if its name and addresses are. The error is a
// problem.List with everything that is wrong in any part, or ErrStale if the configuration was changed meanwhile.
func (s *Service) Import(ctx context.Context, body []byte) error {
	return s.update(ctx, func(ctx context.Context) error { return s.importSetup(ctx, body) }, plan.Names...)
}

func (s *Service) importSetup(ctx context.Context, body []byte) error {
	var in importedSetup
	if problems := decodeInto("setup", body, &in); problems != nil {
		return problems
	}
	var problems problem.List
	if in.Format != format {
		problems.Refuse("trafficinator_setup", fmt.Sprint(in.Format), "is not a supported version",
			"import a file that was exported by this version")
		return problems.Err()
	}
	before, err := s.config(ctx)
	if err != nil {
		return err
	}
	old, err := s.store.Targets(ctx)
	if err != nil {
		return err
	}
	config := in.config(before, &problems)
	is, was := config.parse().target(), before.target()
	s.checkFiles(is.Access, strings.ToUpper, &problems)
	if is.Proxy != was.Proxy { // what goes through the proxy goes another way now
		old = slices.DeleteFunc(old, func(t stored.Target) bool { return t.Proxy == "" })
	}
	all := stored.Setup{
		Config:  stored.Config{Revision: before.revision, Values: config.plain, Secrets: config.secrets},
		Presets: s.importedPresets(in.Presets, &problems), Funnels: in.funnels(&problems),
		Targets: s.readTargets(in.Targets, old, &problems),
		Routing: checkedRouting(in.Routing, &problems, slices.ContainsFunc(in.Targets, func(raw json.RawMessage) bool {
			var t stored.PublicTarget
			return json.Unmarshal(raw, &t) == nil && t.Enabled
		})),
		Events: in.events(&problems),
	}
	if in.URLs != nil {
		all.URLs = []byte(*in.URLs)
		problems = append(problems, s.ValidateURLs(all.URLs).Errors...)
	}
	if err := problems.Err(); err != nil {
		return err
	}
	return s.store.ReplaceAll(ctx, all)
}

// config returns the settings of an imported set-up, with the saved secrets whose destinations are unchanged.
func (in importedSetup) config(before config, problems *problem.List) settings {
	c := settings{}.with(in.Config, problems)
	*problems = append(*problems, c.problems...)
	was, is := before.target(), c.target()
	out := c.normalized().clone()
	given := map[string]any{}
	for _, f := range secretFields {
		if givesSecret(in.Config, f.key) {
			given[f.name] = ""
		}
	}
	for _, f := range keepSecrets(&is, was, given) {
		if hasMask(in.Config, f.key) {
			problems.Refuse(f.key, "", otherAddress, enterAgain)
		}
	}
	for _, f := range secretFields {
		if v := *f.of(&is); v != "" {
			out.secrets[f.key] = v
		}
	}
	return out
}

func (s *Service) importedPresets(list []ExportedPreset, problems *problem.List) []stored.Preset {
	out := make([]stored.Preset, len(list))
	names := map[string]bool{}
	for i, p := range list {
		read, at := &out[len(list)-1-i], fmt.Sprintf("presets[%d].", i) // listed last changed first
		_, more := s.applyPreset(PresetInput{&p.Name, &p.Description, p.Values, p.Targets}, read)
		*problems = append(*problems, prefix(at, more)...)
		refuseDuplicate(names, at+"name", read.Name, "preset", problems)
	}
	return out
}

func (in importedSetup) funnels(problems *problem.List) []stored.Funnel {
	if in.Funnels == nil {
		return nil
	}
	list, more := funnel.Decode(document, in.Funnels)
	for i, p := range more {
		more[i].Where = "funnels" + strings.TrimPrefix(strings.TrimPrefix(p.Where, document), ": ")
	}
	*problems = append(*problems, more...)
	out := make([]stored.Funnel, len(list))
	for i, f := range list {
		checkText(fmt.Sprintf("funnels[%d].", i), f.Name, f.Description, problems)
		out[len(list)-1-i].Funnel = f // listed last changed first
	}
	return out
}

func (in importedSetup) events(problems *problem.List) []byte {
	if in.Events == nil || string(in.Events) == "null" {
		return nil
	}
	set, report := readEvents(in.Events)
	body, err := savedEvents(set)
	if err != nil {
		problems.Refuse("events", "", err.Error(), "")
	}
	for _, p := range report.Errors {
		if p.Where != allEvents {
			p.Where = "events." + p.Where
		}
		*problems = append(*problems, p)
	}
	return body
}

// readTargets reads targets without secrets. Each gets the ID of the saved one of its name, and its secrets if its
// addresses are unchanged.
func (s *Service) readTargets(list []json.RawMessage, saved []stored.Target, problems *problem.List) []stored.Target {
	var out []stored.Target
	names := map[string]bool{}
	for i, raw := range list {
		at := fmt.Sprintf("targets[%d]", i)
		var fields map[string]any
		if more := decodeInto(at, raw, &fields); more != nil {
			*problems = append(*problems, more...)
			continue
		}
		if fields == nil {
			problems.Refuse(at, "null", "is not an object", "use an object: {…}")
			continue
		}
		name, _ := fields["name"].(string)
		old := findTarget(saved, name)
		t, _, more := readTarget(fields, old)
		s.checkFiles(t.Access, func(field string) string { return at + "." + field }, problems)
		if more.Err() != nil {
			*problems = append(*problems, prefix(at+".", more)...)
			continue
		}
		refuseDuplicate(names, at+".name", t.Name, "target", problems)
		read := stored.Target{Target: t}
		if old != nil {
			read.ID = old.ID
		}
		out = append(out, read)
	}
	return out
}

// checkedRouting returns r with its defaults.
func checkedRouting(r stored.Routing, problems *problem.List, hasEnabled bool) stored.Routing {
	r.Mode, r.Strategy = cmp.Or(r.Mode, stored.Single), cmp.Or(r.Strategy, defaultStrategy)
	checkRouting(r, hasEnabled, problems)
	return r
}
