package setup

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/puttrix/trafficinator/controller/internal/setup/plan"
	"github.com/puttrix/trafficinator/controller/internal/store"
	"github.com/puttrix/trafficinator/shared/eventset"
	"github.com/puttrix/trafficinator/shared/funnel"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/target"
)

// format is the version of the exported file.
const format = 1

// Exported is a set-up as one file. Secrets are not in it.
type Exported struct {
	Format  int              `json:"trafficinator_setup"`
	Config  map[string]any   `json:"config"`
	Presets []ExportedPreset `json:"presets"`
	Funnels []funnel.Funnel  `json:"funnels"`
	// URLs is the list as it is saved, nil for the built-in one; Events likewise.
	URLs     *string          `json:"urls"`
	Events   *eventset.Set    `json:"events"`
	Targets  []ExportedTarget `json:"targets"`
	Mode     Mode             `json:"mode"`
	Strategy target.Strategy  `json:"distribution_strategy"`
}

// ExportedPreset is a preset of a Exported.
type ExportedPreset struct {
	Name        string         `json:"name"`
	Description string         `json:"description"`
	Values      map[string]any `json:"config"`
	Targets     *PresetTargets `json:"targets,omitempty"`
}

// ExportedTarget is a target of a Exported or of a preset. What is left out has the default of targets.json.
type ExportedTarget struct {
	Name    string `json:"name"`
	URL     string `json:"url"`
	SiteID  int    `json:"site_id"`
	Weight  int    `json:"weight" required:"false"`
	Enabled bool   `json:"enabled" required:"false"`
	// How it is reached, as far as that is no secret.
	APIURL   string `json:"api_url,omitempty"`
	CAFile   string `json:"tls_ca_file,omitempty"`
	CertFile string `json:"tls_cert_file,omitempty"`
	KeyFile  string `json:"tls_key_file,omitempty"`
}

// UnmarshalJSON implements json.Unmarshaler.
func (t *ExportedTarget) UnmarshalJSON(data []byte) error {
	type plain ExportedTarget
	p := plain{Weight: 1, Enabled: true}
	if err := json.Unmarshal(data, &p); err != nil {
		return err
	}
	*t = ExportedTarget(p)
	return nil
}

// Export is the whole set-up without its secrets.
func (s *Service) Export(ctx context.Context) (Exported, error) {
	c, err := s.store.Config(ctx)
	if err != nil {
		return Exported{}, err
	}
	w := Exported{Format: format, Config: named(c.Knobs), Presets: []ExportedPreset{}, Funnels: []funnel.Funnel{},
		Targets: []ExportedTarget{}}
	presets, err := s.Presets(ctx)
	if err != nil {
		return Exported{}, err
	}
	for _, p := range presets {
		w.Presets = append(w.Presets, ExportedPreset{p.Name, p.Description, p.Values, p.Targets})
	}
	funnels, err := s.sortedFunnels(ctx)
	if err != nil {
		return Exported{}, err
	}
	for _, f := range funnels {
		w.Funnels = append(w.Funnels, f.Funnel)
	}
	switch content, source, err := s.URLContent(ctx); {
	case err != nil:
		return Exported{}, err
	case source == Custom:
		text := string(content)
		w.URLs = &text
	}
	switch events, source, err := s.Events(ctx); {
	case err != nil:
		return Exported{}, err
	case source == Custom:
		events.ClickProbability, events.RandomProbability = nil, nil // the knobs have them
		w.Events = &events
	}
	targets, routing, err := s.Targets(ctx)
	for _, t := range targets {
		w.Targets = append(w.Targets, exportTarget(t))
	}
	w.Mode, w.Strategy = routing.Mode, routing.Strategy
	return w, err
}

func exportTarget(t Target) ExportedTarget {
	return ExportedTarget{t.Name, t.URL, t.SiteID, t.Weight, t.Enabled, t.APIURL, t.CAFile, t.CertFile, t.KeyFile}
}

// importedSetup is a Exported as it comes, each part for the reader of its format.
type importedSetup struct {
	Format   int               `json:"trafficinator_setup"`
	Config   map[string]any    `json:"config"`
	Presets  []ExportedPreset  `json:"presets"`
	Funnels  json.RawMessage   `json:"funnels"`
	URLs     *string           `json:"urls"`
	Events   json.RawMessage   `json:"events"`
	Targets  []json.RawMessage `json:"targets"`
	Mode     Mode              `json:"mode"`
	Strategy target.Strategy   `json:"distribution_strategy"`
}

// Import puts an exported set-up in place of the saved one, wholly or not at all. The saved secrets of the single
// target stay where its addresses are the same, those of a target where name and addresses are. The error is a
// problem.List with everything that is wrong in any part, or ErrStale where somebody changed the configuration
// meanwhile.
func (s *Service) Import(ctx context.Context, body []byte) error {
	_, err := change(
		ctx,
		s,
		func(ctx context.Context) (struct{}, error) { return struct{}{}, s.importSetup(ctx, body) },
		plan.Names...)
	return err
}

