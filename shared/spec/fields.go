package spec

import (
	"cmp"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/puttrix/trafficinator/shared/runsummary"

	"github.com/puttrix/trafficinator/shared/envspec"
	"github.com/puttrix/trafficinator/shared/problem"
)

// Field describes one knob for forms, tables and checks.
type Field = envspec.Field

// The kinds of a knob's value.
const (
	Text    = envspec.Text
	Integer = envspec.Integer
	Number  = envspec.Number
	Bool    = envspec.Bool
	List    = envspec.List
)

// FileSuffix is appended to a secret's key to name the file that holds its value.
const FileSuffix = envspec.FileSuffix

// fields are all knobs in the order of their declaration.
var fields = envspec.Fields[Spec]()

// Fields are all knobs in the order of their declaration.
func Fields() []Field { return slices.Clone(fields) }

// Kind is the kind of run that the settings ask for, one of package record.
func (s *Spec) Kind() string {
	values := reflect.ValueOf(*s)
	return runsummary.KindOf(func(setting string) bool {
		for i := range values.NumField() {
			if values.Type().Field(i).Tag.Get("env") == setting {
				return values.Field(i).Bool()
			}
		}
		return false
	})
}

// names are all that a file of settings may hold: knobs, the file forms of secrets, and the names of the stack.
func names() []string {
	out := slices.Clone(stack)
	for _, f := range Fields() {
		out = append(out, f.Key)
		if f.Secret {
			out = append(out, f.Key+FileSuffix)
		}
	}
	return out
}

// IsKnown tells whether key is a knob, the file form of a secret, a name of the stack, or a key of the original that is
// dealt with.
func IsKnown(key string) bool { return IsObsolete(key) || slices.Contains(names(), key) }

// Nearest is the knob or the name of the stack that was probably meant by key: one that is a letter or two off, one of
// which key is the beginning, or the closest by edit distance; "" where none is near.
func Nearest(key string) string {
	all, most := names(), len(key)/2
	return cmp.Or(envspec.Nearest(key, all, min(most, 2)), longer(key, all), envspec.Nearest(key, all, most))
}

// longer is the first of names that goes on where key ends, as MATOMO_TOKEN_AUTH does after MATOMO_TOKEN, or "".
func longer(key string, names []string) string {
	at := slices.IndexFunc(names, func(n string) bool { return strings.HasPrefix(n, strings.ToUpper(key)+"_") })
	if at < 0 {
		return ""
	}
	return names[at]
}

// Unknown reports every key that is no knob, with the nearest one, as errors or as warnings.
func Unknown(file string, environ map[string]string, severity problem.Severity) problem.List {
	var problems problem.List
	for _, key := range slices.Sorted(maps.Keys(environ)) {
		if !IsKnown(key) {
			problems = append(problems, problem.Problem{
				Where: file + ": " + key, Message: "is not a known setting", Cure: meant(Nearest(key)),
				Severity: severity,
			})
		}
	}
	return problems
}

func meant(name string) string {
	if name == "" {
		return "remove it"
	}
	return "did you mean " + name + "?"
}

// ownPrefixes begin the names of knobs and, as far as is known, nothing else that an environment holds.
var ownPrefixes = []string{
	"BACKFILL_", "CAPACITY_", "CLICK_EVENTS_", "CONTROL_UI_", "DOWNLOADS_", "ECOMMERCE_", "OUTLINKS_", "PAGEVIEWS_",
	"PAUSE_BETWEEN_", "RANDOM_EVENTS_", "SITESEARCH_", "VISIT_DURATION_",
}

// Misspelt warns of the names in the environment of a process that were probably meant as one of ours: an environment
// is full of other names, so that one must be no more than two letters off, begin as only ours do, or be the beginning
// of one.
func Misspelt(environ map[string]string) problem.List {
	var problems problem.List
	all := names()
	for _, key := range slices.Sorted(maps.Keys(environ)) {
		// Compose alone reads TRAFFICINATOR_…, and proxies are written in lower case too.
		if environ[key] == "" || IsKnown(key) || strings.HasPrefix(key, "TRAFFICINATOR_") ||
			strings.HasSuffix(key, "_proxy") {
			continue
		}
		most := 2
		if len(key) < 9 { // such as LOG_FILE, one letter from a name that somebody else may use
			most = 1
		}
		name := envspec.Nearest(key, all, most)
		if name == "" && slices.ContainsFunc(ownPrefixes, func(p string) bool { return strings.HasPrefix(key, p) }) {
			name = Nearest(key)
		} else if name == "" {
			if name = longer(key, all); name == "" || !strings.Contains(key, "_") {
				continue
			}
		}
		problems.Warn(key, "", "is not a known setting and has no effect", meant(name))
	}
	return problems
}
