package spec

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/caarlos0/env/v11"

	"github.com/puttrix/trafficinator/shared/calendar"
	"github.com/puttrix/trafficinator/shared/problem"
)

// ReadFile reads a file that a knob names.
type ReadFile func(path string) ([]byte, error)

// Parse reads the knobs from environ and reports all problems of single knobs and between knobs at once. An empty
// value means the default; keys that are no knobs are ignored (see Unknown). Secrets given by file are read by read; nil
// reads no file.
func Parse(environ map[string]string, read ReadFile) (Spec, problem.List) {
	if read == nil {
		read = func(string) ([]byte, error) { return nil, fs.ErrNotExist }
	}
	var problems problem.List
	environ = maps.Clone(environ)
	maps.DeleteFunc(environ, func(_, v string) bool { return strings.TrimSpace(v) == "" })
	readSecrets(environ, read, &problems)

	s := Spec{Set: map[string]bool{}}
	byName := map[string]Field{}
	for _, f := range Fields() {
		byName[reflect.TypeFor[Spec]().Field(f.index).Name] = f
		if v, ok := environ[f.Key]; ok {
			s.Set[f.Key] = true
			environ[f.Key] = strings.TrimSpace(v)
			if f.Unit == "s" { // 1s is as good as 1
				environ[f.Key] = strings.TrimSuffix(environ[f.Key], "s")
			}
			if len(f.OneOf) > 0 {
				environ[f.Key] = word(f, environ[f.Key], &problems)
			}
		}
	}
	bad := map[string]bool{}
	for _, err := range flatten(env.ParseWithOptions(&s, env.Options{Environment: environ, FuncMap: parsers})) {
		var parse env.ParseError
		if !errors.As(err, &parse) {
			problems.Refuse("settings", "", err.Error(), "")
			continue
		}
		f := byName[parse.Name]
		bad[f.Key] = true
		if zone, ok := errors.AsType[*calendar.ZoneError](parse.Err); ok {
			problems.Refuse(f.Key, shown(f, environ), "is not a time zone", zone.Cure)
			continue
		}
		problems.Refuse(f.Key, shown(f, environ), "is not a "+string(f.Kind), example(f))
	}
	for _, f := range Fields() {
		if !bad[f.Key] {
			checkBounds(f, reflect.ValueOf(s).Field(f.index), &problems)
		}
	}
	past(environ, &problems)
	s.checkTarget(&problems)
	checkTogether(s, bad, &problems)
	return s, problems
}

// Unknown reports every key that is no knob, with the nearest one, as errors or as warnings.
func Unknown(file string, environ map[string]string, severity problem.Severity) problem.List {
	var problems problem.List
	for _, key := range slices.Sorted(maps.Keys(environ)) {
		if Known(key) {
			continue
		}
		cure := "remove it"
		if n := Nearest(key); n != "" {
			cure = "did you mean " + n + "?"
		}
		problems = append(problems, problem.Problem{Where: file + ": " + key, Message: "is not a known setting", Cure: cure, Severity: severity})
	}
	return problems
}

func readSecrets(environ map[string]string, read ReadFile, problems *problem.List) {
	for _, f := range Fields() {
		path, ok := environ[f.Key+FileSuffix]
		if !f.Secret || !ok {
			continue
		}
		if _, both := environ[f.Key]; both {
			problems.Refuse(f.Key+FileSuffix, "", "is set together with "+f.Key, "keep one of the two")
			continue
		}
		data, err := read(path)
		if err != nil {
			// The path is not shown: it could be the secret itself, put there by mistake.
			problems.Refuse(f.Key+FileSuffix, "", "names a file that cannot be read", "name a file that this user may read")
			continue
		}
		if v := strings.TrimSpace(string(data)); v != "" {
			environ[f.Key] = v
		}
	}
}

func past(environ map[string]string, problems *problem.List) {
	for _, key := range obsolete {
		if v, ok := environ[key]; ok {
			problems.Warn(key, v, "has no effect", "remove it")
		}
	}
}

// word matches a permitted word whatever its case, because the original's LOG_LEVEL did.
func word(f Field, v string, problems *problem.List) string {
	for _, w := range f.OneOf {
		if strings.EqualFold(w, v) {
			return w
		}
	}
	problems.Refuse(f.Key, v, "is not one of "+strings.Join(f.OneOf, ", "), "use "+f.Default)
	return f.Default
}

var parsers = map[reflect.Type]env.ParserFunc{
	reflect.TypeFor[bool]():    func(v string) (any, error) { return parseFlag(v) },
	reflect.TypeFor[float64](): func(v string) (any, error) { return parseNumber(v) },
}

func parseFlag(v string) (bool, error) {
	switch strings.ToLower(v) {
	case "1", "true", "yes", "on", "y", "t":
		return true, nil
	case "0", "false", "no", "off", "n", "f":
		return false, nil
	}
	return false, fmt.Errorf("parse %q: not a yes or no", v)
}

func parseNumber(v string) (float64, error) {
	n, err := strconv.ParseFloat(strings.TrimSpace(v), 64)
	if err == nil && (math.IsNaN(n) || math.IsInf(n, 0)) {
		return 0, fmt.Errorf("parse %q: not a finite number", v)
	}
	return n, err
}

func flatten(err error) []error {
	var all env.AggregateError
	if errors.As(err, &all) {
		return all.Errors
	}
	if err != nil {
		return []error{err}
	}
	return nil
}

func shown(f Field, environ map[string]string) string {
	if f.Secret {
		return ""
	}
	return environ[f.Key]
}

func example(f Field) string {
	if f.Kind == Flag {
		return "use true or false"
	}
	if f.Default == "" {
		return "leave it out or give one"
	}
	return "for example " + f.Default
}
