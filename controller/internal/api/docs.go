package api

import (
	"embed"
	"io/fs"
	"net/http"

	"github.com/labstack/echo/v4"
)

//go:embed docs
var docsFiles embed.FS

// docs serves a page that shows the OpenAPI document; it needs nothing from elsewhere.
func (s *server) docs() {
	files, err := fs.Sub(docsFiles, "docs")
	if err != nil {
		panic(err) // the folder is part of the program
	}
	page := http.FileServerFS(files)
	s.echo.GET("/docs", func(c echo.Context) error {
		http.ServeFileFS(c.Response(), c.Request(), files, "docs.html")
		return nil
	})
	s.echo.GET("/docs/*", echo.WrapHandler(http.StripPrefix("/docs", page)))
	s.echo.GET("/redoc", func(c echo.Context) error { return c.Redirect(http.StatusFound, "/docs") })
}
