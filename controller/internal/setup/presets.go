package setup

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/puttrix/trafficinator/controller/internal/stored"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/spec"
	"github.com/spf13/afero"
)

// Preset is a named set of settings, with targets if it was saved with them. It contains neither the single target of
// the configuration nor secrets nor a run ID, so that loading it changes none of them.
type Preset struct {
	stored.Preset
	// Values are its settings by env key, typed as in Config.
	Values map[string]any `json:"config"`
	// LeftOut names the submitted settings that presets do not contain.
	LeftOut []string `json:"left_out,omitempty"`
}

// PresetInput are the requested fields of a preset; nil leaves a field unchanged.
type PresetInput struct {
	Name        *string               `json:"name,omitempty" minLength:"1" maxLength:"100" doc:"Unique name."`
	Description *string               `json:"description,omitempty" maxLength:"500" doc:"Free text."`
	Values      map[string]any        `json:"config,omitempty" doc:"Settings by name. Those of the single target (URL, site, token, access) are left out and listed in left_out: loading a preset never changes them."`
	Targets     *stored.PresetTargets `json:"targets,omitempty" doc:"Targets, without secrets, and their routing. Loading the preset replaces targets of the same name, which keep their secrets if their addresses are the same, and disables the others; warnings name targets without a token. An empty list removes the targets from the preset."`
}

func newPreset(p stored.Preset) Preset { return Preset{Preset: p, Values: typedOnly(p.Settings)} }

// Presets returns the saved presets, the last changed first.
func (s *Service) Presets(ctx context.Context) ([]Preset, error) {
	saved, err := s.store.Presets(ctx)
	out := make([]Preset, len(saved))
	for i, p := range saved {
		out[i] = newPreset(p)
	}
	return out, err
}

// Preset returns a saved preset, or ErrNotFound.
func (s *Service) Preset(ctx context.Context, id int64) (Preset, error) {
	p, err := s.store.Preset(ctx, id)
	return newPreset(p), err
}

// CreatePreset saves a new preset. The error is ErrNameTaken or a problem.List.
func (s *Service) CreatePreset(ctx context.Context, in PresetInput) (Preset, error) {
	return s.savePreset(ctx, stored.Preset{}, in)
}

// UpdatePreset changes a preset; Values replace all of its settings. The error is ErrNotFound, ErrNameTaken or a
// problem.List.
func (s *Service) UpdatePreset(ctx context.Context, id int64, in PresetInput) (Preset, error) {
	p, err := s.store.Preset(ctx, id)
	if err != nil {
		return Preset{}, err
	}
	return s.savePreset(ctx, p, in)
}

// DeletePreset deletes a preset, or returns ErrNotFound.
func (s *Service) DeletePreset(ctx context.Context, id int64) error {
	return s.store.DeletePreset(ctx, id)
}

func (s *Service) savePreset(ctx context.Context, p stored.Preset, in PresetInput) (Preset, error) {
	leftOut, problems := s.applyPreset(in, &p)
	if err := problems.Err(); err != nil {
		return Preset{}, err
	}
	p, err := s.store.SavePreset(ctx, p)
	out := newPreset(p)
	out.LeftOut = leftOut
	return out, err
}

// applyPreset applies in to p and names the submitted settings that presets do not contain.
func (s *Service) applyPreset(in PresetInput, p *stored.Preset) (leftOut []string, problems problem.List) {
	if in.Name != nil {
		p.Name = strings.TrimSpace(*in.Name)
	}
	if in.Description != nil {
		p.Description = *in.Description
	}
	checkText("", p.Name, p.Description, &problems)
	if n := utf8.RuneCountInString(p.Name); n < 1 || n > maxName {
		problems.Refuse("name", p.Name, "is empty or longer than 100 characters", "choose a shorter name")
	}
	if utf8.RuneCountInString(p.Description) > maxDescription {
		problems.Refuse("description", "", "is longer than 500 characters", "shorten it")
	}
	if in.Values != nil {
		var more problem.List
		p.Settings, more = presetSettings(in.Values)
		problems, leftOut = append(problems, more...), notInPresets(in.Values)
	}
	if in.Targets != nil {
		p.Targets = s.presetTargets(*in.Targets, &problems)
	}
	return leftOut, problems
}

