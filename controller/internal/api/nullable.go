package api

import (
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// nullable makes the document say of every object that may be missing from an answer that it may be null, which huma
// tells of plain values alone.
func nullable(registry huma.Registry) {
	const refs = "#/components/schemas/"
	for name, s := range registry.Map() {
		t := registry.TypeFromRef(refs + name)
		if t == nil || t.Kind() != reflect.Struct {
			continue
		}
		for _, f := range reflect.VisibleFields(t) {
			key, options, _ := strings.Cut(f.Tag.Get("json"), ",")
			property := s.Properties[key]
			if property == nil || property.Ref == "" || f.Type.Kind() != reflect.Pointer ||
				strings.Contains(options, "omitempty") {
				continue
			}
			s.Properties[key] = orNull(property)
		}
	}
}

// orNull is a schema that allows null too. huma does not know the type null and would take anything for it, so that
// what is in order matches both schemas and is refused, and all else is taken: only the enum makes it look.
func orNull(s *huma.Schema) *huma.Schema {
	if s.Ref != "" {
		return &huma.Schema{Description: s.Description,
			OneOf: []*huma.Schema{{Ref: s.Ref}, {Type: "null", Enum: []any{nil}}}}
	}
	out := *s
	out.Nullable = true
	if out.Enum != nil {
		out.Enum = append(slices.Clone(out.Enum), nil)
	}
	return &out
}

// leftOut makes the document say that null is as good as leaving out what a request need not hold: huma takes it so,
// and clients of the original send it.
func leftOut(doc *huma.OpenAPI) {
	for _, item := range doc.Paths {
		for _, o := range []*huma.Operation{item.Post, item.Put, item.Patch, item.Delete} {
			if o == nil || o.RequestBody == nil {
				continue
			}
			s := o.RequestBody.Content["application/json"].Schema
			if s.Ref != "" {
				s = doc.Components.Schemas.SchemaFromRef(s.Ref)
			}
			for name, property := range s.Properties {
				// huma takes everything for the type null, so that "one of" would refuse each object
				if property.Ref != "" {
					object := *doc.Components.Schemas.SchemaFromRef(property.Ref)
					object.Description = property.Description
					property = &object
				}
				if !slices.Contains(s.Required, name) && len(property.OneOf) == 0 {
					s.Properties[name] = orNull(property)
				}
			}
		}
	}
}
