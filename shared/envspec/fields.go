// Package envspec owns how settings are read from an environment: the tags that declare a setting, the values, and the
// names that were probably meant. It knows no setting itself; shared/spec and the controller declare theirs.
package envspec

import (
	"cmp"
	"reflect"
	"slices"
	"strings"
)

// Kind is how a value is written.
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

// Role is what kind of decision a setting is; the words are the declaring package's.
type Role string

// Widget is with what a form edits a value. A declaration may use words of its own beside these.
type Widget string

// The widgets that follow from a declaration.
const (
	SecretInput Widget = "secret"
	Choice      Widget = "choice"
	Toggle      Widget = "toggle"
	FileInput   Widget = "file"
	NumberInput Widget = "number"
	ListInput   Widget = "list"
	TextInput   Widget = "text"
)

// Field describes one setting for forms, tables and checks.
type Field struct {
	// Key is the env name.
	Key, Default, Group, Help, Unit string
	// Name is what a form calls it; empty where no form shows it.
	Name string
	// Min and Max are inclusive bounds as written in the declaration; empty means unbounded.
	Min, Max string
	// NotAbove is the key of the setting that this one must not exceed, empty where there is none.
	NotAbove string
	// OneOf lists the permitted words, none where any is.
	OneOf []string
	Kind  Kind
	// Role is the word of the declaration for what kind of decision the setting is, empty where it has none.
	Role Role
	// Widget is with what a form edits the value: the word of the declaration, or what follows from the rest of it.
	Widget Widget
	// Instead says what users do where the saved configuration of a controller cannot hold the setting; empty if it can.
	Instead string
	// Secret values never leave the process in any output; they may be given by file as Key + FileSuffix.
	Secret bool
	// Path names a file or folder; a relative one in a file of settings is relative to the folder of that file.
	Path bool

	index int
}

// Value is what the struct that declares f holds for it; nil where a setting without a default is not set.
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

// Clear sets what the struct that of points to holds for f to its zero value.
func (f Field) Clear(of any) { reflect.ValueOf(of).Elem().Field(f.index).SetZero() }

// FileSuffix is appended to a secret's key to name the file that holds its value.
const FileSuffix = "_FILE"

// Fields are the settings that struct T declares, in their order: its fields with the tag env. The other tags are
// envDefault as in caarlos0/env; name, group, help and unit for people; min, max and notabove; oneof, the words between
// commas; role and widget; instead; secret and path.
func Fields[T any]() []Field { return fieldsOf(reflect.TypeFor[T]()) }

func fieldsOf(t reflect.Type) []Field {
	var out []Field
	for i := range t.NumField() {
		tag := t.Field(i).Tag
		key := tag.Get("env")
		if key == "" {
			continue
		}
		f := Field{
			Key:     key,
			Default: tag.Get("envDefault"),
			Group:   tag.Get("group"),
			Help:    tag.Get("help"),
			Name:    tag.Get("name"),
			Unit:    tag.Get("unit"),
			Min:     tag.Get("min"),
			Max:     tag.Get("max"),
			NotAbove: tag.Get(
				"notabove",
			),
			Instead: tag.Get("instead"),
			Secret:  tag.Get("secret") == "true",
			Path:    tag.Get("path") == "true",
			Kind:    kindOf(t.Field(i).Type),
			index:   i,
		}
		f.Role = Role(tag.Get("role"))
		if words := tag.Get("oneof"); words != "" {
			f.OneOf = strings.Split(words, ",")
		}
		f.Widget = cmp.Or(Widget(tag.Get("widget")), f.widget())
		out = append(out, f)
	}
	return out
}

// IsDerived reports whether a widget follows from a declaration instead of being its own word.
func IsDerived(w Widget) bool {
	return slices.Contains([]Widget{SecretInput, Choice, Toggle, FileInput, NumberInput, ListInput, TextInput}, w)
}

func (f Field) widget() Widget {
	switch {
	case f.Secret:
		return SecretInput
	case len(f.OneOf) > 0:
		return Choice
	case f.Path:
		return FileInput
	}
	return map[Kind]Widget{Bool: Toggle, Integer: NumberInput, Number: NumberInput, List: ListInput, Strings: ListInput,
		Text: TextInput}[f.Kind]
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
