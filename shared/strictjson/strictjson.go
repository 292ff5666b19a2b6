// Package strictjson reads JSON files and reports all their problems with their places: syntax, duplicate keys, unknown
// keys, wrong types. It also writes them. The packages that own a format walk the values.
package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/secret"
	"github.com/puttrix/trafficinator/shared/textfile"
)

// MaxBytes is the largest file that is read.
const MaxBytes = 8 << 20

// Document is a file and its problems.
type Document struct {
	file     string
	refused  int
	Problems problem.List
	Root     *Value // nil if the file is not valid JSON
}

// Value is one value of a document with its place.
type Value struct {
	doc    *Document
	path   string
	raw    any // string, json.Number, bool, nil, []*Value, or map[string]*Value
	inside []string
}

// Parse reads data.
func Parse(file string, data []byte) *Document {
	d := &Document{file: file}
	if len(data) > MaxBytes {
		d.refuse("", "", "is larger than 8 MiB", "make it smaller")
		return d
	}
	text, err := textfile.Decode(data)
	switch {
	case errors.Is(err, textfile.ErrEncoding):
		d.refuse(fmt.Sprintf("line %d", textfile.InvalidLine(data)), "", err.Error(), textfile.Cure(err))
		return d
	case err != nil:
		d.refuse("", "", err.Error(), textfile.Cure(err))
		return d
	case len(bytes.TrimSpace(text)) == 0:
		d.refuse("", "", "is empty", "write JSON or remove the file")
		return d
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	root, err := d.value(dec, "", 0)
	at := int(dec.InputOffset())
	if err == nil {
		if _, more := dec.Token(); errors.Is(more, io.EOF) {
			d.Root = root
			return d
		}
		d.refuse(lineOf(text, int(dec.InputOffset())), "", "has data after the top-level value",
			"remove what follows the last bracket")
		return d
	}
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		at = int(syntax.Offset)
	}
	d.refuse(lineOf(text, at), "", "is not valid JSON: "+err.Error(), "fix the syntax")
	return d
}

// maxDepth is far more than any of the formats needs.
const maxDepth = 32

func (d *Document) value(dec *json.Decoder, path string, depth int) (*Value, error) {
	if depth > maxDepth {
		return nil, errors.New("nested too deeply")
	}
	token, err := dec.Token()
	if err != nil {
		return nil, err
	}
	v := &Value{doc: d, path: path, raw: token}
	switch token {
	case json.Delim('['):
		list := []*Value{}
		for dec.More() {
			item, err := d.value(dec, fmt.Sprintf("%s[%d]", path, len(list)), depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, item)
		}
		v.raw = list
		_, err = dec.Token()
	case json.Delim('{'):
		fields := map[string]*Value{}
		for dec.More() {
			name, err := dec.Token()
			if err != nil {
				return nil, err
			}
			key, ok := name.(string)
			if !ok {
				return nil, fmt.Errorf("key is not a string: %v", name)
			}
			item, err := d.value(dec, join(path, key), depth+1)
			if err != nil {
				return nil, err
			}
			if _, twice := fields[key]; twice {
				d.refuse(item.path, "", "is a duplicate key", "keep only one")
			} else {
				v.inside = append(v.inside, key)
			}
			fields[key] = item
		}
		v.raw = fields
		_, err = dec.Token()
	}
	return v, err
}

// maxProblems is the maximum number of problems reported, for files of a different kind.
const maxProblems = 100

func (d *Document) refuse(place, value, message, cure string) {
	switch d.refused++; {
	case d.refused <= maxProblems:
		d.Problems.Refuse(d.where(place), value, message, cure)
	case d.refused == maxProblems+1:
		d.Problems.Refuse(d.file, "", "has more problems", "fix those above first")
	}
}

func (d *Document) where(place string) string {
	if place == "" {
		return d.file
	}
	return d.file + ": " + place
}

func lineOf(data []byte, at int) string {
	return "line " + strconv.Itoa(1+bytes.Count(data[:min(at, len(data))], []byte("\n")))
}

// Encode writes v indented, with readable URLs and a final line break.
func Encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// Refuse adds an error at the value, or at its field key unless key is empty.
func (v *Value) Refuse(key, value, message, cure string) {
	v.doc.refuse(v.at(key), value, message, cure)
}

// Warn adds a warning in the same way.
func (v *Value) Warn(key, value, message, cure string) {
	v.doc.Problems.Warn(v.doc.where(v.at(key)), value, message, cure)
}

func (v *Value) at(key string) string {
	if key == "" {
		return v.path
	}
	return join(v.path, key)
}

