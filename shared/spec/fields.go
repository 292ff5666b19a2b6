package spec

import (
	"reflect"
	"slices"
	"strings"
)

// Kind is how a knob's value is written.
type Kind string

// The kinds of a value.
const (
	Text   Kind = "text"
	Whole  Kind = "whole number"
	Number Kind = "number"
	Flag   Kind = "yes or no"
	List   Kind = "list of numbers"
)

// Field describes one knob for forms, tables and checks.
type Field struct {
	// Key is the env name.
	Key, Default, Group, Help, Unit string
	// Min and Max are inclusive bounds as written in the declaration; empty means unbounded.
	Min, Max string
	// OneOf lists the permitted words, none where any is.
	OneOf []string
	Kind  Kind
	// Secret values never leave the process in any output; they may be given by file as Key + "_FILE".
	Secret bool
	// Path names a file; a relative one in a file of settings is relative to the folder of that file.
	Path bool

	index int
}

// FileSuffix is appended to a secret's key to name the file that holds its value.
const FileSuffix = "_FILE"

// Fields are all knobs in the order of their declaration.
func Fields() []Field {
	t := reflect.TypeFor[Spec]()
	var out []Field
	for i := range t.NumField() {
		tag := t.Field(i).Tag
		key := tag.Get("env")
		if key == "" {
			continue
		}
		f := Field{
			Key: key, Default: tag.Get("envDefault"), Group: tag.Get("group"), Help: tag.Get("help"), Unit: tag.Get("unit"),
			Min: tag.Get("min"), Max: tag.Get("max"), Secret: tag.Get("secret") == "true", Path: tag.Get("path") == "true",
			Kind: kindOf(t.Field(i).Type), index: i,
		}
		if words := tag.Get("oneof"); words != "" {
			f.OneOf = strings.Split(words, ",")
		}
		out = append(out, f)
	}
	return out
}

func kindOf(t reflect.Type) Kind {
	switch t.Kind() {
	case reflect.Pointer:
		return kindOf(t.Elem())
	case reflect.Int, reflect.Int64, reflect.Uint64:
		return Whole
	case reflect.Float64:
		return Number
	case reflect.Bool:
		return Flag
	case reflect.Slice:
		return List
	default:
		return Text
	}
}

// Known tells whether key is a knob, the file form of a secret, a name of the stack, or a key of the original that is dealt
// with.
func Known(key string) bool {
	if Obsolete(key) || OfStack(key) {
		return true
	}
	for _, f := range Fields() {
		if key == f.Key || f.Secret && key == f.Key+FileSuffix {
			return true
		}
	}
	return false
}

// Nearest is the knob or the name of the stack that is closest to key by edit distance, or "" where none is near.
func Nearest(key string) string {
	names := slices.Clone(stack)
	for _, f := range Fields() {
		names = append(names, f.Key)
	}
	best, name := len(key)/2+1, ""
	for _, n := range names {
		if d := distance(strings.ToUpper(key), n); d < best {
			best, name = d, n
		}
	}
	return name
}

// distance is Levenshtein's: how many insertions, deletions and replacements make b of a.
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
