package api

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// The limits of request bodies, in bytes.
const (
	smallBody = 1 << 20
	// largeBody fits the largest URL list or set-up with JSON escapes.
	largeBody = 72 << 20
)

// operation is an operation whose options are set in a chain.
type operation struct{ huma.Operation }

func get(path, tag, summary string) operation    { return op(http.MethodGet, path, tag, summary) }
func post(path, tag, summary string) operation   { return op(http.MethodPost, path, tag, summary) }
func put(path, tag, summary string) operation    { return op(http.MethodPut, path, tag, summary) }
func patch(path, tag, summary string) operation  { return op(http.MethodPatch, path, tag, summary) }
func remove(path, tag, summary string) operation { return op(http.MethodDelete, path, tag, summary) }

// op returns an operation with the limits and access that most have.
func op(method, path, tag, summary string) operation {
	return operation{huma.Operation{
		OperationID: operationID(method, path), Method: method, Path: path, Tags: []string{tag}, Summary: summary,
		MaxBodyBytes: smallBody, BodyReadTimeout: time.Minute,
	}}.allow(member)
}

// operationID turns GET /api/presets/{id} into get-api-presets-id.
func operationID(method, path string) string {
	return strings.ToLower(method) + strings.NewReplacer("/", "-", "{", "", "}", "").Replace(path)
}

// describe adds a description to the summary.
func (o operation) describe(description string) operation {
	o.Description = description
	return o
}

// status sets the status of a successful response.
func (o operation) status(code int) operation {
	o.DefaultStatus = code
	return o
}

// largeBody allows a body as large as an entire set-up or URL list.
func (o operation) largeBody() operation {
	o.MaxBodyBytes = largeBody
	return o
}

// The schemas of files. They are created for each use, because huma caches in them.
func anyObject() *huma.Schema { return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true} }
func anyString() *huma.Schema { return &huma.Schema{Type: huma.TypeString} }

// produces replaces the response by a file with one of these content types.
func (o operation) produces(schemas map[string]*huma.Schema) operation {
	content := map[string]*huma.MediaType{}
	for contentType, schema := range schemas {
		content[contentType] = &huma.MediaType{Schema: schema}
	}
	o.Responses = map[string]*huma.Response{"200": {Description: "OK", Content: content}}
	return o
}

// fileResponse is a file to download.
type fileResponse struct {
	ContentType string `header:"Content-Type"`
	Disposition string `header:"Content-Disposition"`
	Body        []byte
}

func newFile(contentType, name string, data []byte) *fileResponse {
	return &fileResponse{contentType, attachment(name), data}
}

// attachment returns the Content-Disposition of a file to download.
func attachment(name string) string { return fmt.Sprintf("attachment; filename=%q", name) }

// oldPathKey is the key of an operation's former path in its metadata.
const oldPathKey = "old path"

// formerly keeps an operation reachable at its former path; the document marks that path as deprecated.
func (o operation) formerly(oldPath string) operation {
	o.Metadata = maps.Clone(o.Metadata)
	o.Metadata[oldPathKey] = oldPath
	return o
}

// register adds an operation whose errors become problem responses.
func register[I, O any](s *server, o operation, handler func(context.Context, *I) (*O, error)) {
	s.access[routeKey(o.Method, o.Path)] = o.Metadata[accessKey].(access) // set by allow
	huma.Register(s.huma, o.Operation, func(ctx context.Context, in *I) (*O, error) {
		out, err := handler(ctx, in)
		if err != nil {
			return nil, s.failure(ctx, err)
		}
		return out, nil
	})
	if oldPath, renamed := o.Metadata[oldPathKey].(string); renamed {
		o.Metadata = maps.Clone(o.Metadata)
		delete(o.Metadata, oldPathKey)
		o.Deprecated, o.Description = true, "Deprecated: use "+o.Path+"."
		o.Path, o.OperationID = oldPath, operationID(o.Method, oldPath)
		register(s, o, handler)
	}
}

// body is a response with nothing but a body.
type body[T any] struct{ Body T }

// handle registers an operation whose response body is the value that handler returns.
func handle[I, O any](s *server, o operation, handler func(context.Context, *I) (O, error)) {
	register(s, o, func(ctx context.Context, in *I) (*body[O], error) {
		v, err := handler(ctx, in)
		return &body[O]{v}, err
	})
}

// handlePlain registers an operation without parameters and body.
func handlePlain[O any](s *server, o operation, handler func(context.Context) (O, error)) {
	handle(s, o, func(ctx context.Context, _ *empty) (O, error) { return handler(ctx) })
}

// handleID registers an operation on a resource with a numeric id.
func handleID[O any](s *server, o operation, handler func(context.Context, int64) (O, error)) {
	handle(s, o, func(ctx context.Context, in *ByID) (O, error) { return handler(ctx, in.ID) })
}

// handleRun registers an operation on a run, or on a resource with an id like that of a run.
func handleRun[O any](s *server, o operation, handler func(context.Context, string) (O, error)) {
	handle(s, o, func(ctx context.Context, in *ByRun) (O, error) { return handler(ctx, in.ID) })
}

// ByID selects a resource by its number. It is exported because huma ignores embedded structs that are not.
type ByID struct {
	ID int64 `path:"id" minimum:"1" doc:"Unique identifier."`
}

// ByRun selects a run. It is exported because huma ignores embedded structs that are not.
type ByRun struct {
	ID string `path:"id" maxLength:"64" pattern:"^[A-Za-z0-9_-]+$" doc:"Unique identifier."`
}

// empty is a request without parameters and body.
type empty struct{}

// Done confirms an operation in the format of the original.
type Done struct {
	Success bool   `json:"success" doc:"Always true; errors have their own status."`
	Message string `json:"message" doc:"The result in a sentence."`
}

func done(message string) Done { return Done{true, message} }

// deleted confirms a deletion.
type deleted[T any] struct {
	Success bool   `json:"success" doc:"Always true; errors have their own status."`
	ID      T      `json:"deleted_id" doc:"Id of the deleted resource."`
	Message string `json:"message" doc:"The result in a sentence."`
}

// DeletedResponse confirms the deletion of a resource with a numeric id.
type DeletedResponse deleted[int64]

// deletedRun confirms the deletion of a run.
type deletedRun deleted[string]
