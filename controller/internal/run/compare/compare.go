// Package compare compares the settings, files and results of two runs, and distinguishes real differences from random
// ones. It does not read or store runs.
package compare

import (
	"maps"
	"slices"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/record"
	"github.com/puttrix/trafficinator/shared/endreason"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/spec"
)

// Run is a run to compare. Its Summary is nil if it left no ledger.
type Run struct {
	record.Run
	Files  map[string]string // the hashes of the files it was started with, by name
	Length time.Duration     // so far
}

// Unit is the unit of a Row.
type Unit string

// The units.
const (
	Count     Unit = "count"
	Seconds   Unit = "seconds"
	Share     Unit = "share"
	PerSecond Unit = "per_second"
	Money     Unit = "money"
)

// Result is a comparison of the run B with the run A.
type Result struct {
	Same     Same      `json:"same"`
	Settings []Setting `json:"settings" doc:"Those that differ."`
	Files    []File    `json:"files" doc:"Those that differ."`
	Rows     []Row     `json:"rows"`
	Notes    []string  `json:"notes" doc:"Caveats, such as a run that was stopped early."`
}

// Same reports what two runs have in common.
type Same struct {
	Seed   bool `json:"seed"`
	Config bool `json:"config"`
	Files  bool `json:"files"`
}

// Setting is a setting that differs; an empty value is the default.
type Setting struct {
	Key string `json:"key"`
	A   string `json:"a"`
	B   string `json:"b"`
}

// File is a file that differs, by its hash; empty if the run used the built-in content.
type File struct {
	Name string `json:"name"`
	A    string `json:"a"`
	B    string `json:"b"`
}

// Row compares one number.
type Row struct {
	Group string `json:"group" doc:"visits, hits, kind:<kind>, target:<name>, latency, rates, shares, shop, capacity or run."`
	Name  string `json:"name" doc:"Of the number within its group: planned, an outcome or a fate, p50, hit_rate and so on."`
	Unit  Unit   `json:"unit" enum:"count,seconds,share,per_second,money"`
	// A and B are nil if a run has no such number.
	A *float64 `json:"a"`
	B *float64 `json:"b"`
	// Difference is B - A, and Share is Difference / A; nil if unknown.
	Difference *float64 `json:"difference"`
	Share      *float64 `json:"share"`
	// BeyondNoise reports whether the difference is more than random; Why is the reason, empty without a difference.
	BeyondNoise bool   `json:"beyond_noise"`
	Why         string `json:"why"`
}

// Runs compares b with a.
func Runs(a, b Run) Result {
	r := Result{Settings: settings(a, b), Files: files(a, b), Rows: []Row{}, Notes: []string{}}
	r.Same = Same{a.Seed == b.Seed, len(r.Settings) == 0, len(r.Files) == 0}
	for _, run := range []Run{a, b} {
		if run.Summary == nil {
			r.Notes = append(r.Notes, run.ID+" has no run summary, so there is nothing to compare")
		}
	}
	if len(r.Notes) > 0 {
		return r
	}
	c := comparison{a: a, b: b, samePlan: r.Same.Seed && samePlan(r)}
	for _, run := range []Run{a, b} {
		if how := cutShort(run); how != "" {
			c.incomplete = append(c.incomplete, run.ID+" "+how+" after "+run.Length.Round(time.Second).String())
		}
		if run.Steered {
			c.incomplete = append(c.incomplete, run.ID+" was paused, or its rate was changed")
		}
	}
	r.Notes = append(r.Notes, c.incomplete...)
	if r.Same.Seed && !samePlan(r) {
		r.Notes = append(r.Notes,
			"the seed is the same, but settings or files differ, so visitors behave differently")
	}
	r.Rows = c.rows()
	return r
}

// cutShort describes how a run ended before it had sent its entire plan; empty if it sent it.
func cutShort(r Run) string {
	if r.Open() {
		return "is in progress"
	}
	return endreason.Reason(r.Reason).EarlyEnd()
}

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
