package api

import (
	"reflect"
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
			if property == nil || property.Ref == "" || f.Type.Kind() != reflect.Pointer || strings.Contains(options, "omitempty") {
				continue
			}
			s.Properties[key] = &huma.Schema{
				Description: property.Description, OneOf: []*huma.Schema{{Ref: property.Ref}, {Type: "null"}},
			}
		}
	}
}
