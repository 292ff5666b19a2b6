package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/puttrix/trafficinator/controller/internal/setup"
)

type urlsRequest struct {
	Skip  int `query:"skip" minimum:"0" maximum:"1000000" default:"0"`
	Limit int `query:"limit" minimum:"0" maximum:"1000" default:"100" doc:"How many pages are listed; report and structure are of all."`

	whole bool
}

// Resolve implements huma.Resolver: whoever asks for no part gets the whole list, as the original's client does.
func (r *urlsRequest) Resolve(ctx huma.Context) []error {
	r.whole = ctx.Query("skip") == "" && ctx.Query("limit") == ""
	return nil
}

type urlsResponse struct {
	URLs       []pageRow        `json:"urls"`
	Content    *string          `json:"content,omitempty" doc:"The whole file as text, and structure that of its report; both only where neither skip nor limit is given."`
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
		Content string `json:"content" doc:"The whole file as text."`
	}
}

// SavedContent is the answer to a file that was saved. It is exported because huma leaves out what an unexported struct
// embeds.
type SavedContent[T any] struct {
	Success         bool   `json:"success" doc:"Always true; failures have a status of their own."`
	Message         string `json:"message"`
	Validation      T      `json:"validation"`
	RestartRequired bool   `json:"restart_required" doc:"A run goes on that does not know it yet."`
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
	Success         bool   `json:"success" doc:"Always true; failures have a status of their own."`
	Message         string `json:"message"`
	RestartRequired bool   `json:"restart_required"`
	Publication
}

type textResponse struct {
	ContentType string `header:"Content-Type"`
	Disposition string `header:"Content-Disposition"`
	Body        []byte
}

var _ = routes((*server).urls)

func (s *server) urls() {
	reply(s, op(http.MethodGet, "/api/urls", tagTraffic, "The pages, some at a time, and what can be said of all"),
		s.listURLs)
	route(s, file(op(http.MethodGet, "/api/urls/file", tagTraffic, "The pages as urls.txt"), "text/plain",
		&huma.Schema{Type: huma.TypeString}), func(ctx context.Context, _ *empty) (*textResponse, error) {
		content, _, err := s.Setup.URLContent(ctx)
		return &textResponse{"text/plain; charset=utf-8", `attachment; filename="urls.txt"`, content}, err
	})
	reply(s, large(op(http.MethodPost, "/api/urls", tagTraffic, "Replace the pages")),
		func(ctx context.Context, in *pagesRequest) (savedURLs, error) {
			report, err := s.Setup.SaveURLs(ctx, in.content)
			return savedURLs{savedContent(s, "pages saved", report), report.Structure}, err
		})
	reply(s, large(as(question, op(http.MethodPost, "/api/urls/validate", tagTraffic, "Is this list of pages good?"))),
		func(_ context.Context, in *pagesRequest) (setup.URLReport, error) {
			return s.Setup.ValidateURLs(in.content), nil
		})
	// huma would read a body that it knows of itself.
	for _, path := range []string{"/api/urls", "/api/urls/validate"} {
		s.huma.OpenAPI().Paths[path].Post.RequestBody = pagesBody()
	}
	reply(s, op(http.MethodDelete, "/api/urls", tagTraffic, "Go back to the built-in pages"),
		func(ctx context.Context, _ *empty) (resetResponse, error) {
			was, err := s.Setup.DeleteURLs(ctx)
			return s.reset(was, "the built-in pages are in use", err)
		})
}

func (s *server) listURLs(ctx context.Context, in *urlsRequest) (urlsResponse, error) {
	pages, report, source, err := s.Setup.URLs(ctx, in.Skip, in.Limit)
	a := urlsResponse{URLs: make([]pageRow, len(pages)), Source: source, Validation: report, LineCount: report.Lines,
		Editable: true}
	for i, p := range pages {
		a.URLs[i] = pageRow{p.Line, p.URL, p.Title}
	}
	if err == nil && in.whole {
		var content []byte
		content, _, err = s.Setup.URLContent(ctx)
		text := string(content)
		a.Content, a.Structure = &text, &report.Structure
	}
	return a, err
}

// reset answers that something saved was removed, and whether a run does not know it yet.
func (s *server) reset(was bool, message string, err error) (resetResponse, error) {
	return resetResponse{true, message, was && s.Runs.Status().Active(), s.publication()}, err
}
