package api_test

import (
	"bufio"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/puttrix/trafficinator/controller/internal/api"
)

func TestASignInThatIsTooLongIsNotRead(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for _, c := range []struct {
		length int64
		want   int
	}{{99_000_000_000, 413}, {8193, 413}, {8192, 403}} {
		read := &counter{Reader: strings.NewReader(`{"api_key":"` + strings.Repeat("A", 100) + `"}`)}
		r := httptest.NewRequest("POST", "/api/session", read)
		r.Header.Set("Content-Type", "application/json")
		r.ContentLength = c.length
		rec := httptest.NewRecorder()
		f.ServeHTTP(rec, r)
		if rec.Code != c.want || c.want == 413 && read.n > 0 {
			t.Errorf("%d bytes: %d after %d bytes were read", c.length, rec.Code, read.n)
		}
	}
}

// counter counts what is read.
type counter struct {
	io.Reader
	n int
}

// Read implements io.Reader.
func (c *counter) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n += n
	return n, err
}

func TestTextThatIsNotUTF8IsRefused(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for _, c := range []struct{ method, path, body string }{
		{"POST", "/api/targets", `{"name":"a","url":"http://m` + "\xff" + `.example.test/matomo.php","site_id":1}`},
		{"POST", "/api/presets", "{\"name\":\"a\xc3\",\"config\":{}}"},
		{"PUT", "/api/config", "{\"config\":{\"MATOMO_TOKEN_AUTH\":\"" + token[:31] + "\xe9\"}}"},
		{"PUT", "/api/setup", "{\"\xff\":1}"},
		{"GET", "/api/runs?q=%ff", ""},
		{"GET", "/api/runs?%ff=a", ""},
		{"GET", "/api/runs?q=%zz", ""},
	} {
		if got := f.ask(c.method, c.path, c.body); got.Code != 400 {
			t.Errorf("%s %s %q: %d %s", c.method, c.path, c.body, got.Code, got.Body)
		}
	}
}

func TestRefusalsAreListedBesideTheChanges(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.ask("DELETE", "/api/urls", "")
	for range 3 {
		f.ask("GET", "/api/config", "", "X-API-Key", "wrong")
	}
	f.ask("POST", "/api/session", "x")
	got := f.ask("GET", "/api/audit", "").Body.String()
	for _, want := range []string{
		`"action":"DELETE /api/urls"`, `"action":"GET /api/config","status":403,"tries":3`, `"action":"POST /api/session","status":400,"tries":1`,
	} {
		if strings.Count(got, want) != 1 || strings.Count(got, `"action"`) != 3 {
			t.Errorf("%s is not there once in %s", want, got)
		}
	}
}

func TestAStreamEndsWithItsSession(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	server := httptest.NewUnstartedServer(nil)
	server.Config = api.Serve(f)
	server.Start()
	defer server.Close()
	ask := func(method, path, cookie, body string) *http.Response {
		r, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Cookie", cookie)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = resp.Body.Close() })
		return resp
	}
	cookie, _, _ := strings.Cut(ask("POST", "/api/session", "", `{"api_key":"`+apiKey+`"}`).Header.Get("Set-Cookie"), ";")
	stream := bufio.NewReader(ask("GET", "/api/stream", cookie, "").Body)
	if line, err := stream.ReadString('\n'); err != nil || !strings.HasPrefix(line, "retry:") {
		t.Fatalf("%q, %v", line, err)
	}
	ask("DELETE", "/api/session", cookie, "")
	if _, err := io.ReadAll(stream); err != nil { // returns once the stream ends
		t.Error(err)
	}
}
