package doctor_test

import (
	"crypto/tls"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/puttrix/trafficinator/shared/doctor"
	"github.com/puttrix/trafficinator/shared/matomo"
	"github.com/puttrix/trafficinator/shared/secret"
	"github.com/puttrix/trafficinator/shared/target"
)

// greets is a service that says something to whoever connects.
func greets(t *testing.T, words string) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(c, words)
			_, _ = c.Read(make([]byte, 4096))
			_ = c.Close()
		}
	}()
	return "http://" + ln.Addr().String()
}

// drain reads an answer and forgets it.
func drain(r io.Reader) error {
	_, err := io.Copy(io.Discard, r)
	return err
}

func TestNoRedirectIsFollowedWithAToken(t *testing.T) {
	var followed atomic.Int32
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { followed.Add(1) }))
	t.Cleanup(elsewhere.Close)
	for _, status := range []int{301, 302, 303, 307, 308} {
		server := httptest.NewServer(http.RedirectHandler(elsewhere.URL+"/index.php?token_auth=hush", status))
		to := target.Target{URL: server.URL + "/matomo.php", SiteID: 1, Token: good,
			Access: target.Access{HTTPAuth: "load:hush"}}
		client := doctor.New(time.Minute, target.Environment{})
		_, err := client.Site(t.Context(), to)
		timed := client.Stream(t.Context(), to, "API.get", nil, drain)
		_, probed := client.Probe(t.Context(), to, all)
		server.Close()
		for _, err := range []error{err, timed, probed} {
			if err == nil || !strings.Contains(err.Error(), "redirect to "+elsewhere.URL+"/index.php") ||
				strings.Contains(err.Error(), "hush") {
				t.Errorf("%d: %v", status, err)
			}
		}
	}
	if n := followed.Load(); n > 0 {
		t.Errorf("%d redirects were followed", n)
	}
}

func TestWhatAnotherServiceSaysIsNotRepeated(t *testing.T) {
	for name, words := range map[string]string{
		"SSH":             "SSH-2.0-OpenSSH_9.2p1 hush\r\n",
		"SMTP":            "220 hush ESMTP\r\n",
		"Redis":           "-ERR hush\r\n",
		"a status":        "HTTP/1.1 hush OK\r\n\r\n",
		"a header":        "HTTP/1.1 200 OK\r\nhush\r\n\r\n",
		"a length":        "HTTP/1.1 200 OK\r\nContent-Length: hush\r\n\r\n",
		"an encoding":     "HTTP/1.1 200 OK\r\nTransfer-Encoding: hush\r\n\r\n",
		"a chunk":         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nhush\r\n",
		"another version": "HTTP/hush 200 OK\r\n\r\n",
	} {
		to := target.Target{URL: greets(t, words) + "/matomo.php", SiteID: 1, Token: good}
		client := doctor.New(time.Minute, target.Environment{})
		for _, f := range client.Diagnose(t.Context(), to, all).Findings {
			if strings.Contains(f.Message+f.Cure, "hush") {
				t.Errorf("%s: %+v", name, f)
			}
		}
		err := client.Stream(t.Context(), to, "API.get", nil, drain)
		if _, probe := client.Probe(t.Context(), to, all); err == nil || probe == nil ||
			strings.Contains(err.Error()+probe.Error(), "hush") {
			t.Errorf("%s: %v, %v", name, err, probe)
		}
	}
}

