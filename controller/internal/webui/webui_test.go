package webui_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/puttrix/trafficinator/controller/internal/webui"
)

func get(h http.Handler, path string) *httptest.ResponseRecorder {
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequest("GET", path, nil))
	return rec
}

func TestABuiltInterfaceIsServedWithWhatMayBeCached(t *testing.T) {
	t.Parallel()
	h := webui.New(fstest.MapFS{
		"index.html":       {Data: []byte("the app")},
		"assets/app-1a.js": {Data: []byte("code")},
		"icon.svg":         {Data: []byte("<svg/>")},
		".gitkeep":         {},
	})
	for _, c := range []struct {
		path      string
		status    int
		body      string
		kind, age string
	}{
		{"/", 200, "the app", "text/html", "no-store"},
		{"/runs/20260102-030405-abcd", 200, "the app", "text/html", "no-store"},
		{"/assets/app-1a.js", 200, "code", "text/javascript", "immutable"},
		{"/icon.svg", 200, "<svg/>", "image/svg+xml", "no-cache"},
		{"/assets/gone.js", 404, "", "", ""},
		{"/gone.png", 404, "", "", ""},
		{"/.gitkeep", 404, "", "", ""},
		{"/../../etc/passwd", 404, "", "", ""},
		{"/assets/%2e%2e/%2e%2e/main.go", 404, "", "", ""},
		{"/ui", 302, "", "", ""},
		{"/index.html", 302, "", "", ""},
	} {
		got := get(h, c.path)
		if got.Code != c.status || c.status == 200 && got.Body.String() != c.body ||
			!strings.Contains(got.Header().Get("Content-Type"), c.kind) ||
			!strings.Contains(got.Header().Get("Cache-Control"), c.age) {
			t.Errorf("%s: %d %q %v", c.path, got.Code, got.Body, got.Header())
		}
	}
}

// resolved is where a browser at address, one of a proxy, gets to by the answer's Location or else by the base element.
func resolved(t *testing.T, address string, got *httptest.ResponseRecorder) string {
	t.Helper()
	at, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	to := got.Header().Get("Location")
	if to == "" {
		_, rest, _ := strings.Cut(got.Body.String(), `<base href="`)
		to, _, _ = strings.Cut(rest, `"`)
	}
	next, err := at.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	return next.String()
}

func TestPagesFindTheirRootBelowAnyPath(t *testing.T) {
	t.Parallel()
	built := webui.New(fstest.MapFS{"index.html": {Data: []byte(`<head><base href="/" /></head>`)}})
	for _, h := range []http.Handler{built, webui.New(fstest.MapFS{})} {
		for _, asked := range []string{"/", "/funnels", "/funnels/", "/funnels/new/shop", "/reports/1/history/a%2Fb",
			"/ui", "/ui/", "/ui/x/y", "/index.html"} {
			got := resolved(t, "https://host.test/below/it"+asked, get(h, asked))
			if got != "https://host.test/below/it/" {
				t.Errorf("%s leads to %s", asked, got)
			}
		}
	}
}

func TestWithoutABuildThePlainPageSaysHowToBuildIt(t *testing.T) {
	t.Parallel()
	none := fstest.MapFS{".gitkeep": {}}
	if webui.Built(none) {
		t.Error("an empty folder counts as built")
	}
	h := webui.New(none)
	page := get(h, "/").Body.String()
	if !strings.Contains(page, "npm run build") {
		t.Error("it does not say how")
	}
	if strings.Contains(page, "<script>") || strings.Contains(page, "style=") || strings.Contains(page, "onclick") {
		t.Error("the page holds what its own policy forbids")
	}
	for _, asset := range []string{"page.js", "page.css"} {
		if !strings.Contains(page, `="`+asset) || get(h, "/"+asset).Code != 200 {
			t.Errorf("%s is not there", asset)
		}
	}
}
