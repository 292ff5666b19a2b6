package compare

import (
	"maps"
	"slices"

	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/spec"
)

// settings returns the settings that differ, in the order of the spec.
func settings(a, b Run) []Setting {
	out := []Setting{}
	was, is, defaults := spec.Canonical(a.Config), spec.Canonical(b.Config), spec.Canonical(nil)
	for _, values := range []map[string]string{was, is} {
		maps.DeleteFunc(values, func(key, v string) bool { return v == defaults[key] })
	}
	for _, f := range spec.Fields() {
		if was[f.Key] != is[f.Key] && f.Role != spec.OfRun { // which differ between any two runs
			out = append(out, Setting{f.Key, was[f.Key], is[f.Key]})
		}
	}
	return out
}

// files returns the files that differ, except that of the settings.
func files(a, b Run) []File {
	out := []File{}
	for _, name := range sortedKeys(a.Files, b.Files) {
		if was, is := a.Files[name], b.Files[name]; was != is && name != exchange.EnvFile {
			out = append(out, File{name, was, is})
		}
	}
	return out
}

// samePlan reports whether visitors do the same in both runs, regardless of targets, limits and thresholds.
func samePlan(r Result) bool {
	return !slices.ContainsFunc(r.Settings, func(s Setting) bool { return spec.RoleOf(s.Key) == spec.Behaviour }) &&
		!slices.ContainsFunc(r.Files, func(f File) bool { return f.Name != exchange.TargetsFile })
}

// sortedKeys returns the keys of two maps in order.
func sortedKeys[V any](a, b map[string]V) []string {
	keys := slices.AppendSeq(slices.Collect(maps.Keys(a)), maps.Keys(b))
	slices.Sort(keys)
	return slices.Compact(keys)
}
