package setup

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/spec"
)

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
// Names of the stack and settings that presets do not hold are ignored, because users use such a file as their .env.
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
	return BuiltInPreset{
			Name:        f.name,
			Description: f.description,
			Values:      typedOnly(plain),
		}, append(
			f.problems,
			problems...)
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
