// Package envspec reads settings from an environment: the tags that declare a setting, the values, and suggestions for
// misspelt names. shared/spec and the controller declare the settings.
package envspec

import (
	"cmp"
	"reflect"
	"slices"
	"strings"
)

// Kind is the notation of a value.
type Kind string

// The kinds of a value.
const (
	Text    Kind = "text"
	Integer Kind = "whole number"
	Number  Kind = "number"
	Bool    Kind = "yes or no"
	List    Kind = "list of numbers"
	Strings Kind = "list"
)

// Role is the kind of decision that a setting makes; the declaring package defines the words.
type Role string

// Widget is the input of a form: that of a declaration, or one of derived.
type Widget string

// derived are the widgets that follow from a declaration.
var derived = []Widget{"secret", "choice", "toggle", "file", "number", "list", "text"}

// Field describes one setting for forms, tables and checks.
type Field struct {
	// Key is the name of the environment variable.
	Key, Default, Group, Help, Unit string
	Name                            string // the title in forms; empty if no form shows it
	// Min and Max are inclusive bounds as written in the declaration; empty means unbounded.
	Min, Max string
	NotAbove string   // the key of a setting that this one must not exceed
	OneOf    []string // lists the permitted words; empty means any
	Kind     Kind
	Role     Role
	Widget   Widget // that of the declaration, or follows from the other tags
	Instead  string // what users do if a controller's configuration cannot contain the setting; empty if it can
	// Secret values are never in any output; they may be given by file as Key + FileSuffix.
	Secret bool
	Path   bool // means a file or folder; relative ones in a settings file start at the folder of that file

	index int
}

// Value returns the value in the struct that declares f, nil if a setting without a default is not set.
func (f Field) Value(of any) any {
	v := reflect.ValueOf(of).Field(f.index)
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return nil
		}
		v = v.Elem()
	}
	return v.Interface()
}

// Clear sets the value in the struct that of points to to zero.
func (f Field) Clear(of any) { reflect.ValueOf(of).Elem().Field(f.index).SetZero() }

// FileSuffix is appended to a secret's key to name the file with its value.
const FileSuffix = "_FILE"

// Fields returns the settings that struct T declares, in their order: its fields with the tag env. The other tags are
// envDefault as in caarlos0/env; name, group, help and unit for people; min, max and notabove; oneof, separated by
// commas; role and widget; instead; secret and path.
func Fields[T any]() []Field { return fieldsOf(reflect.TypeFor[T]()) }

func fieldsOf(t reflect.Type) (out []Field) {
	for i := range t.NumField() {
		tag := t.Field(i).Tag.Get
		if tag("env") == "" {
			continue
		}
		f := Field{
			Key: tag("env"), Default: tag("envDefault"), Group: tag("group"), Help: tag("help"), Name: tag("name"),
			Unit: tag("unit"), Min: tag("min"), Max: tag("max"), NotAbove: tag("notabove"), Instead: tag("instead"),
			Secret: tag("secret") == "true", Path: tag("path") == "true", Kind: kindOf(t.Field(i).Type),
			Role: Role(tag("role")), index: i,
		}
		if words := tag("oneof"); words != "" {
			f.OneOf = strings.Split(words, ",")
		}
		f.Widget = cmp.Or(Widget(tag("widget")), f.widget())
		out = append(out, f)
	}
	return out
}

// IsDerived reports whether a widget follows from other tags.
func IsDerived(w Widget) bool { return slices.Contains(derived, w) }

func (f Field) widget() Widget {
	switch {
	case f.Secret:
		return "secret"
	case len(f.OneOf) > 0:
		return "choice"
	case f.Path:
		return "file"
	}
	return map[Kind]Widget{Bool: "toggle", Integer: "number", Number: "number", List: "list", Strings: "list",
		Text: "text"}[f.Kind]
}

func kindOf(t reflect.Type) Kind {
	switch t.Kind() {
	case reflect.Pointer:
		return kindOf(t.Elem())
	case reflect.Int, reflect.Int64, reflect.Uint64:
		return Integer
	case reflect.Float64:
		return Number
	case reflect.Bool:
		return Bool
	case reflect.Slice:
		if t.Elem().Kind() == reflect.String {
			return Strings
		}
		return List
	default:
		return Text
	}
}
