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

// BuiltInPreset is a preset of the presets' folder.
type BuiltInPreset struct {
	Name        string         `json:"name"`
	Description string         `json:"description"`
	Values      map[string]any `json:"config"`
}

// InvalidPreset is a file of the presets' folder that cannot be used.
type InvalidPreset struct {
	// File is its name in the folder.
	File   string
	Errors problem.List
}

const builtInPrefix = ".env."

// BuiltInPreset are the presets of the folder by name, and the files there that have faults; none where the folder is
// missing. Names of the stack and knobs that a preset does not hold are ignored, because people use such a file as
// their .env.
func (s *Service) BuiltInPresets() ([]BuiltInPreset, []InvalidPreset, error) {
	files, err := s.presetFiles()
	if err != nil {
		return nil, nil, err
	}
	good, faulty := []BuiltInPreset{}, []InvalidPreset{}
	for _, f := range files {
		p, problems := f.preset()
		if problems.Err() != nil {
			faulty = append(faulty, InvalidPreset{builtInPrefix + f.name, problems.Errors()})
			continue
		}
		good = append(good, p)
	}
	return good, faulty, nil
}

// PresetsWithTokens names the files of the presets' folder that hold a token. Presets are made to be shared, and whoever
// reads the file has the token.
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

// presetFile is a file of the presets' folder.
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
				"let the controller's user read it, or remove it")
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
		if elsewhere(key) == "" && !isOwn(strings.TrimSuffix(key, spec.FileSuffix)) && !spec.IsStackSetting(key) {
			values[key] = v
		}
	}
	k, problems := presetKnobs(values)
	return BuiltInPreset{Name: f.name, Description: f.description, Values: named(k)}, append(f.problems, problems...)
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
