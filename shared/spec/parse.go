package spec

import (
	"github.com/puttrix/trafficinator/shared/envspec"
	"github.com/puttrix/trafficinator/shared/problem"
)

// ReadFile reads a file that a knob names.
type ReadFile = envspec.ReadFile

// Parse reads the knobs from environ and reports all problems of single knobs and between knobs at once. An empty value
// means the default; keys that are no knobs are ignored (see Unknown). Secrets given by file are read by read; nil
// reads no file.
func Parse(environ map[string]string, read ReadFile) (Spec, problem.List) {
	var problems problem.List
	var s Spec
	p := envspec.Parse(&s, environ, read, &problems)
	s.Set = p.Set
	if s.SendMode == "bulk" && !s.Set["CONCURRENCY"] {
		s.Concurrency = BulkConcurrency
	}
	for _, key := range obsolete {
		if v := envspec.Unquoted(environ, key); v != "" {
			problems.Warn(key, v, "has no effect", "remove it")
		}
	}
	s.checkTarget(&problems)
	checkTogether(s, p.Bad, &problems)
	return s, problems
}
