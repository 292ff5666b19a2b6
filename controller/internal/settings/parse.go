package settings

import (
	"errors"
	"maps"
	"reflect"
	"strconv"
	"strings"

	"github.com/caarlos0/env/v11"

	"github.com/puttrix/trafficinator/shared/problem"
)

// FileSuffix is appended to a secret's key to name the file that holds its value.
const FileSuffix = "_FILE"

// ReadFile reads a file that a setting names.
type ReadFile func(path string) ([]byte, error)

// Field describes one setting for tables and checks.
type Field struct {
	// Key is the env name.
	Key, Default, Help, Unit string
	// Min and Max are inclusive bounds as written in the declaration; empty means unbounded.
	Min, Max string
	// OneOf lists the permitted words, none where any is.
	OneOf []string
	// Secret values never leave the process; they may be given by file as Key + "_FILE".
	Secret bool
	name   string
}

// Fields are all settings in the order of their declaration.
func Fields() []Field {
	t := reflect.TypeFor[Settings]()
	out := make([]Field, 0, t.NumField())
	for i := range t.NumField() {
		tag := t.Field(i).Tag
		f := Field{
			Key: tag.Get("env"), Default: tag.Get("envDefault"), Help: tag.Get("help"), Unit: tag.Get("unit"),
			Min: tag.Get("min"), Max: tag.Get("max"), Secret: tag.Get("secret") == "true", name: t.Field(i).Name,
		}
		if words := tag.Get("oneof"); words != "" {
			f.OneOf = strings.Split(words, ",")
		}
		out = append(out, f)
	}
	return out
}

// Parse reads the settings from environ and reports all problems at once. An empty value means the default; keys that
// are no settings are ignored, because the environment of a process is full of them. Secrets given by file are read by
// read.
func Parse(environ map[string]string, read ReadFile) (Settings, problem.List) {
	var problems problem.List
	environ = maps.Clone(environ)
	for k, v := range environ {
		if environ[k] = strings.TrimSpace(v); environ[k] == "" {
			delete(environ, k)
		}
	}
	byName := map[string]Field{}
	for _, f := range Fields() {
		byName[f.name] = f
		if f.Secret {
			readSecret(f, environ, read, &problems)
		}
		if v, ok := environ[f.Key]; ok && len(f.OneOf) > 0 {
			environ[f.Key] = word(f, v, &problems)
		}
	}
	var s Settings
	for _, err := range flatten(env.ParseWithOptions(&s, env.Options{Environment: environ})) {
		var parse env.ParseError
		if !errors.As(err, &parse) {
			problems.Refuse("settings", "", err.Error(), "")
			continue
		}
		// Every kind but text and lists of texts is a whole number here.
		f := byName[parse.Name]
		problems.Refuse(f.Key, environ[f.Key], "is not a whole number", "for example "+f.Default)
		delete(environ, f.Key)
	}
	checkBounds(s, environ, &problems)
	s.check(&problems)
	s.derive()
	return s, problems
}

func readSecret(f Field, environ map[string]string, read ReadFile, problems *problem.List) {
	path, ok := environ[f.Key+FileSuffix]
	if !ok {
		return
	}
	if _, both := environ[f.Key]; both {
		problems.Refuse(f.Key+FileSuffix, "", "is set together with "+f.Key, "keep one of the two")
		return
	}
	data, err := read(path)
	switch v := strings.TrimSpace(string(data)); {
	case err != nil:
		// The path is not shown: it could be the secret itself, put there by mistake.
		problems.Refuse(f.Key+FileSuffix, "", "names a file that cannot be read", "name a file that this user may read")
	case v == "":
		problems.Refuse(f.Key+FileSuffix, "", "names an empty file", "write the secret into it, or unset the setting")
	default:
		environ[f.Key] = v
	}
}

func word(f Field, v string, problems *problem.List) string {
	for _, w := range f.OneOf {
		if strings.EqualFold(w, v) {
			return w
		}
	}
	problems.Refuse(f.Key, v, "is not one of "+strings.Join(f.OneOf, ", "), "use "+f.Default)
	return f.Default
}

func checkBounds(s Settings, environ map[string]string, problems *problem.List) {
	for _, f := range Fields() {
		v := reflect.ValueOf(s).FieldByName(f.name)
		if _, set := environ[f.Key]; !set || !v.CanInt() {
			continue
		}
		if lo, err := strconv.ParseInt(f.Min, 10, 64); err == nil && v.Int() < lo {
			problems.Refuse(f.Key, environ[f.Key], "is below "+f.Min, "use at least "+f.Min)
		}
		if hi, err := strconv.ParseInt(f.Max, 10, 64); err == nil && v.Int() > hi {
			problems.Refuse(f.Key, environ[f.Key], "is above "+f.Max, "use at most "+f.Max)
		}
	}
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
