package api_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/puttrix/trafficinator/controller/internal/api"
)

func TestAProxyMayKeepTheWholePath(t *testing.T) {
	t.Parallel()
	h := api.WithPrefix("/of/it", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.URL.EscapedPath())
	}))
	for asked, want := range map[string]string{
		"/of/it/": "/", "/of/it/api/status": "/api/status", "/of/it/a%2Fb": "/a%2Fb", "/api/status": "/api/status",
		"/of/items": "/of/items",
	} {
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, httptest.NewRequest("GET", asked, nil))
		if got := rec.Body.String(); got != want {
			t.Errorf("%s is %s, want %s", asked, got, want)
		}
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequest("GET", "/of/it", nil))
	if to := rec.Header().Get("Location"); rec.Code != 308 || to != "it/" {
		t.Errorf("without the slash at its end: %d to %q", rec.Code, to)
	}
}
