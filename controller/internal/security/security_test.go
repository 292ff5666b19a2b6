package security_test

import (
	"context"
	"crypto/sha256"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/puttrix/trafficinator/controller/internal/security"
	"github.com/puttrix/trafficinator/shared/secret"
)

const key = "a key of \xff any bytes"

// wall is a guarded server whose clock stands still until it is moved.
type wall struct {
	*security.Guard
	*echo.Echo
	now    time.Time
	key    secret.String
	public url.URL
	store  *memory
	ended  <-chan struct{} // of the request before
}

func newWall(perMinute int) *wall {
	w := &wall{key: key, public: url.URL{Scheme: "https", Host: "Public.Example.Test:8443"},
		now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	w.store = &memory{sessions: map[[sha256.Size]byte]time.Time{}}
	w.restart(perMinute)
	return w
}

// restart begins another life with the same store.
func (w *wall) restart(perMinute int) {
	w.Echo = echo.New()
	var err error
	w.Guard, err = security.New(context.Background(), security.Config{
		Key: w.key, Hosts: []string{"Load.Example.Test", "public.example.test"}, Public: w.public,
		Origins: []string{"https://ops.example.test"}, Store: w.store, Log: slog.New(slog.DiscardHandler),
		Proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, PerMinute: perMinute, Now: func() time.Time {
			return w.now
		},
	})
	if err != nil {
		panic(err) // the store always answers
	}
	w.Use(w.SecurityHeaders)
	w.Any("/api/x", func(c echo.Context) error {
		w.ended = w.SessionDone(c)
		return c.NoContent(http.StatusNoContent)
	}, w.Audit, w.Authenticate)
	w.POST("/api/session", func(c echo.Context) error {
		return w.SignIn(c, secret.String(c.Request().Header.Get("Try-Key")),
			secret.String(c.Request().Header.Get("Try-Code")))
	}, w.Audit, w.LimitSignIns)
	w.DELETE("/api/session", func(c echo.Context) error {
		w.SignOut(c)
		return c.NoContent(http.StatusNoContent)
	}, w.Audit, w.Authenticate)
}

// ask sends a request with headers given as name, value, name, value.
func (w *wall) ask(method string, headers ...string) *httptest.ResponseRecorder {
	return w.askAt("/api/x", method, headers...)
}

func (w *wall) askAt(path, method string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://localhost:8000"+path, nil)
	for i := 0; i < len(headers); i += 2 {
		switch headers[i] {
		case "Host":
			r.Host = headers[i+1]
		case "From":
			r.RemoteAddr = headers[i+1]
		default:
			r.Header.Add(headers[i], headers[i+1])
		}
	}
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, r)
	return rec
}

// session begins one and returns its cookie under the names that it has at each address of these tests.
func (w *wall) session(t *testing.T) string {
	t.Helper()
	cookies := w.askAt("/api/session", "POST", "Try-Key", w.key.Reveal()).Result().Cookies()
	if len(cookies) != 1 {
		t.Fatal("the key does not sign in")
	}
	value := "=" + cookies[0].Value
	return security.CookieName + value + "; " + security.CookieName + "_8000" + value + "; " + security.CookieName +
		"_8443" + value
}

