package api

import (
	"net/http"
	"path"
	"strings"
)

// WithPrefix serves h also below prefix, which has no slash at its end, for a proxy that passes on the path as it is. One
// that takes the prefix away needs no help: every address in the pages is relative.
func WithPrefix(prefix string, h http.Handler) http.Handler {
	if prefix == "" {
		return h
	}
	stripped := http.StripPrefix(prefix, h)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == prefix: // relative addresses need the slash at the end
			w.Header().Set("Location", path.Base(prefix)+"/")
			w.WriteHeader(http.StatusPermanentRedirect)
		case strings.HasPrefix(r.URL.Path, prefix+"/"):
			stripped.ServeHTTP(w, r)
		default:
			h.ServeHTTP(w, r)
		}
	})
}
