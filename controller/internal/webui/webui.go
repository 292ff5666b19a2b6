// Package webui owns how the user interface gets to browsers: the built bundle with what may be cached of it, or a
// plain page where there is none. It knows no API and no page's content.
package webui

import (
	"bytes"
	"embed"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"
)

//go:embed placeholder
var placeholder embed.FS

const index = "index.html"

// Built tells whether bundle, the root of a build, holds one.
func Built(bundle fs.FS) bool {
	_, err := fs.Stat(bundle, index)
	return err == nil
}

// root is where the built page says that it lies at the root of its host.
const root = `<base href="/" />`

// New serves bundle, or a plain page that says how to build it where it is not Built. Every address in the pages is
// relative to their base element, and that one to the path that was asked, so that they work below any path at which a
// proxy offers them, without knowing it.
func New(bundle fs.FS) http.Handler {
	if !Built(bundle) {
		files, err := fs.Sub(placeholder, "placeholder")
		if err != nil {
			panic(err) // the folder is part of the program
		}
		bundle = files
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(path.Clean("/"+r.URL.Path), "/")
		if name == "ui" || strings.HasPrefix(name, "ui/") || name == index {
			// The original's address, and the page's own name.
			w.Header().Set("Location", up(r))
			w.WriteHeader(http.StatusFound)
			return
		}
		info, err := fs.Stat(bundle, name)
		switch isFile := err == nil && !info.IsDir() && !strings.HasPrefix(path.Base(name), "."); {
		case isFile && strings.HasPrefix(name, "assets/"):
			// their names change with their content
			w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		case isFile:
			w.Header().Set("Cache-Control", "no-cache")
		case path.Ext(name) != "" || strings.HasPrefix(name, "assets/") || strings.Contains(r.URL.Path, "/../"):
			http.NotFound(w, r)
			return
		default: // a page of the interface, which finds its own way
			servePage(w, r, bundle)
			return
		}
		http.ServeFileFS(w, r, bundle, name)
	})
}

// servePage answers with the one page of all paths.
func servePage(w http.ResponseWriter, r *http.Request, bundle fs.FS) {
	page, err := fs.ReadFile(bundle, index)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	page = bytes.Replace(page, []byte(root), []byte(`<base href="`+up(r)+`" />`), 1)
	w.Header().Set("Cache-Control", "no-store")
	http.ServeContent(w, r, index, time.Time{}, bytes.NewReader(page))
}

// up leads from the asked path to the root. It counts the parts of the path as they came, for so the browser counts
// them.
func up(r *http.Request) string {
	depth := strings.Count(strings.TrimPrefix(r.URL.EscapedPath(), "/"), "/")
	return "./" + strings.Repeat("../", depth)
}