func TestWhoMayPass(t *testing.T) {
	t.Parallel()
	w := newWall(100)
	cookie := w.session(t)
	for _, c := range []struct {
		name, method string
		headers      []string
		want         int
	}{
		{"nobody", "GET", nil, 401},
		{"the right key", "GET", []string{"X-API-Key", key}, 204},
		{"a wrong key", "GET", []string{"X-API-Key", "wrong"}, 403},
		{"an empty key", "GET", []string{"X-API-Key", ""}, 403},
		{"a wrong key beside a session", "GET", []string{"X-API-Key", "wrong", "Cookie", cookie}, 403},
		{"a session", "GET", []string{"Cookie", cookie}, 204},
		{"an invented session", "GET", []string{"Cookie", security.CookieName + "_8000=x"}, 401},
		{"a session that writes from a program", "POST", []string{"Cookie", cookie}, 204},
		{"a session that writes from the own page", "POST",
			[]string{"Cookie", cookie, "Origin", "http://localhost:8000"}, 204},
		{"a session that writes from another page", "POST",
			[]string{"Cookie", cookie, "Origin", "http://evil.example.test"}, 403},
		{"a session that writes from another port", "DELETE",
			[]string{"Cookie", cookie, "Origin", "http://localhost:9000"}, 403},
		{"a session that writes from a sandbox", "PUT", []string{"Cookie", cookie, "Origin", "null"}, 403},
		{"a session that writes from a listed origin", "POST",
			[]string{"Cookie", cookie, "Origin", "https://ops.example.test"}, 403},
		{"a form of another site without an origin", "POST",
			[]string{"Cookie", cookie, "Sec-Fetch-Site", "cross-site"}, 403},
		{"the same origin on a page that is not it", "POST",
			[]string{"Cookie", cookie, "Origin", "http://localhost:8000", "Sec-Fetch-Site", "cross-site"}, 403},
		{"another port of this host", "POST",
			[]string{"Cookie", cookie, "Origin", "http://localhost:9000", "Sec-Fetch-Site", "same-site"}, 403},
		{"another scheme", "POST", []string{"Cookie", cookie, "Origin", "ftp://localhost:8000"}, 403},
		{"an extension", "POST", []string{"Cookie", cookie, "Origin", "chrome-extension://localhost:8000"}, 403},
		{"an origin with a user", "POST", []string{"Cookie", cookie, "Origin", "http://evil@localhost:8000"}, 403},
		{"plain http where the site is https", "POST",
			[]string{"Cookie", cookie, "Origin", "http://load.example.test", "Host", "load.example.test", "From",
				"10.0.0.1:1", "X-Forwarded-Proto", "https"}, 403},
		{"https where a trusted proxy ends it", "POST",
			[]string{"Cookie", cookie, "Origin", "https://load.example.test", "Host", "load.example.test", "From",
				"10.0.0.1:1", "X-Forwarded-Proto", "https"}, 204},
		{"https that a stranger claims", "POST",
			[]string{"Cookie", cookie, "Origin", "https://load.example.test", "Host", "load.example.test",
				"X-Forwarded-Proto", "https"}, 403},
		{"a proxy that hides the host, by a browser that says whose page it is", "POST",
			[]string{"Cookie", cookie, "Origin", "https://elsewhere.example.test", "Sec-Fetch-Site", "same-origin"},
			204},
		{"a proxy that hides the host, at the public address", "POST",
			[]string{"Cookie", cookie, "Origin", "https://public.example.test:8443"}, 204},
		{"another port of the public host", "POST", []string{"Cookie", cookie, "Origin", "https://public.example.test"},
			403},
		{"a key that writes from a listed origin", "POST",
			[]string{"X-API-Key", key, "Origin", "https://ops.example.test"}, 204},
		{"a foreign host", "GET", []string{"X-API-Key", key, "Host", "evil.example.test"}, 421},
		{"an allowed host whatever its case and port", "GET",
			[]string{"X-API-Key", key, "Host", "load.example.TEST:80"}, 204},
		{"an IPv6 host", "GET", []string{"X-API-Key", key, "Host", "[::1]:8000"}, 204},
		{"a health check of this machine, whatever is allowed", "GET",
			[]string{"X-API-Key", key, "Host", "127.0.0.1:8000"}, 204},
		{"an IPv6 host without port", "GET", []string{"X-API-Key", key, "Host", "[::1]"}, 204},
	} {
		if got := w.ask(c.method, c.headers...).Code; got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}

func TestASessionEndsByItselfAndBySigningOut(t *testing.T) {
	t.Parallel()
	w := newWall(100)
	cookie := w.session(t)
	w.now = w.now.Add(security.SessionTTL - time.Minute)
	if got := w.ask("GET", "Cookie", cookie).Code; got != 204 {
		t.Fatalf("in use: %d", got)
	}
	w.now = w.now.Add(security.SessionTTL - time.Minute)
	if got := w.ask("GET", "Cookie", cookie).Code; got != 204 {
		t.Errorf("its use has not prolonged it: %d", got)
	}
	w.now = w.now.Add(security.SessionTTL)
	if got := w.ask("GET", "Cookie", cookie).Code; got != 401 {
		t.Errorf("unused for its time: %d", got)
	}
	cookie = w.session(t)
	w.askAt("/api/session", "DELETE", "Cookie", cookie)
	if got := w.ask("GET", "Cookie", cookie).Code; got != 401 {
		t.Errorf("signed out: %d", got)
	}
}

func TestACodeSignsInOnceWithinItsTime(t *testing.T) {
	t.Parallel()
	w := newWall(100)
	signIn := func(code string) int { return w.askAt("/api/session", "POST", "Try-Code", code).Code }
	code := w.NewSignInCode().Reveal()
	if got := signIn(code); got != 200 {
		t.Errorf("the first use is refused: %d", got)
	}
	if got := signIn(code); got != 403 {
		t.Errorf("the second use passes: %d", got)
	}
	code = w.NewSignInCode().Reveal()
	w.now = w.now.Add(security.CodeTTL)
	if got := signIn(code); got != 403 {
		t.Errorf("an old code passes: %d", got)
	}
	if got := signIn(""); got != 403 {
		t.Errorf("nothing signs in: %d", got)
	}
}

func TestWrongKeysAreLimitedByAddressAndARightOneAlwaysPasses(t *testing.T) {
	t.Parallel()
	w := newWall(100)
	for i := range 10 {
		if got := w.ask("GET", "X-API-Key", "wrong", "From", "192.0.2.1:1").Code; got != 403 {
			t.Fatalf("try %d: %d", i, got)
		}
	}
	blocked := w.ask("GET", "X-API-Key", "wrong", "From", "192.0.2.1:2")
	if blocked.Code != 429 || blocked.Header().Get("Retry-After") != "6" {
		t.Errorf("try 11: %d, Retry-After %q", blocked.Code, blocked.Header().Get("Retry-After"))
	}
	if got := w.ask("GET", "X-API-Key", key, "From", "192.0.2.1:3").Code; got != 204 {
		t.Errorf("the right key from there: %d", got)
	}
	if got := w.ask("GET", "X-API-Key", "wrong", "From", "192.0.2.2:1").Code; got != 403 {
		t.Errorf("another address: %d", got)
	}
	w.now = w.now.Add(time.Minute)
	if got := w.ask("GET", "X-API-Key", "wrong", "From", "192.0.2.1:4").Code; got != 403 {
		t.Errorf("a minute later: %d", got)
	}
}

func TestAProxyIsBelievedOnlyWhereItIsTrusted(t *testing.T) {
	t.Parallel()
	w := newWall(100)
	for _, c := range []struct{ name, from, chain, want string }{
		{"a stranger's chain", "192.0.2.1:1", "198.51.100.9", "192.0.2.1"},
		{"a proxy's chain", "10.1.1.1:1", "198.51.100.9", "198.51.100.9"},
		{"what the client wrote itself before the proxy", "10.1.1.1:1", "203.0.113.1, 198.51.100.9", "198.51.100.9"},
		{"two proxies", "10.1.1.1:1", "198.51.100.9, 10.2.2.2", "198.51.100.9"},
		{"nonsense", "10.1.1.1:1", "unknown", "10.1.1.1"},
		{"IPv4 in IPv6", "[::ffff:10.1.1.1]:1", "2001:db8::1", "2001:db8::1"},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = c.from
		r.Header.Set("X-Forwarded-For", c.chain)
		if got := w.ClientIP(r).String(); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestABudgetIsToldAndEnds(t *testing.T) {
	t.Parallel()
	w := newWall(2)
	first := w.ask("GET", "X-API-Key", key)
	if h := first.Header(); h.Get("RateLimit-Limit") != "2" || h.Get("RateLimit-Remaining") != "1" ||
		h.Get("RateLimit-Reset") != "30" {
		t.Errorf("%v", h)
	}
	w.ask("GET", "X-API-Key", key)
	if third := w.ask("GET", "X-API-Key", key); third.Code != 429 || third.Header().Get("Retry-After") != "30" {
		t.Errorf("%d, Retry-After %q", third.Code, third.Header().Get("Retry-After"))
	}
	if got := w.ask("GET", "Cookie", w.session(t)).Code; got != 204 {
		t.Errorf("a session has its own budget: %d", got)
	}
	w.now = w.now.Add(30 * time.Second)
	if got := w.ask("GET", "X-API-Key", key).Code; got != 204 {
		t.Errorf("after the wait: %d", got)
	}
}

func TestOtherOriginsGetOnlyWhatIsListedAndNeverCredentials(t *testing.T) {
	t.Parallel()
	w := newWall(100)
	preflight := func(origin string) http.Header {
		return w.ask("OPTIONS", "Origin", origin, "Access-Control-Request-Method", "PUT").Header()
	}
	if h := preflight("https://ops.example.test"); h.Get("Access-Control-Allow-Origin") != "https://ops.example.test" ||
		h.Get("Access-Control-Allow-Credentials") != "" {
		t.Errorf("listed: %v", h)
	}
	for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} { // those of the API
		if allowed := preflight("https://ops.example.test").
			Get("Access-Control-Allow-Methods"); !strings.Contains(allowed, method) {
			t.Errorf("%s is not among %q", method, allowed)
		}
	}
	for _, origin := range []string{"https://evil.example.test", "null", "http://ops.example.test",
		"https://ops.example.test.evil.test"} {
		if got := preflight(origin).Get("Access-Control-Allow-Origin"); got != "" {
			t.Errorf("%s may read as %s", origin, got)
		}
	}
}

func TestHeadersOfEveryAnswer(t *testing.T) {
	t.Parallel()
	w := newWall(100)
	h := w.ask("GET").Header()
	if csp := h.Get("Content-Security-Policy"); !strings.Contains(csp, "script-src 'self';") ||
		!strings.Contains(csp, "frame-ancestors 'none'") {
		t.Errorf("policy %q", csp)
	}
	if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Strict-Transport-Security") != "" {
		t.Errorf("%v", h)
	}
}

// HSTS is for every port of a host: it would shut off what else is offered there without TLS.
func TestTLSIsDemandedOfAHostThatIsTheControllersAlone(t *testing.T) {
	t.Parallel()
	const public = "public.example.test"
	for name, c := range map[string]struct {
		address, host string
		want          bool
	}{
		"the public address":                 {public, public, true},
		"the usual port, written out":        {public + ":443", public, true},
		"another port":                       {public + ":8443", public + ":8443", false},
		"another name behind the same proxy": {public, "localhost", false},
	} {
		w := newWall(100)
		w.public = url.URL{Scheme: "https", Host: c.address}
		w.restart(100)
		got := w.ask("GET", "Host", c.host, "From", "10.0.0.1:1", "X-Forwarded-Proto",
			"https").Header().Get("Strict-Transport-Security")
		if (got != "") != c.want {
			t.Errorf("%s: Strict-Transport-Security %q", name, got)
		}
	}
}

// Cookies belong to a host, whatever the port.
func TestTwoControllersOfOneHostSignNobodyOfTheOtherOut(t *testing.T) {
	t.Parallel()
	one, other := newWall(100), newWall(100)
	browser := ""
	signIn := func(w *wall, host string) {
		for _, c := range w.askAt("/api/session", "POST", "Try-Key", key, "Host", host).Result().Cookies() {
			browser += c.Name + "=" + c.Value + "; "
		}
	}
	signIn(one, "localhost:8000")
	signIn(other, "localhost:8001")
	for host, w := range map[string]*wall{"localhost:8000": one, "localhost:8001": other} {
		if got := w.ask("GET", "Host", host, "Cookie", browser).Code; got != http.StatusNoContent {
			t.Errorf("%s answers %d", host, got)
		}
	}
	w := newWall(100)
	c := w.askAt("/api/session", "POST", "Try-Key", key, "Host", "public.example.test").Result().Cookies()[0]
	if want := security.CookieName + "_8443"; c.Name != want {
		t.Errorf("behind a proxy that leaves the port out the cookie is %s, want %s", c.Name, want)
	}
}

func TestTheCookieOfASessionIsSecureAndForTheAPIAlone(t *testing.T) {
	t.Parallel()
	w := newWall(100)
	cookie := func(host string) *http.Cookie {
		return w.askAt("/api/session", "POST", "Try-Key", key, "Host", host).Result().Cookies()[0]
	}
	if c := cookie("localhost:8000"); c.Path != "" || c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteStrictMode {
		t.Errorf("%v", c)
	}
	if c := cookie("public.example.test:8443"); !c.Secure {
		t.Errorf("the public address is https, and its cookie is not secure: %v", c)
	}
}
