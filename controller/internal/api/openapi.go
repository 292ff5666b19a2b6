package api

import (
	"path"
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/puttrix/trafficinator/controller/internal/security"
	"github.com/puttrix/trafficinator/shared/funnel"
	"github.com/puttrix/trafficinator/shared/hit"
)

// apiVersion is the version of paths and fields. The document is public, so it does not show the program's version.
const apiVersion = "1.0.0"

// humaConfig returns the settings of huma with the head of the OpenAPI document.
func humaConfig() huma.Config {
	return huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title: "Trafficinator", Version: apiVersion,
				Description: "Configure, run and monitor a load generator for Matomo. Errors are problem details " +
					"(RFC 9457) that list every invalid field.",
			},
			Servers: []*huma.Server{{URL: "./", Description: "The server of this document, below any path prefix."}},
			Components: &huma.Components{
				Schemas: huma.NewMapRegistry("#/components/schemas/", schemaName),
				SecuritySchemes: map[string]*huma.SecurityScheme{
					"key": {Type: "apiKey", In: "header", Name: security.KeyHeader, Description: "The API key."},
					"session": {Type: "apiKey", In: "cookie", Name: security.CookieName,
						Description: "Session cookie, set by POST /api/session. If the address in the browser has a " +
							"port, the name ends in _ and that port."},
				},
			},
		},
		OpenAPIPath: "/openapi", Formats: map[string]huma.Format{"application/json": jsonFormat, "json": jsonFormat},
		DefaultFormat: "application/json", Transformers: []huma.Transformer{hideValues},
	}
}

// schemaPrefixes are the prefixes of schemas from packages whose name means nothing to clients.
var schemaPrefixes = map[string]string{"comparison": "", "timing": "", "runsummary": "Run", "record": "Run",
	"security": "Audit", "eventset": "Event"}

// schemaName names the schema of a type. Types of other packages get a prefix, because several have a Target, say.
func schemaName(t reflect.Type, hint string) string {
	name := huma.DefaultSchemaNamer(t, hint)
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	pkg := t.PkgPath()
	if !strings.Contains(pkg, "/trafficinator/") || strings.HasSuffix(pkg, "/api") {
		return name
	}
	pkg = path.Base(pkg)
	prefix, ok := schemaPrefixes[pkg]
	if !ok {
		prefix = strings.ToUpper(pkg[:1]) + pkg[1:]
	}
	return prefix + strings.TrimPrefix(name, prefix)
}

// The tags of the document.
const (
	tagRuns       = "Runs"
	tagConfig     = "Configuration"
	tagTraffic    = "Traffic"
	tagTargets    = "Targets"
	tagAccess     = "Access"
	tagBackfill   = "Backfill"
	tagBenchmarks = "API benchmarks"
)

// addEnums adds the kinds of hits and the types of funnel steps to their schemas. The user interface is checked to have
// a text for each.
func addEnums(schemas map[string]*huma.Schema) {
	for _, kind := range hit.Rows {
		for _, property := range []string{"kind", "records"} {
			s := schemas["PreviewHit"].Properties[property]
			s.Enum = append(s.Enum, kind.Name)
		}
	}
	for _, name := range funnel.Types {
		s := schemas["FunnelStep"].Properties["type"]
		s.Enum = append(s.Enum, name)
	}
}

// markNullable marks objects of responses that may be null as such. huma does so only for plain values.
func markNullable(registry huma.Registry) {
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

// orNull returns a schema that allows null too. huma does not validate the type null and lets every value match it, so
// that a valid object would match both schemas of oneOf and be rejected; only the enum makes it check.
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

// allowNull marks the optional fields of requests as nullable: huma treats null like a missing field, and clients of
// the original send it.
func allowNull(doc *huma.OpenAPI) {
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
				// oneOf would reject each object, see orNull.
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
