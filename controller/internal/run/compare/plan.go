package compare

import (
	"maps"
	"slices"

	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/spec"
)

// settings are those that differ, in the order of the spec.
func settings(a, b Run) []Setting {
	out := []Setting{}
	was, is, defaults := spec.Canonical(a.Config), spec.Canonical(b.Config), spec.Canonical(nil)
	given := func(values map[string]string, key string) string { // empty for the default
		if values[key] == defaults[key] {
			return ""
		}
		return values[key]
	}
	for _, f := range spec.Fields() {
		if was[f.Key] != is[f.Key] && f.Role != spec.OfRun { // which differ between any two
			out = append(out, Setting{f.Key, given(was, f.Key), given(is, f.Key)})
		}
	}
	return out
}

// files are those that differ; that of the settings is compared setting by setting.
func files(a, b Run) []File {
	names := map[string]bool{}
	for _, run := range []Run{a, b} {
		for name := range run.Files {
			names[name] = true
		}
	}
	delete(names, exchange.EnvFile)
	out := []File{}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if was, is := a.Files[name], b.Files[name]; was != is {
			out = append(out, File{name, was, is})
		}
	}
	return out
}

// samePlan tells whether visitors do the same in both runs, wherever their hits go and whatever is made of the results.
func samePlan(r Result) bool {
	return !slices.ContainsFunc(r.Settings, func(s Setting) bool { return spec.RoleOf(s.Key) == spec.Behaviour }) &&
		!slices.ContainsFunc(r.Files, func(f File) bool { return f.Name != exchange.TargetsFile })
}