var plainKey = regexp.MustCompile(`^\w{1,40}$`)

// join is the place of key in path. A key can contain anything, even line breaks.
func join(path, key string) string {
	if !plainKey.MatchString(key) {
		key = fmt.Sprintf("%.60q", key)
	}
	return strings.TrimPrefix(path+"."+key, ".")
}

// Object reports whether the value is an object, and refuses unknown keys.
func (v *Value) Object(known ...string) bool {
	if _, ok := v.raw.(map[string]*Value); !ok {
		v.Refuse("", v.text(), "is not an object", "write {…}")
		return false
	}
	for _, key := range v.Unknown(known...) {
		v.Refuse(key, "", "is not a known key", "use one of "+strings.Join(known, ", "))
	}
	return true
}

// Unknown returns the unknown keys of an object.
func (v *Value) Unknown(known ...string) []string {
	var out []string
	for _, key := range v.inside {
		if !slices.Contains(known, key) {
			out = append(out, key)
		}
	}
	return out
}

// Get returns a field of an object, nil if it is missing or null.
func (v *Value) Get(key string) *Value {
	fields, _ := v.raw.(map[string]*Value)
	if f := fields[key]; f != nil && f.raw != nil {
		return f
	}
	return nil
}

// List returns the values of the list at key, or of the value itself if key is empty.
func (v *Value) List(key string) []*Value {
	at := v
	if key != "" {
		if at = v.Get(key); at == nil {
			return nil
		}
	}
	list, ok := at.raw.([]*Value)
	if !ok {
		at.Refuse("", at.text(), "is not a list", "write […]")
	}
	return list
}

// String returns the text at key, "" if it is missing.
func (v *Value) String(key string) string {
	return scalar[string](v, key, "is not a string", `write "…"`)
}

// scalar returns the value at key, or the zero value if it is missing or of another type, which is a problem.
func scalar[T any](v *Value, key, message, cure string) (out T) {
	f := v.Get(key)
	if f == nil {
		return out
	}
	out, ok := f.raw.(T)
	if !ok {
		f.Refuse("", f.text(), message, cure)
	}
	return out
}

// Number returns the finite number at key, nil if it is missing.
func (v *Value) Number(key string) *float64 {
	f := v.Get(key)
	if f == nil {
		return nil
	}
	if n, ok := f.raw.(json.Number); ok {
		if x, err := n.Float64(); err == nil && !math.IsInf(x, 0) {
			return &x
		}
	}
	f.Refuse("", f.text(), "is not a number", "write a number without quotes")
	return nil
}

// Int returns the integer at key, nil if it is missing.
func (v *Value) Int(key string) *int {
	x := v.Number(key)
	if x == nil {
		return nil
	}
	if *x != math.Trunc(*x) || math.Abs(*x) > 1<<53 {
		v.Refuse(key, v.Get(key).text(), "is not an integer", "remove the fraction")
		return nil
	}
	return new(int(*x))
}

// Into sets the fields of the struct that target points to by the keys of their json tags, which are all keys that the
// object may have. Missing keys leave fields as they are. It returns false if the value is not an object.
func (v *Value) Into(target any) bool {
	fields, keys := map[string]reflect.Value{}, []string{}
	to := reflect.ValueOf(target).Elem()
	for _, f := range reflect.VisibleFields(to.Type()) {
		if key, _, _ := strings.Cut(f.Tag.Get("json"), ","); key != "" && key != "-" {
			fields[key], keys = to.FieldByIndex(f.Index), append(keys, key)
		}
	}
	if !v.Object(keys...) {
		return false
	}
	for _, key := range keys {
		if v.Get(key) == nil {
			continue
		}
		switch field := fields[key].Addr().Interface().(type) {
		case *string:
			*field = v.String(key)
		case *secret.String:
			text, ok := v.Get(key).raw.(string)
			if !ok { // the value is not shown
				v.Refuse(key, "", "is not a string", `write "…"`)
			}
			*field = secret.String(strings.TrimSpace(text))
		case *bool:
			*field = scalar[bool](v, key, "is not true or false", "write true or false without quotes")
		case **float64:
			*field = v.Number(key)
		case *float64:
			set(field, v.Number(key))
		case **int:
			*field = v.Int(key)
		case *int:
			set(field, v.Int(key))
		}
	}
	return true
}

func set[T any](field, value *T) {
	if value != nil {
		*field = *value
	}
}

func (v *Value) text() string {
	switch raw := v.raw.(type) {
	case []*Value:
		return "[…]"
	case map[string]*Value:
		return "{…}"
	case nil:
		return "null"
	default:
		return fmt.Sprint(raw)
	}
}
