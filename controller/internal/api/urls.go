package api

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"github.com/puttrix/trafficinator/controller/internal/setup"
)

type urlsRequest struct {
	Skip  int `query:"skip" minimum:"0" maximum:"1000000" default:"0" doc:"Number of pages to skip."`
	Limit int `query:"limit" minimum:"0" maximum:"1000" default:"100" doc:"Maximum number of pages to return. validation covers all pages."`

	all bool
}

// Resolve implements huma.Resolver: a request for no part gets the content too, like in the original.
func (r *urlsRequest) Resolve(ctx huma.Context) []error {
	r.all = ctx.Query("skip") == "" && ctx.Query("limit") == ""
	return nil
}

type urlsResponse struct {
	URLs       []pageRow        `json:"urls" doc:"Pages, in the order of the file."`
	Content    *string          `json:"content,omitempty" doc:"Content of the file. content and structure are only returned without skip and limit."`
	Structure  *setup.Structure `json:"structure,omitempty" doc:"Domains and folders of the pages."`
	Source     setup.Source     `json:"source" enum:"custom,default" doc:"Whether the list is saved or built in."`
	Validation setup.URLReport  `json:"validation" doc:"Result of the validation."`
	LineCount  int              `json:"line_count" doc:"Number of lines in the file."`
	Editable   bool             `json:"editable" doc:"Always true."`
}

type pageRow struct {
	Line  int    `json:"line" doc:"Line in the file."`
	URL   string `json:"url" doc:"URL of the page."`
	Title string `json:"title" doc:"Title of the page; empty if the line has none."`
}

type contentRequest struct {
	Body struct {
		Content string `json:"content" doc:"Content of the file."`
	}
}

// SavedContent confirms that a file was saved. It is exported because huma ignores embedded structs that are not.
type SavedContent[T any] struct {
	Done
	Validation      T    `json:"validation" doc:"Result of the validation."`
	RestartRequired bool `json:"restart_required" doc:"Whether a run is in progress that uses the old content."`
	Publication
}

func savedContent[T any](s *server, message string, report T) SavedContent[T] {
	return SavedContent[T]{done(message), report, s.Runs.Status().Active(), s.publication()}
}

type savedURLs struct {
	SavedContent[setup.URLReport]
	Structure setup.Structure `json:"structure" doc:"Domains and folders of the pages."`
}

type resetResponse struct {
	Done
	RestartRequired bool `json:"restart_required" doc:"Whether a run is in progress that uses the old content."`
	Publication
}

var _ = addRoutes((*server).urls)

func (s *server) urls() {
	const path = "/api/urls"
	handle(s, get(path, tagTraffic, "List the URLs"), s.listURLs)
	register(s, get(path+"/file", tagTraffic, "Export the URLs as urls.txt").
		produces(map[string]*huma.Schema{"text/plain": anyString()}),
		func(ctx context.Context, _ *empty) (*fileResponse, error) {
			content, _, err := s.Setup.URLContent(ctx)
			return newFile("text/plain; charset=utf-8", "urls.txt", content), err
		})
	handle(s, post(path, tagTraffic, "Replace the URLs").largeBody(),
		func(ctx context.Context, in *urlListRequest) (savedURLs, error) {
			report, err := s.Setup.SaveURLs(ctx, in.content)
			return savedURLs{savedContent(s, "URLs saved", report), report.Structure}, err
		})
	handle(s, post(path+"/validate", tagTraffic, "Validate a URL list").largeBody().allow(readOnly),
		func(_ context.Context, in *urlListRequest) (setup.URLReport, error) {
			return s.Setup.ValidateURLs(in.content), nil
		})
	// Added afterwards, because huma reads every body that an operation declares.
	for _, p := range []string{path, path + "/validate"} {
		s.huma.OpenAPI().Paths[p].Post.RequestBody = urlListBody()
	}
	handlePlain(s, remove(path, tagTraffic, "Reset to the built-in URLs"),
		func(ctx context.Context) (resetResponse, error) {
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

// reset confirms a reset; changed reports whether saved content was removed.
func (s *server) reset(changed bool, message string, err error) (resetResponse, error) {
	return resetResponse{done(message), changed && s.Runs.Status().Active(), s.publication()}, err
}
