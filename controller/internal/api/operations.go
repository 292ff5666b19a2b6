package api

import (
	"context"
	"net/http"
	"path"
	"reflect"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/puttrix/trafficinator/controller/internal/security"
)

// apiVersion is that of the paths and fields. That of the program is not for strangers, who may read the document.
const apiVersion = "1.0.0"

// document is what the OpenAPI document says of the whole.
func document() huma.Config {
	return huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title: "Trafficinator", Version: apiVersion,
				Description: "Configuration, files and life of a load generator for Matomo. Failures are RFC 9457 " +
					"problems that list every field.",
			},
			Servers: []*huma.Server{{URL: "./", Description: "Beside this document, whatever the path before it."}},
			Components: &huma.Components{
				Schemas: huma.NewMapRegistry("#/components/schemas/", schemaName),
				SecuritySchemes: map[string]*huma.SecurityScheme{
					"key": {Type: "apiKey", In: "header", Name: security.KeyHeader, Description: "The API key."},
					"session": {Type: "apiKey", In: "cookie", Name: security.CookieName,
						Description: "A session, see POST /api/session. _ and the port follow where the address in " +
							"the browser has one."},
				},
			},
		},
		OpenAPIPath: "/openapi", Formats: map[string]huma.Format{"application/json": jsonFormat, "json": jsonFormat},
		DefaultFormat: "application/json", Transformers: []huma.Transformer{plain},
	}
}

// schemaPrefixes are the prefixes of schemas whose package has another name than clients should see.
var schemaPrefixes = map[string]string{
	"comparison": "",
	"timing":     "",
	"runsummary": "Run",
	"record":     "Run",
	"security":   "Audit",
	"eventset":   "Event",
}

// schemaName names the schema of a type: types outside this package get a prefix, because several packages have, say, a
// Target.
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

// The groups of the document.
const (
	tagRun      = "Run"
	tagConfig   = "Configuration"
	tagTraffic  = "Traffic"
	tagTargets  = "Targets"
	tagAccess   = "Access"
	tagBackfill = "Backfill"
	tagReports  = "Reports"
)

// The sizes of request bodies in bytes.
const (
	smallBody = 1 << 20
	// largeBody holds the largest URL list or set-up with JSON's escapes.
	largeBody = 72 << 20
)

// op is an operation with what all have in common.
func op(method, path, tag, summary string) huma.Operation {
	return as(member, huma.Operation{
		OperationID: operationID(method, path), Method: method, Path: path, Tags: []string{tag}, Summary: summary,
		MaxBodyBytes: smallBody, BodyReadTimeout: time.Minute,
	})
}

// file is an operation whose answer is not an object of its type but a content of its own.
func file(o huma.Operation, contentType string, s *huma.Schema) huma.Operation {
	o.Responses = map[string]*huma.Response{"200": {Description: "OK",
		Content: map[string]*huma.MediaType{contentType: {Schema: s}}}}
	return o
}

// large is an operation whose body may hold a whole set-up or list of pages.
func large(o huma.Operation) huma.Operation {
	o.MaxBodyBytes = largeBody
	return o
}

// made is an operation that answers 201.
func made(o huma.Operation) huma.Operation {
	o.DefaultStatus = http.StatusCreated
	return o
}

// begun is an operation that answers 202: what it begins goes on by itself.
func begun(o huma.Operation) huma.Operation {
	o.DefaultStatus = http.StatusAccepted
	return o
}

// operationID makes get-api-presets-id of GET /api/presets/{id}.
func operationID(method, path string) string {
	return strings.ToLower(method) + strings.NewReplacer("/", "-", "{", "", "}", "").Replace(path)
}

// route registers an operation whose errors become problems.
func route[I, O any](s *server, o huma.Operation, handle func(context.Context, *I) (*O, error)) {
	s.access[routeKey(o.Method, o.Path)] = o.Metadata[accessKey].(access) // as has put it there
	huma.Register(s.huma, o, func(ctx context.Context, in *I) (*O, error) {
		out, err := handle(ctx, in)
		if err != nil {
			return nil, s.failure(ctx, err)
		}
		return out, nil
	})
}

// body is an answer of nothing but a body.
type body[T any] struct{ Body T }

// reply registers an operation whose answer is a value.
func reply[I, O any](s *server, o huma.Operation, handle func(context.Context, *I) (O, error)) {
	route(s, o, func(ctx context.Context, in *I) (*body[O], error) {
		v, err := handle(ctx, in)
		return &body[O]{v}, err
	})
}

// get registers a GET that asks for nothing but a value.
func get[O any](s *server, path, tag, summary string, handle func(context.Context) (O, error)) {
	reply(s, op(http.MethodGet, path, tag, summary), func(ctx context.Context, _ *empty) (O, error) {
		return handle(ctx)
	})
}

// byID registers an operation about one thing, by its number.
func byID[O any](s *server, o huma.Operation, handle func(context.Context, int64) (O, error)) {
	reply(s, o, func(ctx context.Context, in *ByID) (O, error) { return handle(ctx, in.ID) })
}

// byRun registers an operation about one run, or what is numbered like one.
func byRun[O any](s *server, o huma.Operation, handle func(context.Context, string) (O, error)) {
	reply(s, o, func(ctx context.Context, in *ByRun) (O, error) { return handle(ctx, in.ID) })
}

// about says more of an operation than its summary.
func about(o huma.Operation, description string) huma.Operation {
	o.Description = description
	return o
}

// ByID is a request about one thing. It is exported because huma leaves out what an unexported struct embeds.
type ByID struct {
	ID int64 `path:"id" minimum:"1" doc:"Its number."`
}

// empty is a request without anything.
type empty struct{}
