package settings

import (
	"maps"
	"slices"

	"github.com/puttrix/trafficinator/shared/envspec"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/spec"
)

// FileSuffix is appended to a secret's key to name the file that holds its value.
const FileSuffix = envspec.FileSuffix

// Fields are all settings in the order of their declaration.
func Fields() []envspec.Field { return envspec.Fields[Settings]() }

// Parse reads the settings from environ and reports all problems at once. An empty value means the default; keys that
// are no settings are ignored, because the environment of a process is full of them. Secrets given by file are read by
// read.
func Parse(environ map[string]string, read envspec.ReadFile) (Settings, problem.List) {
	var problems problem.List
	var s Settings
	envspec.Parse(&s, environ, read, &problems)
	if key := "CONTROL_UI_API_KEY"; envspec.Unquoted(environ, key+FileSuffix) != "" && s.APIKey == "" &&
		problems.Err() == nil {
		problems.Refuse(key+FileSuffix, "", "names an empty file", "write the secret into it, or unset the setting")
	}
	for _, key := range slices.Sorted(maps.Keys(environ)) {
		if spec.IsObsolete(key) && environ[key] != "" {
			problems.Warn(key, environ[key], "has no effect",
				"remove it; docs/from-the-original.md says what takes its place")
		}
	}
	s.check(&problems)
	s.derive()
	return s, problems
}
