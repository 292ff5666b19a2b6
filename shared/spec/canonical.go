package spec

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/secret"
)

// Canonical is what all knobs of an environment are understood as, by key, each value written in one way: 1.0 is 1, YES
// is true, and one that is not set has its default, empty where it has none. Two environments ask for the same where
// these are equal. A value that is refused stays as it was written; secrets come in clear.
func Canonical(environ map[string]string) map[string]string {
	s, problems := Parse(environ, nil)
	out := map[string]string{}
	for _, f := range Fields() {
		out[f.Key] = written(f.Value(s))
	}
	for _, p := range problem.List(problems.Errors()) {
		if v := environ[p.Where]; v != "" {
			out[p.Where] = v
		}
	}
	return out
}

// written is a value of a knob as an environment holds it.
func written(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case []float64:
		parts := make([]string, len(v))
		for i, n := range v {
			parts[i] = written(n)
		}
		return strings.Join(parts, ",")
	case secret.String:
		return v.Reveal()
	default:
		return fmt.Sprint(v)
	}
}
