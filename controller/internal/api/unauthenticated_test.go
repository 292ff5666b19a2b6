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
		`"action":"DELETE /api/urls"`, `"action":"GET /api/config","status":403,"tries":3`,
		`"action":"POST /api/session","status":400,"tries":1`,
	} {
		if strings.Count(got, want) != 1 || strings.Count(got, `"action"`) != 3 {
			t.Errorf("%s is not there once in %s", want, got)
		}
	}
}

// served is the address of a server with the limits of the real one.
func served(t *testing.T, f *fixture) string {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	server.Config = api.NewServer(f)
	server.Start()
	t.Cleanup(server.Close)
	return server.URL
}

func TestAStreamEndsWithItsSession(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	address := served(t, f)
	ask := func(method, path, cookie, body string) *http.Response {
		r, err := http.NewRequestWithContext(t.Context(), method, address+path, strings.NewReader(body))
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
	cookie, _, _ := strings.Cut(ask("POST", "/api/session", "", `{"api_key":"`+apiKey+`"}`).Header.Get("Set-Cookie"),
		";")
	stream := bufio.NewReader(ask("GET", "/api/stream", cookie, "").Body)
	if line, err := stream.ReadString('\n'); err != nil || !strings.HasPrefix(line, "retry:") {
		t.Fatalf("%q, %v", line, err)
	}
	ask("DELETE", "/api/session", cookie, "")
	if _, err := io.ReadAll(stream); err != nil { // returns once the stream ends
		t.Error(err)
	}
}

func TestNamesAndNotesHoldNothingThatCannotBeSeen(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.ran(t, "r1")
	const step = `"steps":[{"type":"pageview","url":"https://shop.example.test/"}]`
	for _, c := range []struct{ what, method, path, body string }{
		{"preset", "POST", "/api/presets", `{"name":"a%sb","config":{}}`},
		{"description", "POST", "/api/presets", `{"name":"ab","description":"a%sb","config":{}}`},
		{"target", "POST", "/api/targets", `{"name":"a%sb","url":"https://m.example.test/","site_id":1}`},
		{"funnel", "POST", "/api/funnels", `{"name":"a%sb","probability":0.1,` + step + `}`},
		{"funnel of a set-up", "PUT", "/api/setup",
			`{"trafficinator_setup":1,"funnels":[{"name":"a%sb","probability":0.1,` + step + `}]}`},
		{"job", "POST", "/api/backfill/run", `{"DAYS_BACK":2,"DURATION_DAYS":1,"name":"a%sb"}`},
		{"label", "PATCH", "/api/runs/r1", `{"labels":["a%sb"]}`},
		{"note", "PATCH", "/api/runs/r1", `{"note":"a%sb"}`},
		{"note of a start", "POST", "/api/start", `{"note":"a%sb"}`},
	} {
		for _, hidden := range []string{`\u202e`, `\u2066`, `\u200b`, `\u0000`, `\u001b`, `\u0085`} {
			if got := f.ask(c.method, c.path, strings.ReplaceAll(c.body, "%s", hidden)); got.Code != 422 ||
				!strings.Contains(got.Body.String(), "at position 2") {
				t.Errorf("%s with %s: %d %s", c.what, hidden, got.Code, got.Body)
			}
		}
	}
	if got := f.ask("PATCH", "/api/runs/r1",
		`{"note":"two\nlines, 👩‍💻 and مرحبا","labels":["naïve"]}`); got.Code != 200 {
		t.Errorf("what can be seen: %d %s", got.Code, got.Body)
	}
}

func TestHeadIsGetWithoutABody(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	address := served(t, f)
	for path, want := range map[string]int{"/health": 200, "/api/config": 200, "/docs": 200, "/openapi.json": 200,
		"/api/nothing": 404, "/api/stream": 405} {
		r, err := http.NewRequestWithContext(t.Context(), "HEAD", address+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-API-Key", apiKey)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close() // it is read
		if resp.StatusCode != want || len(data) > 0 || err != nil {
			t.Errorf("HEAD %s: %d with %d bytes, %v", path, resp.StatusCode, len(data), err)
		}
	}
	if got := f.ask("GET", "/api/audit", "").Body.String(); !strings.Contains(got, `"entries":[]`) {
		t.Errorf("HEAD is no change: %s", got)
	}
}

func TestStrangersAreNotToldTheVersion(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	stranger := func(path string, headers ...string) string {
		return f.ask("GET", path, "", append([]string{"X-API-Key", "wrong"}, headers...)...).Body.String()
	}
	for _, path := range []string{"/health", "/openapi.json", "/docs", "/docs/docs.js"} {
		if got := stranger(path); strings.Contains(got, f.version) {
			t.Errorf("%s tells a stranger the version", path)
		}
	}
	if got := f.ask("GET", "/health", "").Body.String(); !strings.Contains(got, `"version":"`+f.version+`"`) {
		t.Errorf("a member is not told: %s", got)
	}
	if got := f.ask("GET", "/api/audit", "").Body.String(); !strings.Contains(got, `"action":"GET /health"`) {
		t.Errorf("wrong keys can be tried there without being counted: %s", got)
	}
}
