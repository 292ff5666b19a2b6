package api

import (
	"embed"
	"io/fs"
	"net/http"

	"github.com/labstack/echo/v4"
)

//go:embed docs
var docsFiles embed.FS

var _ = routes((*server).docs)

// docs serves a page that shows the OpenAPI document; it needs nothing from elsewhere. Its addresses are relative to
// /docs.
func (s *server) docs() {
	files, err := fs.Sub(docsFiles, "docs")
	if err != nil {
		panic(err) // the folder is part of the program
	}
	for path, name := range map[string]string{"/docs": "docs.html", "/docs/docs.css": "docs.css",
		"/docs/docs.js": "docs.js"} {
		s.echo.GET(path, func(c echo.Context) error {
			http.ServeFileFS(c.Response(), c.Request(), files, name)
			return nil
		})
	}
	s.echo.GET("/redoc", func(c echo.Context) error { return c.Redirect(http.StatusFound, "docs") })
	s.echo.GET("/docs/", func(c echo.Context) error { return c.Redirect(http.StatusFound, "../docs") })
}
