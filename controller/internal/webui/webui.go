// Package webui owns how the user interface gets to browsers: the built bundle with what may be cached of it, or a
// plain page where there is none. It knows no API and no page's content.
package webui

import (
	"embed"
	"io/fs"
	"net/http"
	"path"
	"strings"
)

//go:embed placeholder
var placeholder embed.FS

const index = "index.html"

// Built tells whether bundle, the root of a build, holds one.
func Built(bundle fs.FS) bool {
	_, err := fs.Stat(bundle, index)
	return err == nil
}

// New serves bundle, or a plain page that says how to build it where it is not Built.
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
			http.Redirect(w, r, "/", http.StatusFound)
			return
		}
		info, err := fs.Stat(bundle, name)
		switch isFile := err == nil && !info.IsDir() && !strings.HasPrefix(path.Base(name), "."); {
		case isFile && strings.HasPrefix(name, "assets/"):
			w.Header().Set("Cache-Control", "public, max-age=31536000, immutable") // their names change with their content
		case isFile:
			w.Header().Set("Cache-Control", "no-cache")
		case path.Ext(name) != "" || strings.HasPrefix(name, "assets/"):
			http.NotFound(w, r)
			return
		default: // a page of the interface, which finds its own way
			name = index
			w.Header().Set("Cache-Control", "no-store")
		}
		http.ServeFileFS(w, r, unredirected{bundle, name}, "page"+path.Ext(name))
	})
}

// unredirected is one file, because http.ServeFileFS sends index.html to its folder.
type unredirected struct {
	fs.FS
	name string
}

// Open implements fs.FS.
func (u unredirected) Open(string) (fs.File, error) { return u.FS.Open(u.name) }
