package tracking_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/tracking"
	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/outcome"
	"github.com/puttrix/trafficinator/shared/secret"
	"github.com/puttrix/trafficinator/shared/target"
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
	return aimBy(t, c, target.Target{URL: address, Token: secret.String(token)})
}

func aimBy(t *testing.T, c *tracking.Client, to target.Target) *tracking.Target {
	t.Helper()
	made, err := c.Target(to)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// send posts one hit as a client of its own.
func send(t *testing.T, address string, access target.Access) tracking.Result {
	t.Helper()
	return aimBy(t, client(t, nil), target.Target{URL: address, Access: access}).Send([]byte("rec=1"), "Firefox")
}

// What an answer means is tested in package answer; here is what of it comes over the wire.
func TestResponsesAreClassified(t *testing.T) {
	header := func(status int, body string, pairs ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			for i := 0; i < len(pairs); i += 2 {
				w.Header().Set(pairs[i], pairs[i+1])
			}
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	for name, c := range map[string]struct {
		serve  http.HandlerFunc
		class  answer.Class
		reason string
	}{
		"an image":          {header(200, string(gif)), answer.Accepted, ""},
		"nothing":           {header(204, ""), answer.Accepted, ""},
		"text and an image": {header(200, "Warning: x"+string(gif)), answer.Accepted, "Warning: x"},
		"when to come back": {header(503, "", "Retry-After", "7"), answer.NotNow, "retry after 7s"},
		"who answered": {header(403, "<h1>Blocked</h1>", "Server", "gate/1"), answer.InFront,
			`answered 403 (Server: gate/1): "Blocked"`},
		"a password, please": {header(401, "", "WWW-Authenticate", "Basic"), answer.InFront, "401"},
		"where to go": {header(302, "", "Location", "https://new.test/login?token_auth=x"), answer.InFront,
			"redirect to https://new.test/login"},
		"its own token": {header(500, "hush-hush is wrong"), answer.Unreadable, "***MASKED*** is wrong"},
		"half of it": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "900")
			_, _ = io.WriteString(w, "<p>Please wa")
		}, answer.Unreadable, `"Please wa…"`},
		"its beginning": {header(200, strings.Repeat("long ", 1<<18)), answer.Unreadable, "long long"},
		"no answer": {func(http.ResponseWriter, *http.Request) {
			panic(http.ErrAbortHandler)
		}, answer.Broken, "closed without an answer"},
		"no answer in time": {func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		}, answer.Timeout, "no answer in time"},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(c.serve)
			defer server.Close()
			cl := client(t, func(o *tracking.Options) {
				if name == "no answer in time" {
					o.Timeout = shortTime
				}
			})
			r := aim(t, cl, server.URL+"/matomo.php", "hush-hush").Send([]byte("rec=1"), "Firefox")
			if r.Class != c.class || !strings.Contains(r.String(), c.reason) || strings.Contains(r.String(), "hush") {
				t.Errorf("%s: %s", r.Class, r.String())
			}
		})
	}
}

func TestTheTokenIsOnlySentInTheBody(t *testing.T) {
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
	if r.Class.Outcome() != outcome.Accepted || time.Since(r.ServerTime).Abs() > time.Minute {
		t.Errorf("%+v", r)
	}
	if got.Method != http.MethodPost || got.URL.RawQuery != "" || form.Get("token_auth") != "a b&c" ||
		got.UserAgent() != "Firefox" {
		t.Errorf("%s %s, form %v", got.Method, got.URL, form)
	}
}

func TestAHitWithoutAConnectionCanBeRetried(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = ln.Close()
	r := send(t, "http://"+ln.Addr().String()+"/matomo.php", target.Access{})
	if r.Class != answer.Unreachable || !strings.Contains(r.String(), "refused") {
		t.Errorf("%+v", r)
	}
}

func TestACertificateIsVerified(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(204)
	}))
	defer server.Close()
	if r := send(t, server.URL, target.Access{}); r.Class != answer.TLS ||
		!strings.HasPrefix(r.String(), "TLS failed") {
		t.Errorf("verified: %+v", r)
	}
	if r := send(t, server.URL, target.Access{Insecure: true}); r.Class.Outcome() != outcome.Accepted {
		t.Errorf("not verified: %+v", r)
	}
}

func TestServerTimeSendsNoHit(t *testing.T) {
	behind := time.Now().Add(-10 * time.Minute).UTC().Truncate(time.Second)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodOptions {
			t.Errorf("requested with %s", r.Method)
		}
		w.Header().Set("Date", behind.Format(http.TimeFormat))
		w.WriteHeader(204)
	}))
	defer server.Close()
	clock, err := aim(t, client(t, nil), server.URL, "").ServerTime()
	if err != nil || !clock.Equal(behind) {
		t.Errorf("clock %v, %v", clock, err)
	}
}

// shortTime is a timeout in which a request surely goes out, also on a busy machine.
const shortTime = 500 * time.Millisecond

func TestALateAnswerIsAwaited(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer string // "" is never
		came   bool
		atWork bool
	}{
		"Matomo's answer":               {"HTTP/1.1 204 No Content\r\n\r\n", true, false},
		"of a server that gave up":      {"HTTP/1.1 504 Gateway Timeout\r\nContent-Length: 0\r\n\r\n", true, true},
		"none":                          {"", false, true},
		"a connection that just closes": {"close", false, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			late := make(chan struct{})
			address := serve(t, func(conn net.Conn) {
				_, _ = conn.Read(make([]byte, 4096))
				<-late
				if c.answer == "close" {
					return
				}
				_, _ = io.WriteString(conn, c.answer)
				_, _ = conn.Read(make([]byte, 1)) // until the client closes
			})
			o := func(o *tracking.Options) { o.Timeout, o.AwaitLate = shortTime, true }
			r := aim(t, client(t, o), "http://"+address+"/matomo.php", "").Send([]byte("rec=1"), "Firefox")
			close(late)
			if r.Class != answer.Timeout || r.Pending == nil || !r.MayBeProcessing() {
				t.Fatalf("%+v", r)
			}
			limit := 10 * time.Second
			if c.answer == "" {
				limit = shortTime
			}
			a, came := r.Pending.Wait(t.Context(), limit)
			if came != c.came || (!came || a.MayBeProcessing()) != c.atWork {
				t.Errorf("came %t: %+v", came, a)
			}
		})
	}
}

func TestTheWaitForALateAnswerCanBeCancelled(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*tracking.Client, context.CancelFunc){
		"by a break of all": func(c *tracking.Client, _ context.CancelFunc) { c.Abort() },
		"by its context":    func(_ *tracking.Client, cancel context.CancelFunc) { cancel() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address := serve(t, func(conn net.Conn) {
				for {
					if _, err := conn.Read(make([]byte, 4096)); err != nil {
						return
					}
				}
			})
			c := client(t, func(o *tracking.Options) { o.Timeout, o.AwaitLate = shortTime, true })
			r := aim(t, c, "http://"+address+"/matomo.php", "").Send([]byte("rec=1"), "Firefox")
			if r.Pending == nil {
				t.Fatalf("%+v", r)
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			time.AfterFunc(10*time.Millisecond, func() { end(c, cancel) })
			if _, came := r.Pending.Wait(ctx, time.Hour); came {
				t.Error("an answer came")
			}
		})
	}
}
