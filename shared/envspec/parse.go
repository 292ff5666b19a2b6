package envspec

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"reflect"
	"strconv"
	"strings"

	"github.com/caarlos0/env/v11"

	"github.com/puttrix/trafficinator/shared/calendar"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/textfile"
)

// ReadFile reads a file that a setting names.
type ReadFile func(path string) ([]byte, error)

// Parsed describes an environment whose values are in their struct.
type Parsed struct {
	// Set has the keys that were given a value, also by file.
	Set map[string]bool
	// Bad has the keys whose value could not be parsed.
	Bad    map[string]bool
	Values map[string]string // the given values by key
}

// Parse fills into, a pointer to a struct of settings, from environ, and adds the problems of single values. An empty
// value means the default; other keys are ignored. read reads the files of secrets; nil reads none.
func Parse(into any, environ map[string]string, read ReadFile, problems *problem.List) Parsed {
	struc := reflect.ValueOf(into).Elem()
	fields := fieldsOf(struc.Type())
	p := Parsed{Set: map[string]bool{}, Bad: map[string]bool{}, Values: map[string]string{}}
	byName := map[string]Field{}
	for _, f := range fields {
		byName[struc.Type().Field(f.index).Name] = f
		v := f.value(environ, read, problems)
		if v == "" {
			continue
		}
		p.Set[f.Key] = true
		if f.Unit == "s" { // 1s means 1
			v = strings.TrimSuffix(v, "s")
		}
		if len(f.OneOf) > 0 {
			v = f.word(v, problems)
		}
		p.Values[f.Key] = v
	}
	err := env.ParseWithOptions(into, env.Options{Environment: p.Values, FuncMap: parsers})
	all, _ := errors.AsType[env.AggregateError](err)
	for _, err := range all.Errors {
		parse, ok := errors.AsType[env.ParseError](err)
		if !ok {
			problems.Refuse("settings", "", err.Error(), "")
			continue
		}
		f := byName[parse.Name]
		p.Bad[f.Key] = true
		if zone, ok := errors.AsType[*calendar.ZoneError](parse.Err); ok {
			problems.Refuse(f.Key, f.shown(p.Values[f.Key]), "is not a time zone", zone.Cure)
			continue
		}
		problems.Refuse(f.Key, f.shown(p.Values[f.Key]), "is not "+forms[f.Kind], f.example())
	}
	for _, f := range fields {
		if !p.Bad[f.Key] {
			f.checkBounds(struc.Field(f.index), problems)
		}
	}
	return p
}

func (f Field) value(environ map[string]string, read ReadFile, problems *problem.List) string {
	v := f.plain(f.Key, environ[f.Key], problems)
	if !f.Secret {
		return v
	}
	key := f.Key + FileSuffix
	path := Field{Key: key}.plain(key, environ[key], problems)
	switch {
	case path == "":
		return v
	case v != "":
		problems.Refuse(key, "", "is set together with "+f.Key, "keep only one")
		return ""
	}
	v, err := readSecret(path, read)
	if err != nil {
		// The path is not shown: it could be the secret itself, put there by mistake.
		problems.Refuse(key, "", "names a file that "+err.Error(), "use a readable file that contains only the secret")
		return ""
	}
	if _, quoted := unquote(v); quoted {
		problems.Refuse(key, "", "names a file whose content "+InQuotes, "remove the quotes")
		return ""
	}
	return v
}

func readSecret(path string, read ReadFile) (string, error) {
	if read == nil {
		read = func(string) ([]byte, error) { return nil, fs.ErrNotExist }
	}
	data, err := read(path)
	if err != nil {
		return "", errors.New("cannot be read")
	}
	text, err := textfile.Decode(data)
	if err != nil {
		return "", err
	}
	return strings.TrimSpace(string(text)), nil
}

// Problems of a settings file that was read as an environment.
const (
	InQuotes   = "is in quotes"
	HasComment = "contains a comment"
)

