package cli

import (
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/loadgen/internal/sink"
	"github.com/puttrix/trafficinator/shared/exitcode"
)

// mostTries of a target that takes nothing: five hits, each sent again twice where it surely was not taken.
const mostTries = 5 * 3

func TestRejectingTargetEndsTheRunWithTheReason(t *testing.T) {
	t.Parallel()
	rejected := "answered 400: the token has no write access to the site, the site does not exist, or Matomo's " +
		"database is down"
	for name, c := range map[string]struct {
		answer instead
		more   map[string]string
		reason string
		most   int
	}{
		"the token has expired": {nil, map[string]string{"MATOMO_TOKEN_AUTH": "ffffffffffffffffffffffffffffffff"},
			rejected, 5},
		"the token has expired, in bulk": {nil,
			map[string]string{"MATOMO_TOKEN_AUTH": "ffffffffffffffffffffffffffffffff", "SEND_MODE": "bulk"},
			"answered 200: all hits are invalid: the token has no write access to the site, is a superuser's " +
				"for secure requests only, or the site does not exist", 5},
		"the token is for other sites": {nil, map[string]string{"MATOMO_SITE_ID": "3"}, rejected, 5},
		"the site does not exist":      {nil, map[string]string{"MATOMO_SITE_ID": "77"}, rejected, 5},
		"it is a home page": {func(_ int, w http.ResponseWriter, _ *http.Request) bool {
			_, _ = w.Write([]byte("<!DOCTYPE html><title>Welcome</title>"))
			return true
		}, nil, `answered 200: the response is not Matomo's; check the URL: "Welcome"`, 5},
		"it has moved": {func(_ int, w http.ResponseWriter, r *http.Request) bool {
			http.Redirect(w, r, "https://new.example.test/matomo.php?x=1", http.StatusMovedPermanently)
			return true
		}, nil, `something in front of Matomo answered 301: redirects are not followed: "redirect to https://new.example.test/matomo.php"`, 5},
		"there is no tracker": {func(_ int, w http.ResponseWriter, r *http.Request) bool {
			http.NotFound(w, r)
			return true
		}, nil, `something in front of Matomo answered 404: not found: "404 page not found"`, 5},
		"tracking is off": {func(_ int, w http.ResponseWriter, _ *http.Request) bool {
			w.WriteHeader(http.StatusServiceUnavailable)
			return true
		}, nil, "answered 503: in maintenance or overloaded", mostTries},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMatomo(t, sink.Config{}, c.answer)
			l := start(t, afero.NewMemMapFs(), endless(m, c.more))
			failsBecause(t, l, "matomo: "+c.reason)
			hits, visitors := m.seen()
			if hits == 0 || hits > c.most || visitors > 5 {
				t.Errorf("%d requests of %d visitors, want at most %d of 5", hits, visitors, c.most)
			}
			if n := m.Counts().Total.Visits; n > 0 {
				t.Errorf("the sink shows %d visits", n)
			}
		})
	}
}

// endless are settings of a run that only its target can end.
func endless(m *matomo, more map[string]string) map[string]string {
	env := settings(m, more)
	env["STOP_AFTER_VISITS"] = "0"
	return env
}

func failsBecause(t *testing.T, l *loadgen, reason string) {
	t.Helper()
	l.ends(t, exitcode.NoTarget)
	s := l.summary(t)
	addsUp(t, s)
	want := "no hit was accepted; " + reason
	if s.Message != want || s.Reason != "no_target" {
		t.Errorf("%s: %q, want %q", s.Reason, s.Message, want)
	}
	if !l.stderr.has(want) {
		t.Errorf("stderr does not report why:\n%s", l.stderr.String())
	}
	if token := l.env["MATOMO_TOKEN_AUTH"]; l.stderr.has(token) {
		t.Errorf("stderr shows the token:\n%s", l.stderr.String())
	}
}

