// Package api owns the HTTP interface: paths, methods, forms of requests and answers, and which status an error has.
// It knows no rule of what it hands on; setup and run do.
package api

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"
	"github.com/labstack/echo/v4"

	"github.com/puttrix/trafficinator/controller/internal/disk"
	"github.com/puttrix/trafficinator/controller/internal/live"
	"github.com/puttrix/trafficinator/controller/internal/security"
	"github.com/puttrix/trafficinator/controller/internal/setup"
	"github.com/puttrix/trafficinator/controller/internal/store"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

// Deps is what the API stands on.
type Deps struct {
	Guard      *security.Guard
	Store      *store.Store
	Setup      *setup.Service
	Runs       Runs
	Jobs       Jobs
	Live       Live
	Logs       Logs
	Hub        *live.Hub
	Preview    Preview
	Doctor     Doctor
	Reconciler Reconciler
	Benchmarks Benchmarks
	// Disk knows what cannot be stored.
	Disk *disk.Monitor
	// Ledger reads the ledger of a run that goes on, see ledgers.Reader.
	Ledger  func(runID string) (*runsummary.Summary, error)
	Log     *slog.Logger
	Version string
	Now     func() time.Time
}

// server is the API being put together.
type server struct {
	Deps
	echo *echo.Echo
	huma huma.API
	// access is that of each operation, by its routeKey.
	access map[string]access
	// large has room for one request with a large body.
	large chan struct{}
}

// New makes the handler of all routes. ui answers everything that is none of them.
func New(d Deps, ui http.Handler) http.Handler {
	s := build(d)
	s.echo.GET("/*", echo.WrapHandler(ui))
	return headAsGet(s.echo)
}

// Document is the OpenAPI document as JSON, for what is generated from it.
func Document() ([]byte, error) {
	return json.MarshalIndent(build(Deps{}).huma.OpenAPI(), "", "  ")
}

// groups register the routes. Each file adds its own, so that a new one is all that a route needs here.
var groups []func(*server)

// routes adds a group.
func routes(register func(*server)) struct{} {
	groups = append(groups, register)
	return struct{}{}
}

// build registers every route of the API. It calls nothing of d.
func build(d Deps) *server {
	asFailures()
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	s := &server{Deps: d, echo: e, access: map[string]access{}, large: make(chan struct{}, 1)}
	e.HTTPErrorHandler = s.answerError
	e.Use(s.recovered, d.Guard.SecurityHeaders, s.walled)
	s.huma = humaecho.New(e, document())
	s.huma.UseMiddleware(s.sound, s.alone)

	for _, register := range groups {
		register(s)
	}
	kinds(s.huma.OpenAPI().Components.Schemas.Map())
	nullable(s.huma.OpenAPI().Components.Schemas)
	leftOut(s.huma.OpenAPI())
	e.GET("/api/*", func(echo.Context) error { return echo.ErrNotFound })
	return s
}

// maxHeader bounds the headers of a request, in bytes.
const maxHeader = 64 << 10

// NewServer is the http.Server for a handler that New has made, behind a security.Listener. Writing has no limit for
// members: streams and downloads take long.
func NewServer(h http.Handler) *http.Server {
	return &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: maxHeader, ConnContext: security.WithConn}
}
