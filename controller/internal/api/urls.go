package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/puttrix/trafficinator/controller/internal/setup"
)

type urlsRequest struct {
	Skip  int `query:"skip" minimum:"0" maximum:"1000000" default:"0"`
	Limit int `query:"limit" minimum:"0" maximum:"1000" default:"100" doc:"Maximum number of pages to list. validation covers all pages."`

	all bool
}

// Resolve implements huma.Resolver: a request for no part gets the content too, like in the original.
func (r *urlsRequest) Resolve(ctx huma.Context) []error {
	r.all = ctx.Query("skip") == "" && ctx.Query("limit") == ""
	return nil
}

type urlsResponse struct {
	URLs       []pageRow        `json:"urls"`
	Content    *string          `json:"content,omitempty" doc:"Content of the file. content and structure are only returned without skip and limit."`
	Structure  *setup.Structure `json:"structure,omitempty"`
	Source     setup.Source     `json:"source" enum:"custom,default"`
	Validation setup.URLReport  `json:"validation"`
	LineCount  int              `json:"line_count"`
	Editable   bool             `json:"editable" doc:"Always true."`
}

type pageRow struct {
	Line  int    `json:"line"`
	URL   string `json:"url"`
	Title string `json:"title"`
}

type contentRequest struct {
	Body struct {
		Content string `json:"content" doc:"Content of the file."`
	}
}

// SavedContent confirms that a file was saved. It is exported because huma ignores embedded structs that are not.
type SavedContent[T any] struct {
	Success         bool   `json:"success" doc:"Always true; errors have their own status."`
	Message         string `json:"message"`
	Validation      T      `json:"validation"`
	RestartRequired bool   `json:"restart_required" doc:"Whether a run is in progress that uses the old content."`
	Publication
}

func savedContent[T any](s *server, message string, report T) SavedContent[T] {
	return SavedContent[T]{true, message, report, s.Runs.Status().Active(), s.publication()}
}

type savedURLs struct {
	SavedContent[setup.URLReport]
	Structure setup.Structure `json:"structure"`
}

type resetResponse struct {
	Success         bool   `json:"success" doc:"Always true; errors have their own status."`
	Message         string `json:"message"`
	RestartRequired bool   `json:"restart_required"`
	Publication
}

var _ = addRoutes((*server).urls)

func (s *server) urls() {
	handle(s, op(http.MethodGet, "/api/urls", tagTraffic, "List the URLs"),
		s.listURLs)
	register(s, produces(op(http.MethodGet, "/api/urls/file", tagTraffic, "Export the URLs as urls.txt"),
		map[string]*huma.Schema{"text/plain": anyString}), func(ctx context.Context, _ *empty) (*fileResponse, error) {
		content, _, err := s.Setup.URLContent(ctx)
		return newFile("text/plain; charset=utf-8", "urls.txt", content), err
	})
	handle(s, withLargeBody(op(http.MethodPost, "/api/urls", tagTraffic, "Replace the URLs")),
		func(ctx context.Context, in *urlListRequest) (savedURLs, error) {
			report, err := s.Setup.SaveURLs(ctx, in.content)
			return savedURLs{savedContent(s, "URLs saved", report), report.Structure}, err
		})
	handle(
		s,
		withLargeBody(allow(readOnly, op(http.MethodPost, "/api/urls/validate", tagTraffic, "Validate a URL list"))),
		func(_ context.Context, in *urlListRequest) (setup.URLReport, error) {
			return s.Setup.ValidateURLs(in.content), nil
		},
	)
	// Added afterwards, because huma reads every body that an operation declares.
	for _, path := range []string{"/api/urls", "/api/urls/validate"} {
		s.huma.OpenAPI().Paths[path].Post.RequestBody = urlListBody()
	}
	handle(s, op(http.MethodDelete, "/api/urls", tagTraffic, "Reset to the built-in URLs"),
		func(ctx context.Context, _ *empty) (resetResponse, error) {
			was, err := s.Setup.DeleteURLs(ctx)
			return s.reset(was, "the built-in URLs are in use", err)
		})
}

func (s *server) listURLs(ctx context.Context, in *urlsRequest) (urlsResponse, error) {
	pages, report, source, err := s.Setup.URLs(ctx, in.Skip, in.Limit)
	a := urlsResponse{URLs: make([]pageRow, len(pages)), Source: source, Validation: report, LineCount: report.Lines,
		Editable: true}
	for i, p := range pages {
		a.URLs[i] = pageRow{p.Line, p.URL, p.Title}
	}
	if err == nil && in.all {
		var content []byte
		content, _, err = s.Setup.URLContent(ctx)
		text := string(content)
		a.Content, a.Structure = &text, &report.Structure
	}
	return a, err
}

// reset confirms a reset; changed tells whether something was removed.
func (s *server) reset(changed bool, message string, err error) (resetResponse, error) {
	return resetResponse{true, message, changed && s.Runs.Status().Active(), s.publication()}, err
}
