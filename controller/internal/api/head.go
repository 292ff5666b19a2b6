package api

import "net/http"

// headAsGet answers HEAD as GET: net/http leaves out the body (RFC 9110, 9.3.2). A stream has no end, and no HEAD.
func headAsGet(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead && r.URL.Path != streamPath {
			r = r.WithContext(r.Context()) // net/http keeps the method of its own
			r.Method = http.MethodGet
		}
		h.ServeHTTP(w, r)
	})
}