// plain returns a value without surrounding spaces, quotes and comments, which docker run --env-file passes on. The
// value is not shown, because a URL may contain a password.
func (f Field) plain(key, v string, problems *problem.List) string {
	v = strings.TrimSpace(v)
	inner, quoted := unquote(v)
	odd, isOdd := textfile.FindSpecial(v)
	const keepsThem = "docker run --env-file keeps them as part of the value"
	switch {
	case f.Secret && quoted: // they could be a part of it
		problems.Refuse(key, "", InQuotes, "remove them: "+keepsThem)
		return ""
	case f.Secret:
		return v
	case quoted:
		problems.Warn(key, "", InQuotes+", which were ignored", "remove them: "+keepsThem)
		return strings.TrimSpace(inner)
	case strings.HasPrefix(v, "#"), strings.Contains(v, " #"), strings.Contains(v, "\t#"):
		problems.Refuse(key, "", HasComment, "move comments to their own line: "+keepsThem)
		return ""
	case isOdd:
		problems.Refuse(key, "", fmt.Sprintf("has %v", odd), "type it instead of pasting it")
		return ""
	}
	return v
}

// Unquoted returns the value of key in environ as Parse reads it.
func Unquoted(environ map[string]string, key string) string {
	v := strings.TrimSpace(environ[key])
	if inner, quoted := unquote(v); quoted {
		return strings.TrimSpace(inner)
	}
	return v
}

func unquote(v string) (inner string, quoted bool) {
	if n := len(v); n >= 2 && (v[0] == '"' || v[0] == '\'') && v[n-1] == v[0] {
		return v[1 : n-1], true
	}
	return v, false
}

// word ignores case, because the original's LOG_LEVEL did.
func (f Field) word(v string, problems *problem.List) string {
	for _, w := range f.OneOf {
		if strings.EqualFold(w, v) {
			return w
		}
	}
	problems.Refuse(f.Key, v, "is not one of "+strings.Join(f.OneOf, ", "), "use "+f.Default)
	return f.Default
}

func (f Field) shown(v string) string {
	if f.Secret {
		return ""
	}
	return v
}

var forms = map[Kind]string{Text: "a text", Integer: "an integer", Number: "a number", Bool: "a boolean",
	List: "a list of numbers", Strings: "a list"}

func (f Field) example() string {
	switch {
	case f.Kind == Bool:
		return "use true or false"
	case f.Default == "":
		return "correct it or remove it"
	}
	return "for example " + f.Default
}

func (f Field) checkBounds(v reflect.Value, problems *problem.List) {
	switch v = reflect.Indirect(v); { // invalid for nil
	case v.Kind() == reflect.Slice:
		for i := range v.Len() {
			f.checkBounds(v.Index(i), problems)
		}
		return
	case !v.IsValid() || !v.CanConvert(reflect.TypeFor[float64]()):
		return
	}
	n := v.Convert(reflect.TypeFor[float64]()).Float()
	shown := strconv.FormatFloat(n, 'f', -1, 64)
	if lo, err := strconv.ParseFloat(f.Min, 64); err == nil && n < lo {
		problems.Refuse(f.Key, shown, "is below "+f.Min, "use at least "+f.Min)
	}
	if hi, err := strconv.ParseFloat(f.Max, 64); err == nil && n > hi {
		problems.Refuse(f.Key, shown, "is above "+f.Max, "use at most "+f.Max)
	}
}

var parsers = map[reflect.Type]env.ParserFunc{
	reflect.TypeFor[bool](): parseFlag, reflect.TypeFor[float64](): parseNumber,
}

func parseFlag(v string) (any, error) {
	switch strings.ToLower(v) {
	case "1", "true", "yes", "on", "y", "t":
		return true, nil
	case "0", "false", "no", "off", "n", "f":
		return false, nil
	}
	return false, fmt.Errorf("parse %q: not a yes or no", v)
}

func parseNumber(v string) (any, error) {
	n, err := strconv.ParseFloat(strings.TrimSpace(v), 64)
	if err == nil && (math.IsNaN(n) || math.IsInf(n, 0)) {
		err = fmt.Errorf("parse %q: not a finite number", v)
	}
	return n, err
}

// Nearest returns the name closest to key by edit distance, ignoring case, or "" if all need more than most edits.
func Nearest(key string, names []string, most int) string {
	best, nearest := most+1, ""
	for _, name := range names {
		if d := distance(strings.ToUpper(key), name); d < best {
			best, nearest = d, name
		}
	}
	return nearest
}

// distance is the Levenshtein distance.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
