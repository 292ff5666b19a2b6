package setup

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/puttrix/trafficinator/controller/internal/store"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/problem"
)

// Preset is a set of knobs under a name, with targets where it was saved with them. It holds neither the one target of
// the configuration nor a secret nor the id of a run, so that loading it changes none of them.
type Preset struct {
	ID          int64     `json:"id"`
	Name        string    `json:"name"`
	Description string    `json:"description"`
	Created     time.Time `json:"created_at"`
	Updated     time.Time `json:"updated_at"`
	// Values are the knobs it sets, by env key, typed as in Config.
	Values map[string]any `json:"config"`
	// Targets are nil where loading it changes none.
	Targets *PresetTargets `json:"targets,omitempty"`
	// LeftOut names what it was given and does not hold.
	LeftOut []string `json:"left_out,omitempty"`
}

// PresetInput is what is asked of a preset; nil leaves a field as it is.
type PresetInput struct {
	Name, Description *string
	Values            map[string]any
	// Targets without any remove those that it holds.
	Targets *PresetTargets
}

// Presets are the saved ones, the newest change first.
func (s *Service) Presets(ctx context.Context) ([]Preset, error) {
	saved, err := s.store.Presets(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]Preset, len(saved))
	for i, p := range saved {
		out[i] = shownPreset(p)
	}
	return out, nil
}

// Preset is a saved one, or ErrNotFound.
func (s *Service) Preset(ctx context.Context, id int64) (Preset, error) {
	p, err := s.store.Preset(ctx, id)
	return shownPreset(p), err
}

// CreatePreset saves a new one. The error is ErrNameTaken or a problem.List.
func (s *Service) CreatePreset(ctx context.Context, in PresetInput) (Preset, error) {
	return s.savePreset(ctx, store.Preset{}, in)
}

// UpdatePreset changes one; Values replace all of its knobs. The error is ErrNotFound, ErrNameTaken or a problem.List.
func (s *Service) UpdatePreset(ctx context.Context, id int64, in PresetInput) (Preset, error) {
	p, err := s.store.Preset(ctx, id)
	if err != nil {
		return Preset{}, err
	}
	return s.savePreset(ctx, p, in)
}

// DeletePreset removes one, or says ErrNotFound.
func (s *Service) DeletePreset(ctx context.Context, id int64) error {
	return s.store.DeletePreset(ctx, id)
}

func (s *Service) savePreset(ctx context.Context, p store.Preset, in PresetInput) (Preset, error) {
	left, problems := s.presetFrom(in, &p)
	if err := problems.Err(); err != nil {
		return Preset{}, err
	}
	p, err := s.store.SavePreset(ctx, p)
	out := shownPreset(p)
	out.LeftOut = left
	return out, err
}

// presetFrom makes of p what in asks for; left names the knobs that no preset holds.
func (s *Service) presetFrom(in PresetInput, p *store.Preset) (left []string, problems problem.List) {
	if in.Name != nil {
		p.Name = strings.TrimSpace(*in.Name)
	}
	if in.Description != nil {
		p.Description = *in.Description
	}
	checkNames(p.Name, p.Description, &problems)
	if in.Values != nil {
		var more problem.List
		p.Knobs, more = presetKnobs(in.Values)
		problems, left = append(problems, more...), leftOut(in.Values)
	}
	if in.Targets != nil {
		p.Targets = s.presetTargets(*in.Targets, &problems)
	}
	return left, problems
}

// leftOut names the knobs of values that no preset holds.
func leftOut(values map[string]any) []string {
	var out []string
	for given, v := range values {
		key := strings.ToUpper(given)
		secrets := slices.ContainsFunc(secretFields, func(f secretField) bool { return f.knob == key })
		if set, _ := text(v); set != "" && (isOwn(key) || secrets) {
			out = append(out, key)
		}
	}
	slices.Sort(out)
	return out
}

func checkNames(name, description string, problems *problem.List) {
	checkText("", name, description, problems)
	if n := utf8.RuneCountInString(name); n < 1 || n > maxName {
		problems.Refuse("name", name, "is empty or longer than 100 characters", "choose a shorter name")
	}
	if utf8.RuneCountInString(description) > maxDescription {
		problems.Refuse("description", "", "is longer than 500 characters", "shorten it")
	}
}

// presetKnobs are those of values that a preset may hold, as they are saved.
func presetKnobs(values map[string]any) (map[string]string, problem.List) {
	var problems problem.List
	c := knobs{}.with(values, &problems)
	k := c.normalized().clone()
	maps.DeleteFunc(k.plain, func(key, _ string) bool { return isOwn(key) })
	return k.plain, append(problems, c.problems...)
}

func shownPreset(p store.Preset) Preset {
	return Preset{ID: p.ID, Name: p.Name, Description: p.Description, Created: p.Created, Updated: p.Updated,
		Values: named(p.Knobs), Targets: shownTargets(p.Targets)}
}

// named are the knobs that k names, typed.
func named(k map[string]string) map[string]any {
	all, out := typed(knobs{plain: k}.parse().spec), map[string]any{} // it was in order when it was saved
	for key := range k {
		out[key] = all[key]
	}
	return out
}

// LoadPreset lays a preset over the saved configuration: the id of a saved one, or the name of a built-in one. Knobs
// that it does not name stay as they are, and so do the targets where it holds none. The errors are those of
// SaveConfig, and ErrNotFound.
func (s *Service) LoadPreset(ctx context.Context, preset string, revision int64) (Config, error) {
	return change(ctx, s, func(ctx context.Context) (Config, error) {
		values, targets, err := s.presetParts(ctx, preset)
		if err != nil {
			return Config{}, err
		}
		if targets == nil {
			return s.mergeConfig(ctx, values, revision)
		}
		return s.loadTargets(ctx, *targets, values, revision)
	}, exchange.TargetsFile, exchange.EnvFile)
}

func (s *Service) presetParts(ctx context.Context, preset string) (map[string]any, *PresetTargets, error) {
	if id, err := strconv.ParseInt(preset, 10, 64); err == nil {
		p, err := s.Preset(ctx, id)
		return p.Values, p.Targets, err
	}
	good, faulty, err := s.BuiltInPresets()
	if err != nil {
		return nil, nil, err
	}
	for _, p := range good {
		if p.Name == preset {
			return p.Values, nil, nil
		}
	}
	for _, p := range faulty {
		if p.File == builtInPrefix+preset {
			return nil, nil, p.Errors
		}
	}
	return nil, nil, fmt.Errorf("read built-in preset: %w", ErrNotFound)
}
