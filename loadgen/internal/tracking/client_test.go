package tracking_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/tracking"
)

var gif = []byte("GIF89a\x01\x00\x01\x00")

func client(t *testing.T, change func(*tracking.Options)) *tracking.Client {
	t.Helper()
	o := tracking.Options{Timeout: 5 * time.Second}
	if change != nil {
		change(&o)
	}
	c := tracking.NewClient(o)
	t.Cleanup(c.Close)
	return c
}

func aim(t *testing.T, c *tracking.Client, address, token string) *tracking.Target {
	t.Helper()
	target, err := c.Target(address, token)
	if err != nil {
		t.Fatal(err)
	}
	return target
}

// send posts one hit as a client of its own.
func send(t *testing.T, address string, change func(*tracking.Options)) tracking.Result {
	t.Helper()
	return aim(t, client(t, change), address, "").Send([]byte("rec=1"), "Firefox")
}

func TestWhatAnAnswerMeans(t *testing.T) {
	for name, c := range map[string]struct {
		answer  http.HandlerFunc
		outcome tracking.Outcome
		retry   bool
		reason  string
	}{
		"the GIF":      {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(gif) }, tracking.Accepted, false, ""},
		"204":          {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }, tracking.Accepted, false, ""},
		"a home page":  {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") }, tracking.Rejected, false, "is the address that of matomo.php?"},
		"an empty 200": {func(w http.ResponseWriter, _ *http.Request) {}, tracking.Rejected, false, "is the address that of matomo.php?"},
		"400":          {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(400) }, tracking.Rejected, false, "no write access"},
		"404":          {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) }, tracking.Rejected, false, "no tracker"},
		"a redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://new.test/matomo.php?token_auth=x", http.StatusMovedPermanently)
		}, tracking.Rejected, false, "a redirect to https://new.test/matomo.php: use that address"},
		"a redirect to another path": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/stats/matomo.php?token_auth=x")
			w.WriteHeader(http.StatusFound)
		}, tracking.Rejected, false, "a redirect to /stats/matomo.php on the same host: use that address"},
		"503":                 {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }, tracking.Failed, true, "503"},
		"500":                 {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }, tracking.Unknown, false, "500"},
		"502":                 {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(502) }, tracking.Unknown, false, "502"},
		"a broken answer":     {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, tracking.Unknown, false, ""},
		"no answer in time":   {func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body); <-r.Context().Done() }, tracking.Unknown, false, "no answer in time"},
		"an oversized answer": {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(strings.Repeat("x", 1<<20))) }, tracking.Rejected, false, "answered 200"},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(c.answer)
			defer server.Close()
			cl := client(t, func(o *tracking.Options) {
				if name == "no answer in time" {
					o.Timeout = 50 * time.Millisecond
				}
			})
			r := aim(t, cl, server.URL+"/matomo.php", "hush-hush").Send([]byte("rec=1"), "Firefox")
			if r.Outcome != c.outcome || r.Retry != c.retry || !strings.Contains(r.Reason, c.reason) {
				t.Errorf("got %s, again %t, %q", r.Outcome, r.Retry, r.Reason)
			}
			if strings.Contains(r.Reason, "hush") || strings.Contains(r.Reason, "token_auth") {
				t.Errorf("the reason tells a secret: %q", r.Reason)
			}
		})
	}
}

func TestTheTokenTravelsInTheBodyAlone(t *testing.T) {
	var got *http.Request
	var form url.Values
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r
		_ = r.ParseForm()
		form = r.PostForm
		w.WriteHeader(204)
	}))
	defer server.Close()
	r := aim(t, client(t, nil), server.URL+"/matomo.php", "a b&c").Send([]byte("idsite=1&rec=1"), "Firefox")
	if r.Outcome != tracking.Accepted || time.Since(r.Clock).Abs() > time.Minute {
		t.Errorf("%+v", r)
	}
	if got.Method != http.MethodPost || got.URL.RawQuery != "" || form.Get("token_auth") != "a b&c" || got.UserAgent() != "Firefox" {
		t.Errorf("%s %s, form %v", got.Method, got.URL, form)
	}
}

func TestWithoutAConnectionAHitMayBeSentAgain(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = ln.Close()
	r := send(t, "http://"+ln.Addr().String()+"/matomo.php", nil)
	if r.Outcome != tracking.Failed || !r.Retry || !strings.Contains(r.Reason, "refused") {
		t.Errorf("%+v", r)
	}
}

func TestACertificateIsVerified(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }))
	defer server.Close()
	if r := send(t, server.URL, nil); r.Outcome != tracking.Failed || !strings.HasPrefix(r.Reason, "TLS failed") {
		t.Errorf("verified: %+v", r)
	}
	if r := send(t, server.URL, insecure); r.Outcome != tracking.Accepted {
		t.Errorf("not verified: %+v", r)
	}
}

func insecure(o *tracking.Options) { o.InsecureTLS = true }

func TestTheClockIsReadWithoutAHit(t *testing.T) {
	behind := time.Now().Add(-10 * time.Minute).UTC().Truncate(time.Second)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodOptions {
			t.Errorf("asked by %s", r.Method)
		}
		w.Header().Set("Date", behind.Format(http.TimeFormat))
		w.WriteHeader(204)
	}))
	defer server.Close()
	clock, err := aim(t, client(t, nil), server.URL, "").Clock()
	if err != nil || !clock.Equal(behind) {
		t.Errorf("clock %v, %v", clock, err)
	}
}