func (s *Service) importSetup(ctx context.Context, body []byte) error {
	var in importedSetup
	if problems := decodeInto("setup", body, &in); problems != nil {
		return problems
	}
	var problems problem.List
	if in.Format != format {
		problems.Refuse("trafficinator_setup", fmt.Sprint(in.Format), "is not the version of a set-up this one reads",
			"import a file that was exported here")
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
	if is.Proxy != was.Proxy { // what goes through it, goes another way now
		old = slices.DeleteFunc(old, func(t store.Target) bool { return t.Proxy == "" })
	}
	all := store.All{
		Config:  store.Config{Revision: before.revision, Knobs: config.plain, Secrets: config.secrets},
		Presets: s.importedPresets(in.Presets, &problems), Funnels: in.funnels(&problems),
		Targets: s.importedTargets(in.Targets, old, &problems), Routing: in.routing(&problems),
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

// config are the knobs of a set-up, with the saved secrets that go where they went before.
func (in importedSetup) config(before config, problems *problem.List) knobs {
	c := knobs{}.with(in.Config, problems)
	*problems = append(*problems, c.problems...)
	was, is := before.target(), c.target()
	k := c.normalized().clone()
	given := map[string]any{}
	for _, f := range secretFields {
		if gives(in.Config, f.knob) {
			given[f.name] = ""
		}
	}
	for _, name := range keepSecrets(&is, was, given) {
		at := slices.IndexFunc(secretFields, func(f secretField) bool { return f.name == name })
		if knob := secretFields[at].knob; masks(in.Config, knob) {
			problems.Refuse(knob, "", otherAddress, giveAgain)
		}
	}
	for _, f := range secretFields {
		if v := *f.of(&is); v != "" {
			k.secrets[f.knob] = v
		}
	}
	return k
}

func (s *Service) importedPresets(list []ExportedPreset, problems *problem.List) []store.Preset {
	var out []store.Preset
	names := map[string]bool{}
	for i, p := range list {
		var read store.Preset
		_, more := s.presetFrom(PresetInput{&p.Name, &p.Description, p.Values, p.Targets}, &read)
		for j := range more {
			more[j].Where = fmt.Sprintf("presets[%d].%s", i, more[j].Where)
		}
		*problems = append(*problems, more...)
		if key := strings.ToLower(read.Name); names[key] {
			problems.Refuse(fmt.Sprintf("presets[%d].name", i), read.Name, "is the name of another preset too",
				"choose a unique name")
		} else {
			names[key] = true
		}
		out = append(out, read)
	}
	slices.Reverse(out) // the newest change comes first when they are listed
	return out
}

func (in importedSetup) funnels(problems *problem.List) []store.Funnel {
	if in.Funnels == nil {
		return nil
	}
	list, more := funnel.Decode(document, in.Funnels)
	for i, p := range more {
		more[i].Where = "funnels" + strings.TrimPrefix(strings.TrimPrefix(p.Where, document), ": ")
	}
	*problems = append(*problems, more...)
	out := make([]store.Funnel, len(list))
	for i, f := range list {
		checkText(fmt.Sprintf("funnels[%d].", i), f.Name, f.Description, problems)
		out[len(list)-1-i] = store.Funnel{Funnel: f}
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
		if p.Where != wholeEvents {
			p.Where = "events." + p.Where
		}
		*problems = append(*problems, p)
	}
	return body
}

func (s *Service) importedTargets(list []json.RawMessage, saved []store.Target, problems *problem.List) []store.Target {
	var out []store.Target
	names := map[string]bool{}
	for i, raw := range list {
		at := fmt.Sprintf("targets[%d]", i)
		var fields map[string]any
		if more := decodeInto(at, raw, &fields); more != nil {
			*problems = append(*problems, more...)
			continue
		}
		if fields == nil {
			problems.Refuse(at, "null", "is not an object", "write {…}")
			continue
		}
		var old *target.Target
		name, _ := fields["name"].(string)
		if n := slices.IndexFunc(saved, func(o store.Target) bool {
			return strings.EqualFold(o.Name, strings.TrimSpace(name))
		}); n >= 0 {
			old = &saved[n].Target
		}
		t, _, err := readTarget(fields, old)
		s.checkFiles(t.Access, func(field string) string { return at + "." + field }, problems)
		var more problem.List
		if errors.As(err, &more) {
			for j := range more {
				more[j].Where = at + "." + more[j].Where
			}
			*problems = append(*problems, more...)
			continue
		}
		if key := strings.ToLower(t.Name); names[key] {
			problems.Refuse(at+".name", t.Name, "is used by another target", "choose a unique name")
		} else {
			names[key] = true
		}
		out = append(out, store.Target{Target: t})
	}
	return out
}

func (in importedSetup) routing(problems *problem.List) store.Routing {
	in.Mode, in.Strategy = cmp.Or(in.Mode, Single), cmp.Or(in.Strategy, target.RoundRobin)
	checkRouting(Routing{in.Mode, in.Strategy}, problems)
	enabled := func(raw json.RawMessage) bool {
		t := struct{ Enabled *bool }{}
		return json.Unmarshal(raw, &t) == nil && (t.Enabled == nil || *t.Enabled)
	}
	if in.Mode == Multi && !slices.ContainsFunc(in.Targets, enabled) {
		problems.Refuse("mode", string(in.Mode), "needs an enabled target", "enable one")
	}
	return store.Routing{Multi: in.Mode == Multi, Strategy: in.Strategy}
}