// notInPresets names the non-empty settings of values that presets do not contain.
func notInPresets(values map[string]any) []string {
	var out []string
	for given, v := range values {
		key := strings.ToUpper(given)
		isSecret := slices.ContainsFunc(secretFields, func(f secretField) bool { return f.key == key })
		if set, _ := text(v); set != "" && (isOwn(key) || isSecret) {
			out = append(out, key)
		}
	}
	slices.Sort(out)
	return out
}

// presetSettings returns those of values that a preset may contain, as they are saved.
func presetSettings(values map[string]any) (map[string]string, problem.List) {
	var problems problem.List
	c := settings{}.with(values, &problems)
	v := c.normalized().clone()
	maps.DeleteFunc(v.plain, func(key, _ string) bool { return isOwn(key) })
	return v.plain, append(problems, c.problems...)
}

// typedOnly returns the given settings, typed.
func typedOnly(plain map[string]string) map[string]any {
	all, out := typed(settings{plain: plain}.parse().spec), map[string]any{} // validated when they were saved
	for key := range plain {
		out[key] = all[key]
	}
	return out
}

// presetTargets returns t as a preset contains it, nil if there are no targets.
func (s *Service) presetTargets(t stored.PresetTargets, problems *problem.List) *stored.PresetTargets {
	if len(t.Targets) == 0 {
		return nil
	}
	t.Routing = checkedRouting(t.Routing, problems, slices.ContainsFunc(t.Targets, isEnabled))
	read := s.readTargets(rawTargets(t.Targets), nil, problems)
	t.Targets = make([]stored.PublicTarget, len(read))
	for i, r := range read {
		t.Targets[i] = stored.Public(r.Target)
	}
	return &t
}

// LoadPreset applies a preset to the saved configuration: the ID of a saved one, or the name of a built-in one.
// Settings that it does not contain stay, and so do the targets if it has none. The errors are those of SaveConfig, and
// ErrNotFound.
func (s *Service) LoadPreset(ctx context.Context, preset string, revision int64) (Config, error) {
	return change(ctx, s, func(ctx context.Context) (Config, error) {
		values, targets, err := s.findPreset(ctx, preset)
		if err != nil {
			return Config{}, err
		}
		if targets == nil {
			return s.mergeConfig(ctx, values, revision)
		}
		return s.loadTargets(ctx, *targets, values, revision)
	}, exchange.TargetsFile, exchange.EnvFile)
}

func (s *Service) findPreset(ctx context.Context, preset string) (map[string]any, *stored.PresetTargets, error) {
	if id, err := strconv.ParseInt(preset, 10, 64); err == nil {
		p, err := s.Preset(ctx, id)
		return p.Values, p.Targets, err
	}
	files, err := s.presetFiles()
	if err != nil {
		return nil, nil, err
	}
	for _, f := range files {
		if f.name == preset {
			p, problems := f.preset()
			return p.Values, nil, problems.Err()
		}
	}
	return nil, nil, fmt.Errorf("read built-in preset: %w", ErrNotFound)
}

// loadTargets saves the settings of a preset and makes its targets the enabled ones: one of the same name is replaced
// and keeps its secrets if its addresses are unchanged, the others are disabled. Warnings name targets without a token.
func (s *Service) loadTargets(ctx context.Context, t stored.PresetTargets, values map[string]any,
	revision int64) (Config, error) {
	saved, err := s.store.Targets(ctx)
	if err != nil {
		return Config{}, err
	}
	var problems problem.List
	routing := checkedRouting(t.Routing, &problems, slices.ContainsFunc(t.Targets, isEnabled))
	read := s.readTargets(rawTargets(t.Targets), saved, &problems)
	if err := problems.Err(); err != nil {
		return Config{}, err
	}
	for _, r := range read {
		if r.Enabled && r.Token == "" {
			problems.Warn("targets", r.Name, "has no token saved for its address",
				"enter it on the targets page, unless the target needs none")
		}
	}
	c, err := s.mergeConfig(ctx, values, revision)
	if err != nil {
		return Config{}, err
	}
	c.Warnings = append(problems, c.Warnings...)
	return c, s.store.SaveTargets(ctx, disableOthers(read, saved), routing)
}

