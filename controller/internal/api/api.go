// Package api owns the HTTP interface: paths, requests, responses, and the status of each kind of error. It knows no
// rules of what it serves; setup and run do.
package api

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"
	"github.com/labstack/echo/v4"

	"github.com/puttrix/trafficinator/controller/internal/disk"
	"github.com/puttrix/trafficinator/controller/internal/live"
	"github.com/puttrix/trafficinator/controller/internal/run/history"
	"github.com/puttrix/trafficinator/controller/internal/security"
	"github.com/puttrix/trafficinator/controller/internal/setup"
)

// Deps are the services that the API serves.
type Deps struct {
	Guard      *security.Guard
	Setup      *setup.Service
	Runs       Runs
	Jobs       Jobs
	History    history.Reader
	Live       Live
	Logs       Logs
	Hub        *live.Hub
	Preview    Preview
	Doctor     Doctor
	Reconciler Reconciler
	Benchmarks Benchmarks
	// Disk knows what cannot be written.
	Disk *disk.Monitor
	// Backup makes a consistent copy of the database; closing removes it.
	Backup  func(context.Context) (io.ReadCloser, error)
	Log     *slog.Logger
	Version string
	Now     func() time.Time
}

// server holds the API while its routes are registered and served.
type server struct {
	Deps
	echo *echo.Echo
	huma huma.API
	// access has the access of each operation by its routeKey.
	access map[string]access
	// largeBodies limits requests with a large body to one at a time.
	largeBodies chan struct{}
}

// New returns the handler of all routes; ui serves every other path.
func New(d Deps, ui http.Handler) http.Handler {
	s := newServer(d)
	s.echo.GET("/*", echo.WrapHandler(ui))
	return headAsGet(s.echo)
}

// Document returns the OpenAPI document as JSON, for code generators.
func Document() ([]byte, error) {
	return json.MarshalIndent(newServer(Deps{}).huma.OpenAPI(), "", "  ")
}

// routeGroups register the routes. Each file adds its own with addRoutes, so that a new file needs no change here.
var routeGroups []func(*server)

func addRoutes(register func(*server)) struct{} {
	routeGroups = append(routeGroups, register)
	return struct{}{}
}

// newServer registers every route. It calls nothing of d.
func newServer(d Deps) *server {
	setErrorFormat()
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	s := &server{Deps: d, echo: e, access: map[string]access{}, largeBodies: make(chan struct{}, 1)}
	e.HTTPErrorHandler = s.handleEchoError
	e.Use(s.recoverPanics, d.Guard.SecurityHeaders, s.requireAccess)
	s.huma = humaecho.New(e, humaConfig())
	s.huma.UseMiddleware(s.checkRequest, s.limitLargeBodies)
	for _, register := range routeGroups {
		register(s)
	}
	addEnums(s.huma.OpenAPI().Components.Schemas.Map())
	markNullable(s.huma.OpenAPI().Components.Schemas)
	allowNull(s.huma.OpenAPI())
	e.GET("/api/*", func(echo.Context) error { return echo.ErrNotFound })
	return s
}

// headAsGet serves HEAD like GET; net/http leaves out the body (RFC 9110, 9.3.2). The stream never ends, so it has no
// HEAD.
func headAsGet(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead && r.URL.Path != streamPath {
			r = r.WithContext(r.Context()) // net/http keeps its own copy with the method
			r.Method = http.MethodGet
		}
		h.ServeHTTP(w, r)
	})
}

// WithPrefix serves h also below prefix, which has no trailing slash, for proxies that forward the whole path.
// Proxies that strip a prefix need no help: every URL in the pages is relative.
func WithPrefix(prefix string, h http.Handler) http.Handler {
	if prefix == "" {
		return h
	}
	stripped := http.StripPrefix(prefix, h)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == prefix: // relative URLs need the trailing slash
			w.Header().Set("Location", path.Base(prefix)+"/")
			w.WriteHeader(http.StatusPermanentRedirect)
		case strings.HasPrefix(r.URL.Path, prefix+"/"):
			stripped.ServeHTTP(w, r)
		default:
			h.ServeHTTP(w, r)
		}
	})
}

// maxHeader limits the headers of a request, in bytes.
const maxHeader = 64 << 10

// NewServer returns an http.Server for a handler of New, to be used with security.LimitConnections. It has no write
// timeout, because streams and downloads take long.
func NewServer(h http.Handler) *http.Server {
	return &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: maxHeader, ConnContext: security.WithConn}
}
