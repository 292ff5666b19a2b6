package api

import (
	"embed"
	"io/fs"
	"net/http"

	"github.com/labstack/echo/v4"
)

//go:embed docs
var docsFiles embed.FS

var _ = addRoutes((*server).docs)

// docs serves a self-contained page that shows the OpenAPI document. Its URLs are relative to /docs.
func (s *server) docs() {
	files, err := fs.Sub(docsFiles, "docs")
	if err != nil {
		panic(err) // the folder is embedded
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