func TestErrorsOfTheAPIAreDistinguished(t *testing.T) {
	answers := func(status int, body string, header ...string) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) {
			for i := 0; i < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	for name, c := range map[string]struct {
		serve   func(http.ResponseWriter, *http.Request)
		class   matomo.Class
		message string
		advice  string
	}{
		"no right": {answers(401,
			`{"result":"error","message":"You can't access this resource as it requires 'view' access"}`),
			matomo.Rights, "'view' access", "MATOMO_READ_TOKEN"},
		"a bad segment": {answers(400, `{"result":"error","message":"Segment 'x' is not supported"}`), matomo.Refused,
			"Segment 'x'", ""},
		"overloaded": {answers(503, "<h1>503</h1>"), matomo.Later, "answered 503", "later"},
		"a redirect": {answers(302, "", "Location", "https://sso.test/login?from=hush#hush"), matomo.Redirect,
			"redirect to https://sso.test/login", "MATOMO_API_URL"},
		"a password": {answers(401, "<h1>401</h1>", "WWW-Authenticate", "Basic realm=staging"), matomo.InFront,
			"in front of Matomo", "MATOMO_HTTP_AUTH"},
		"a policy":     {answers(403, "<h1>Blocked</h1>"), matomo.InFront, `"Blocked"`, "MATOMO_HEADERS"},
		"another host": {answers(403, "<h1>Blocked</h1>"), matomo.InFront, `"Blocked"`, "MATOMO_API_URL"},
		"no certificate": {answers(400, "<title>400 No required SSL certificate was sent</title>"), matomo.InFront,
			"No required SSL", "TLS_CERT_FILE"},
		"nothing there": {answers(404, "<h1>404</h1>"), matomo.InFront, "not found",
			"MATOMO_API_URL"},
		"a page": {answers(200, "<title>Just a moment</title>"), matomo.Unreadable, `"Just a moment"`,
			"MATOMO_API_URL"},
		"a broken page": {answers(500, "<h1>Oops</h1>"), matomo.Unreadable, "answered 500", "log"},
		"no API":        {answers(200, `"text"`), matomo.Unreadable, "the response is not Matomo's", "MATOMO_API_URL"},
	} {
		server := httptest.NewServer(http.HandlerFunc(c.serve))
		_, err := matomo.NewClient(time.Minute, target.Environment{}).Site(t.Context(),
			target.Target{URL: server.URL + "/matomo.php", Token: good})
		server.Close()
		if matomo.ClassOf(err) != c.class || !strings.Contains(err.Error(), c.message) ||
			!strings.Contains(matomo.Advice(err), c.advice) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: %s: %v: %q", name, matomo.ClassOf(err), err, matomo.Advice(err))
		}
	}
	none := func(string) ([]byte, error) { return nil, fs.ErrNotExist }
	_, err := matomo.NewClient(time.Minute, target.Environment{ReadFile: none}).Site(t.Context(),
		target.Target{URL: "https://matomo.test/matomo.php", Token: good, Access: target.Access{CAFile: "gone.pem"}})
	if matomo.ClassOf(err) != matomo.TLS ||
		!strings.Contains(matomo.Explain(err), "gone.pem cannot be read; correct TLS_CA_FILE") {
		t.Errorf("a file that is gone: %s: %s", matomo.ClassOf(err), matomo.Explain(err))
	}
	mutual := httptest.NewUnstartedServer(http.NotFoundHandler())
	mutual.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	mutual.StartTLS()
	t.Cleanup(mutual.Close)
	_, err = matomo.NewClient(time.Minute, target.Environment{}).Site(t.Context(),
		target.Target{URL: mutual.URL + "/matomo.php", Token: good, Access: target.Access{Insecure: true}})
	if matomo.ClassOf(err) != matomo.TLS || !strings.Contains(matomo.Explain(err), "TLS_CERT_FILE") {
		t.Errorf("no certificate: %s: %s", matomo.ClassOf(err), matomo.Explain(err))
	}
	shut := httptest.NewServer(http.HandlerFunc(answers(407, "hush")))
	t.Cleanup(shut.Close)
	for name, c := range map[string]struct {
		url    string
		proxy  string
		class  matomo.Class
		advice string
	}{
		"no server":            {"http://127.0.0.1:1", "", matomo.Network, "start Matomo"},
		"another service":      {greets(t, "SSH-2.0-x\r\n"), "", matomo.Network, "speak HTTP"},
		"a proxy that is shut": {"https://matomo.test", shut.URL, matomo.Network, "user:password@host"},
		"no proxy there":       {"http://matomo.test", "http://127.0.0.1:1", matomo.Network, "start the proxy"},
	} {
		to := target.Target{URL: c.url + "/matomo.php", Token: good,
			Access: target.Access{Proxy: secret.String(c.proxy)}}
		_, err := matomo.NewClient(time.Minute, target.Environment{}).Site(t.Context(), to)
		if matomo.ClassOf(err) != c.class || !strings.Contains(matomo.Advice(err), c.advice) ||
			strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: %s: %v: %q", name, matomo.ClassOf(err), err, matomo.Advice(err))
		}
	}
}

// gate lets only requests through that carry what opens it.
func gate(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		switch {
		case user != "load" || password != "hush":
			w.Header().Set("WWW-Authenticate", `Basic realm="staging"`)
			w.WriteHeader(http.StatusUnauthorized)
		case r.Header.Get("X-Gate") != "open":
			w.WriteHeader(http.StatusForbidden)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

func TestEveryQuestionGoesTheWayOfItsTarget(t *testing.T) {
	trackers := httptest.NewTLSServer(gate(&fake{site: shop}))
	t.Cleanup(trackers.Close)
	var through atomic.Int32
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		through.Add(1)
		r.RequestURI = ""
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer resp.Body.Close() //nolint:errcheck // only read
		w.WriteHeader(resp.StatusCode)
		_, _ = io.Copy(w, resp.Body)
	}))
	t.Cleanup(proxy.Close)
	api := httptest.NewServer(gate(&fake{site: shop}))
	t.Cleanup(api.Close)
	to := target.Target{URL: trackers.URL + "/sub/matomo.php", SiteID: 1, Token: good, Access: target.Access{
		APIURL: api.URL + "/sub/index.php", HTTPAuth: "load:hush", Headers: "X-Gate: open", Insecure: true,
	}}
	client := doctor.New(time.Minute, target.Environment{})
	if d := client.Diagnose(t.Context(), to, all); !d.Works || d.Site == nil {
		t.Errorf("%+v", d.Findings)
	}
	to.URL, to.Proxy = api.URL+"/sub/matomo.php", secret.String(proxy.URL)
	if d := client.Diagnose(t.Context(), to, all); !d.Works || d.Site == nil || through.Load() == 0 {
		t.Errorf("%d requests through the proxy: %+v", through.Load(), d.Findings)
	}
	if err := client.Stream(t.Context(), to, "API.getMatomoVersion", nil, drain); err != nil {
		t.Error(err)
	}
}
