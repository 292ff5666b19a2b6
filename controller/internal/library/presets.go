package library

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/controller/internal/store"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/secret"
	"github.com/puttrix/trafficinator/shared/spec"
)

// Preset is a set of knobs under a name. It holds neither target, site and token nor the id of a run, so that loading
// it changes none of them.
type Preset struct {
	ID          int64     `json:"id"`
	Name        string    `json:"name"`
	Description string    `json:"description"`
	Created     time.Time `json:"created_at"`
	Updated     time.Time `json:"updated_at"`
	// Values are the knobs it sets, by env key, typed as in Config.
	Values map[string]any `json:"config"`
}

// BuiltIn is a preset that comes with the program.
type BuiltIn struct {
	Name        string         `json:"name"`
	Description string         `json:"description"`
	Values      map[string]any `json:"config"`
}

// PresetInput is what is asked of a preset; nil leaves a field as it is.
type PresetInput struct {
	Name, Description *string
	Values            map[string]any
}

// Presets are the saved ones, the newest change first.
func (l *Library) Presets(ctx context.Context) ([]Preset, error) {
	saved, err := l.store.Presets(ctx)
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
func (l *Library) Preset(ctx context.Context, id int64) (Preset, error) {
	p, err := l.store.Preset(ctx, id)
	return shownPreset(p), err
}

// CreatePreset saves a new one. The error is ErrNameTaken or a problem.List.
func (l *Library) CreatePreset(ctx context.Context, in PresetInput) (Preset, error) {
	return l.savePreset(ctx, store.Preset{}, in)
}

// UpdatePreset changes one; Values replace all of its knobs. The error is ErrNotFound, ErrNameTaken or a problem.List.
func (l *Library) UpdatePreset(ctx context.Context, id int64, in PresetInput) (Preset, error) {
	p, err := l.store.Preset(ctx, id)
	if err != nil {
		return Preset{}, err
	}
	return l.savePreset(ctx, p, in)
}

// DeletePreset removes one, or says ErrNotFound.
func (l *Library) DeletePreset(ctx context.Context, id int64) error {
	return l.store.DeletePreset(ctx, id)
}

func (l *Library) savePreset(ctx context.Context, p store.Preset, in PresetInput) (Preset, error) {
	if err := in.onto(&p).Err(); err != nil {
		return Preset{}, err
	}
	p, err := l.store.SavePreset(ctx, p)
	return shownPreset(p), err
}

func (in PresetInput) onto(p *store.Preset) problem.List {
	var problems problem.List
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
		problems = append(problems, more...)
	}
	return problems
}

func checkNames(name, description string, problems *problem.List) {
	if n := utf8.RuneCountInString(name); n < 1 || n > maxName {
		problems.Refuse("name", name, "is empty or longer than 100 characters", "give a short name")
	}
	if utf8.RuneCountInString(description) > maxDescription {
		problems.Refuse("description", "", "is longer than 500 characters", "shorten it")
	}
}

// presetKnobs are those of values that a preset may hold, as they are saved.
func presetKnobs(values map[string]any) (map[string]string, problem.List) {
	var problems problem.List
	k := knobs{map[string]string{}, map[string]secret.String{}}
	k.put(values, &problems)
	s, more := k.check()
	k.settle(s)
	for key := range own {
		delete(k.plain, key)
	}
	return k.plain, append(problems, more...)
}

func shownPreset(p store.Preset) Preset {
	return Preset{ID: p.ID, Name: p.Name, Description: p.Description, Created: p.Created, Updated: p.Updated, Values: named(p.Knobs)}
}

// named are the knobs that k names, typed.
func named(k map[string]string) map[string]any {
	s, _ := knobs{plain: k}.check() // it was in order when it was saved
	all, out := typed(s), map[string]any{}
	for key := range k {
		out[key] = all[key]
	}
	return out
}

const builtInPrefix = ".env."

// BuiltIn are the presets of the folder by name; none where the folder is missing. A file with faults is refused by
// name, because it came with the program.
func (l *Library) BuiltIn() ([]BuiltIn, error) {
	files, err := l.presetFiles()
	if err != nil {
		return nil, err
	}
	out := make([]BuiltIn, len(files))
	for i, f := range files {
		if out[i], err = f.preset(); err != nil {
			return nil, fmt.Errorf("read built-in preset %s: %w", f.name, err)
		}
	}
	return out, nil
}

// PresetSecrets names the files of the presets' folder that hold a token. Presets are made to be shared, and whoever reads
// the file has the token.
func (l *Library) PresetSecrets() ([]string, error) {
	files, err := l.presetFiles()
	if err != nil {
		return nil, err
	}
	var out []string
	for _, f := range files {
		if slices.ContainsFunc(spec.Fields(), func(k spec.Field) bool { return k.Secret && f.environ[k.Key] != "" }) {
			out = append(out, filepath.Join(l.presets, builtInPrefix+f.name))
		}
	}
	return out, nil
}

// presetFile is a file of the presets' folder.
type presetFile struct {
	name, description string
	environ           map[string]string
	problems          problem.List
}

func (l *Library) presetFiles() ([]presetFile, error) {
	files, err := afero.ReadDir(l.fs, l.presets)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list built-in presets: %w", err)
	}
	var out []presetFile
	for _, f := range files {
		name, ok := strings.CutPrefix(f.Name(), builtInPrefix)
		if !ok || f.IsDir() {
			continue
		}
		data, err := exchange.Read(l.fs, filepath.Join(l.presets, f.Name()))
		if err != nil {
			return nil, fmt.Errorf("read built-in preset %s: %w", name, err)
		}
		file := presetFile{name: name, description: firstComment(data, name)}
		file.environ, file.problems = exchange.ParseEnv(f.Name(), data)
		out = append(out, file)
	}
	return out, nil
}

func (f presetFile) preset() (BuiltIn, error) {
	values := map[string]any{}
	for key, v := range f.environ {
		if elsewhere[key] == "" && !own[key] {
			values[key] = v
		}
	}
	k, more := presetKnobs(values)
	return BuiltIn{Name: f.name, Description: f.description, Values: named(k)}, append(f.problems, more...).Err()
}

// firstComment is the first line of a file without its `# name: `.
func firstComment(data []byte, name string) string {
	line, _, _ := strings.Cut(string(data), "\n")
	comment, ok := strings.CutPrefix(strings.TrimSpace(line), "#")
	if !ok {
		return ""
	}
	return strings.TrimPrefix(strings.TrimSpace(comment), name+": ")
}

// LoadPreset lays a preset over the saved configuration: the id of a saved one, or the name of a built-in one. Knobs
// that it does not name stay as they are. The errors are those of SaveConfig, and ErrNotFound.
func (l *Library) LoadPreset(ctx context.Context, preset string, revision int64) (Config, error) {
	values, err := l.presetValues(ctx, preset)
	if err != nil {
		return Config{}, err
	}
	return l.MergeConfig(ctx, values, revision)
}

func (l *Library) presetValues(ctx context.Context, preset string) (map[string]any, error) {
	if id, err := strconv.ParseInt(preset, 10, 64); err == nil {
		p, err := l.Preset(ctx, id)
		return p.Values, err
	}
	all, err := l.BuiltIn()
	if err != nil {
		return nil, err
	}
	for _, p := range all {
		if p.Name == preset {
			return p.Values, nil
		}
	}
	return nil, fmt.Errorf("read built-in preset: %w", ErrNotFound)
}