func TestRunWithoutAnAcceptedHitFails(t *testing.T) {
	t.Parallel()
	m := newMatomo(t, sink.Config{}, nil)
	l := start(t, afero.NewMemMapFs(),
		settings(m, map[string]string{"MATOMO_SITE_ID": "77", "BOUNCE_PROBABILITY": "1", "STOP_AFTER_VISITS": "1"}))
	l.ends(t, exitcode.NoTarget)
	s := l.summary(t)
	addsUp(t, s)
	if s.Reason != "stop_after_visits" || !strings.HasPrefix(s.Message, "no hit was accepted; matomo: answered 400: ") {
		t.Errorf("%s: %q", s.Reason, s.Message)
	}
}

func TestUnreachableTarget(t *testing.T) {
	t.Parallel()
	t.Run("refuses connections", func(t *testing.T) {
		t.Parallel()
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		addr := ln.Addr().String()
		if err := ln.Close(); err != nil {
			t.Fatal(err)
		}
		l := start(t, afero.NewMemMapFs(),
			endless(nil, map[string]string{"MATOMO_URL": "http://" + addr + "/matomo.php"}))
		failsBecause(t, l, "matomo: dial tcp "+addr+": connect: connection refused")
	})
	t.Run("shows an untrusted certificate", func(t *testing.T) {
		t.Parallel()
		var tries atomic.Int64
		server := httptest.NewUnstartedServer(http.NotFoundHandler())
		server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
			if s == http.StateNew {
				tries.Add(1)
			}
		}
		server.Config.ErrorLog = log.New(io.Discard, "", 0)
		server.StartTLS()
		t.Cleanup(server.Close)
		l := start(t, afero.NewMemMapFs(), endless(nil, map[string]string{"MATOMO_URL": server.URL + "/matomo.php"}))
		failsBecause(t, l, "matomo: TLS failed: x509: certificate signed by unknown authority")
		if n := tries.Load(); n > mostTries+1 { // one asked for the clock
			t.Errorf("%d connections, want at most %d", n, mostTries+1)
		}
	})
}

func TestCheckConnectLeavesNoVisit(t *testing.T) {
	t.Parallel()
	const bad = "ffffffffffffffffffffffffffffffff"
	// formsAlone is a Matomo whose token may be used in secure requests only, which to it a bulk request is not.
	formsAlone := func(_ int, w http.ResponseWriter, r *http.Request) bool {
		if r.Header.Get("Content-Type") != "application/json" {
			return false
		}
		_, _ = w.Write([]byte(`{"status":"success","tracked":0,"invalid":1}`))
		return true
	}
	for name, c := range map[string]struct {
		token, mode string
		answer      instead
		code        int
		want        string
	}{
		"a good token":          {token, "single", nil, exitcode.OK, "accepts hits for site 1 ("},
		"a good token, in bulk": {token, "bulk", nil, exitcode.OK, "accepts hits for site 1 ("},
		"a bad token": {bad, "single", nil, exitcode.NoTarget,
			"matomo.php: answered 400: the token has no write access"},
		"a bad token, in bulk": {bad, "bulk", nil, exitcode.NoTarget,
			"matomo.php: answered 200: all hits are invalid: the token has no write access"},
		"no token":          {"", "single", nil, exitcode.OK, "accepts hits for site 1 ("},
		"a token for forms": {token, "single", formsAlone, exitcode.OK, "accepts hits for site 1 ("},
		"a token for forms, but in bulk": {token, "bulk", formsAlone, exitcode.NoTarget,
			"is a superuser's for secure requests only"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMatomo(t, sink.Config{}, c.answer)
			l := start(t, afero.NewMemMapFs(),
				settings(m, map[string]string{"MATOMO_TOKEN_AUTH": c.token, "SEND_MODE": c.mode}), "check", "--connect")
			l.ends(t, c.code)
			if !l.stdout.has("target matomo: ") || !l.stdout.has(c.want) {
				t.Errorf("stdout lacks %q:\n%s", c.want, l.stdout.String())
			}
			if good := l.stdout.has("the settings are valid"); good != (c.code == exitcode.OK) {
				t.Errorf("stdout:\n%s", l.stdout.String())
			}
			if counts := m.Counts(); counts.Total.Visits != 0 || counts.Total.Actions != 0 {
				t.Errorf("%d visits were left there", counts.Total.Visits)
			}
			if c.token != "" && strings.Contains(l.stdout.String()+l.stderr.String(), c.token) {
				t.Error("the token is shown")
			}
		})
	}
}