func isEnabled(t stored.PublicTarget) bool { return t.Enabled }

// rawTargets encodes targets for readTargets.
func rawTargets(list []stored.PublicTarget) []json.RawMessage {
	out := make([]json.RawMessage, len(list))
	for i, t := range list {
		out[i], _ = json.Marshal(t) // plain fields can always be encoded
	}
	return out
}

// lower returns a name as it is compared.
func lower(name string) string { return strings.ToLower(strings.TrimSpace(name)) }

// BuiltInPreset is a preset of the presets folder.
type BuiltInPreset struct {
	Name        string         `json:"name"`
	Description string         `json:"description"`
	Values      map[string]any `json:"config"`
}

// InvalidPreset is a file of the presets folder that cannot be used.
type InvalidPreset struct {
	// File is its name in the folder.
	File   string
	Errors problem.List
}

const builtInPrefix = ".env."

// BuiltInPresets returns the valid presets of the folder by name, and its invalid files; none if the folder is missing.
// Settings of the stack, and those that presets do not contain, are ignored: such a file may be a user's .env.
func (s *Service) BuiltInPresets() ([]BuiltInPreset, []InvalidPreset, error) {
	files, err := s.presetFiles()
	if err != nil {
		return nil, nil, err
	}
	valid, invalid := []BuiltInPreset{}, []InvalidPreset{}
	for _, f := range files {
		p, problems := f.preset()
		if problems.Err() != nil {
			invalid = append(invalid, InvalidPreset{builtInPrefix + f.name, problems.Errors()})
			continue
		}
		valid = append(valid, p)
	}
	return valid, invalid, nil
}

// PresetsWithTokens returns the files of the presets folder that contain a token. Presets are meant to be shared, and
// whoever reads the file has the token.
func (s *Service) PresetsWithTokens() ([]string, error) {
	files, err := s.presetFiles()
	if err != nil {
		return nil, err
	}
	var out []string
	for _, f := range files {
		if slices.ContainsFunc(spec.Fields(), func(k spec.Field) bool { return k.Secret && f.environ[k.Key] != "" }) {
			out = append(out, filepath.Join(s.presets, builtInPrefix+f.name))
		}
	}
	return out, nil
}

// presetFile is a file of the presets folder.
type presetFile struct {
	name, description string
	environ           map[string]string
	problems          problem.List
}

func (s *Service) presetFiles() ([]presetFile, error) {
	files, err := afero.ReadDir(s.fs, s.presets)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list built-in presets: %w", err)
	}
	var out []presetFile
	for _, f := range files {
		name, ok := strings.CutPrefix(f.Name(), builtInPrefix)
		if !ok || f.IsDir() {
			continue
		}
		file := presetFile{name: name}
		data, err := exchange.Read(s.fs, filepath.Join(s.presets, f.Name()))
		if err != nil {
			file.problems.Refuse(f.Name(), "", "cannot be read: "+err.Error(),
				"make it readable by the controller's user, or remove it")
		} else {
			file.description = firstComment(data, name)
			file.environ, file.problems = exchange.ParseEnv(f.Name(), data)
		}
		out = append(out, file)
	}
	return out, nil
}

func (f presetFile) preset() (BuiltInPreset, problem.List) {
	values := map[string]any{}
	for key, v := range f.environ {
		if !isElsewhere(key) && !isOwn(strings.TrimSuffix(key, spec.FileSuffix)) && !spec.IsStackSetting(key) {
			values[key] = v
		}
	}
	plain, problems := presetSettings(values)
	return BuiltInPreset{f.name, f.description, typedOnly(plain)}, append(f.problems, problems...)
}

// firstComment returns the first line of a file without its `# name: `.
func firstComment(data []byte, name string) string {
	line, _, _ := strings.Cut(string(data), "\n")
	comment, ok := strings.CutPrefix(strings.TrimSpace(line), "#")
	if !ok {
		return ""
	}
	return strings.TrimPrefix(strings.TrimSpace(comment), name+": ")
}
