package answer_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/outcome"
)

const (
	gif = "GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
	// about is Matomo's line about itself (core/Tracker/Response.php, outputResponse).
	about = "This resource is part of Matomo. Keep full control of your data with the leading free and open source " +
		"<a href='https://matomo.org'>web analytics & conversion optimisation platform</a>.<br>\n"
	// gate is what nginx answers.
	gate = "<html>\r\n<head><title>400 No required SSL certificate was " +
		"sent</title></head>\r\n<body>\r\n<center><h1>400 Bad Request</h1></center>\r\n</body>\r\n</html>\r\n"
)

// raw is an answer with a body, as a server that calls itself nginx gives it.
func raw(status int, body string) *answer.Raw {
	return &answer.Raw{Status: status, Body: []byte(body), Server: []byte("nginx")}
}

// want is what an answer means, as far as a case has an opinion.
type want struct {
	class answer.Class
	words string // "" is none
	odd   bool
}

func (w want) check(t *testing.T, a answer.Answer) {
	t.Helper()
	if a.Class != w.class || a.Excerpt != w.words || a.Malformed != w.odd || a.Server != "" && a.Server != "nginx" {
		t.Errorf("%s, %q, odd %t; want %s, %q, odd %t", a.Class, a.Excerpt, a.Malformed, w.class, w.words, w.odd)
	}
}

// refusals mean the same for a hit and for many.
var refusals = map[string]struct {
	raw *answer.Raw
	want
}{
	"too large": {raw(413, "<h1>413 Request Entity Too Large</h1>"),
		want{answer.TooLarge, "413 Request Entity Too Large", false}},
	"later, it was slow":           {raw(408, ""), want{answer.NotNow, "", false}},
	"later, too many":              {raw(429, "slow down"), want{answer.NotNow, "slow down", false}},
	"later, tracking is off":       {raw(503, gif), want{answer.NotNow, "", false}},
	"Matomo's no":                  {raw(400, gif+about), want{answer.Rejected, "", false}},
	"Matomo's no without an image": {raw(400, about), want{answer.Rejected, "", false}},
	"Matomo's no, debug mode": {raw(400, "DEBUG x\n\nAn exception occurred: idGoal 7 does not exist\n\n"+about),
		want{answer.Rejected, "idGoal 7 does not exist", false}},
	"its no to the token, debug": {raw(400,
		"\nAn exception occurred: Tracker API 'cip' was used, requires valid token_auth\n\n"+about),
		want{answer.Token, "Tracker API 'cip' was used, requires valid token_auth", false}},
	"its no to the token, old hits": {raw(400,
		"\nAn exception occurred: Custom timestamp is 90000 seconds old, requires &token_auth...\n\n"+about),
		want{answer.Token, "Custom timestamp is 90000 seconds old, requires &token_auth...", false}},
	"no certificate (nginx)": {raw(400, gate),
		want{answer.InFront, "400 No required SSL certificate was sent 400 Bad Request", false}},
	"an empty 400": {raw(400, ""), want{answer.InFront, "", false}},
	"401":          {raw(401, ""), want{answer.Token, "", false}},
	"401 that wants a password": {&answer.Raw{Status: 401, Challenge: true, Body: []byte("<h1>401</h1>")},
		want{answer.InFront, "401", false}},
	"blocked": {raw(403, "<h1>Blocked by policy</h1>"),
		want{answer.InFront, "Blocked by policy", false}},
	"a firewall's JSON": {raw(403, `{"status":"error","message":"forbidden"}`),
		want{answer.InFront, `{"status":"error","message":"forbidden"}`, false}},
	"no such page": {raw(404, "<title>404 Not Found</title>"),
		want{answer.InFront, "404 Not Found", false}},
	"a login page": {&answer.Raw{Status: 302,
		Location: []byte("https://ann:pw@login.test/sso?token_auth=x#y")},
		want{answer.InFront, "redirect to https://login.test/sso", false}},
	"another path": {&answer.Raw{Status: 301, Location: []byte("/stats/matomo.php?x")},
		want{answer.InFront, "redirect to /stats/matomo.php on the same host", false}},
	"a redirect to nowhere": {raw(307, ""), want{answer.InFront, "redirect to nowhere", false}},
	"another protocol":      {raw(101, ""), want{answer.Unreadable, "", false}},
	"a gateway": {raw(502, "<title>502 Bad Gateway</title>"),
		want{answer.Unreadable, "502 Bad Gateway", false}},
	"a server error without a word": {raw(500, ""), want{answer.Unreadable, "", false}},
	"a challenge page": {raw(200,
		"<!DOCTYPE html><html><title>Just a moment...</title><script>var GIF8=1</script>"),
		want{answer.Unreadable, "Just a moment...", false}},
	"an empty 200": {raw(200, ""), want{answer.Unreadable, "", false}},
	"a 201":        {raw(201, "made"), want{answer.Unreadable, "made", false}},
	"another exception of piwik.php": {raw(200, "Error:SQLSTATE[HY000] [2002] No such file"),
		want{answer.Unreadable, "Error:SQLSTATE[HY000] [2002] No such file", false}},
}

func TestWhatAnAnswerToAHitMeans(t *testing.T) {
	for name, c := range refusals {
		t.Run(name, func(t *testing.T) { c.check(t, answer.ParseHit(c.raw)) })
	}
	for name, c := range map[string]struct {
		raw *answer.Raw
		want
	}{
		"the GIF":               {raw(200, gif), want{}},
		"nothing":               {raw(204, ""), want{}},
		"an image of one's own": {raw(200, "\x89PNG\r\n\x1a\n"), want{}},
		"a PHP warning first": {raw(200,
			"<br />\n<b>Warning</b>:  Undefined array key in <b>/var/www/config.php</b>\n"+gif),
			want{answer.Accepted, "Warning : Undefined array key in /var/www/config.php", true}},
		"a byte order mark": {raw(200, "\ufeff"+gif), want{answer.Accepted, "(byte order mark)", true}},
		"a receipt": {raw(200, `{"status":"success","tracked":1,"invalid":0}`),
			want{answer.Unreadable, "", false}},
	} {
		t.Run(name, func(t *testing.T) { c.check(t, answer.ParseHit(c.raw)) })
	}
}

func TestWhatAnAnswerToABulkRequestMeans(t *testing.T) {
	for name, c := range refusals {
		t.Run(name, func(t *testing.T) { c.check(t, answer.ParseBulk(c.raw, 3)) })
	}
	for name, c := range map[string]struct {
		raw *answer.Raw
		want
		hits []answer.Class
	}{
		"all tracked": {raw(200, `{"status":"success","tracked":3,"invalid":0}`), want{}, []answer.Class{0, 0, 0}},
		"one invalid": {raw(200, `{"status":"success","tracked":2,"invalid":1}`),
			want{answer.Accepted, "2 hits tracked and 1 invalid, of 3", false},
			[]answer.Class{answer.Unreadable, answer.Unreadable, answer.Unreadable}},
		"one invalid, a superuser's token": {raw(200,
			`{"status":"success","tracked":2,"invalid":1,"invalid_indices":[1]}`),
			want{answer.Accepted, "2 hits tracked and 1 invalid, of 3", false},
			[]answer.Class{answer.Accepted, answer.Rejected, answer.Accepted}},
		"one left out": {raw(200, `{"status":"success","tracked":2,"invalid":0}`),
			want{answer.Accepted, "2 hits tracked and 0 invalid, of 3", false},
			[]answer.Class{answer.Unreadable, answer.Unreadable, answer.Unreadable}},
		"all invalid": {raw(200, `{"status":"success","tracked":0,"invalid":3}`), want{class: answer.Rejected},
			[]answer.Class{answer.Rejected, answer.Rejected, answer.Rejected}},
		"tracking is off": {raw(200, `{"status":"success","tracked":0,"invalid":0}`),
			want{class: answer.NotNow}, nil},
		"a queue's GIF": {raw(200, gif), want{answer.NoReceipt, "", true},
			[]answer.Class{answer.NoReceipt, answer.NoReceipt, answer.NoReceipt}},
		"a queue's 204": {raw(204, ""), want{answer.NoReceipt, "", true}, nil},
		"a queue's GIF behind a warning": {raw(200, "Warning: y "+gif),
			want{answer.NoReceipt, "Warning: y", true}, nil},
		"a receipt behind a warning": {raw(200, "Notice: z\n"+`{"status":"success","tracked":3,"invalid":0}`),
			want{answer.Accepted, "Notice: z", true}, []answer.Class{0, 0, 0}},
		"a receipt before a " +
			"profile": {raw(200, `{"status":"success","tracked":3,"invalid":0}<!-- 3 ms --> took 3 ms`),
			want{answer.Accepted, "took 3 ms", true}, nil},
		"a byte order mark": {raw(200, "\ufeff"+`{"status":"success","tracked":3,"invalid":0}`),
			want{answer.Accepted, "(byte order mark)", true}, nil},
		"a receipt cut short": {&answer.Raw{Status: 200, Body: []byte(`{"status":"succ`), Truncated: true},
			want{answer.Unreadable, `{"status":"succ…`, false},
			[]answer.Class{answer.Unreadable, answer.Unreadable, answer.Unreadable}},
		"a server whose answer is cut short": {&answer.Raw{Status: 502, Server: []byte("nginx"), Body: []byte("Bad"),
			Truncated: true}, want{answer.Unreadable, "Bad…", false}, nil},
		"a receipt of less than none": {raw(200, `{"status":"success","tracked":-1,"invalid":0}`),
			want{answer.Unreadable, `{"status":"success","tracked":-1,"invalid":0}`, false}, nil},
		"no receipt": {raw(200, `{"status":"success"}`),
			want{answer.Unreadable, `{"status":"success"}`, false}, nil},
		"a deadlock's victim": {raw(200, "Error:There is no active transaction"),
			want{answer.RolledBack, "Error:There is no active transaction", false}, nil},
		"given up, nothing kept": {raw(500, `{"status":"error","tracked":0,"invalid":0}`),
			want{class: answer.RolledBack}, nil},
		"given up, something may be kept": {raw(500, `{"status":"error","tracked":2,"invalid":0}`),
			want{class: answer.Unreadable}, nil},
		"an error without a count": {raw(500, `{"status":"error"}`),
			want{answer.Unreadable, `{"status":"error"}`, false}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			a := answer.ParseBulk(c.raw, 3)
			c.check(t, a)
			for i, class := range c.hits {
				if got := a.HitClass(i, 3); got != class {
					t.Errorf("hit %d: %s, want %s", i, got, class)
				}
			}
		})
	}
}

func TestWhatAnAnswerOfTheReportingAPIMeans(t *testing.T) {
	for name, c := range map[string]struct {
		raw *answer.Raw
		want
	}{
		"an object": {raw(200, `{"value":"5.2.0"}`), want{}},
		"a list":    {raw(200, `[1,2]`), want{}},
		"a wrong token": {raw(401,
			`{"result":"error","message":"Unable to authenticate with the provided token."}`),
			want{answer.Token, "Unable to authenticate with the provided token.", false}},
		"no right": {raw(200,
			`{"result":"error","message":"You can't access this resource as it requires a 'view' access."}`),
			want{answer.Token, "You can't access this resource as it requires a 'view' access.", false}},
		"another error": {raw(400, `{"result":"error","message":"Please specify a value for 'idSite'."}`),
			want{answer.Rejected, "Please specify a value for 'idSite'.", false}},
		"closed": {raw(403, "<h1>403 Forbidden</h1>"), want{answer.InFront, "403 Forbidden", false}},
		"a gate": {&answer.Raw{Status: 401, Challenge: true, Body: []byte("<h1>401</h1>")},
			want{answer.InFront, "401", false}},
		"maintenance": {raw(503, "Matomo is in maintenance"),
			want{answer.NotNow, "Matomo is in maintenance", false}},
		"a broken server": {raw(500, ""), want{answer.Unreadable, "", false}},
		"a page":          {raw(200, "<title>Sign in</title>"), want{answer.Unreadable, "Sign in", false}},
		"an answer cut short": {&answer.Raw{Status: 200, Body: []byte(`[1,2]`), Truncated: true},
			want{answer.Unreadable, "[1,2]…", false}},
	} {
		t.Run(name, func(t *testing.T) { c.check(t, answer.ParseAPI(c.raw)) })
	}
}

func TestATargetThatTrackedSomeHitsTakesHits(t *testing.T) {
	some := answer.ParseBulk(raw(200, `{"status":"success","tracked":1,"invalid":2}`), 3)
	none := answer.ParseBulk(raw(200, `{"status":"success","tracked":0,"invalid":3}`), 3)
	if some.TargetClass(3) != answer.Accepted || none.TargetClass(3) != answer.Rejected {
		t.Errorf("some: %s, none: %s", some.TargetClass(3), none.TargetClass(3))
	}
}

func TestWhenAServerWantsToBeAskedAgain(t *testing.T) {
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	for header, want := range map[string]time.Duration{
		"":                              0,
		"120":                           2 * time.Minute,
		"99999999999999999999999":       24 * time.Hour,
		"soon":                          0,
		"-5":                            0,
		"Mon, 30 Nov 2026 12:00:30 GMT": 30 * time.Second,
		"Mon, 30 Nov 2026 11:00:00 GMT": 0,
	} {
		for _, status := range []int{408, 429, 503} {
			if got := answer.ParseHit(&answer.Raw{Status: status, RetryAfter: []byte(header),
				Date: now}); got.RetryAfter != want {
				t.Errorf("%d, %q: %s, want %s", status, header, got.RetryAfter, want)
			}
		}
	}
	if got := answer.ParseHit(&answer.Raw{Status: 503,
		RetryAfter: []byte("Mon, 30 Nov 2026 12:00:30 GMT")}); got.RetryAfter != 0 {
		t.Errorf("a date without the server's clock: %s", got.RetryAfter)
	}
}

// The table of the package's comment, as far as code relies on it.
func TestWhatAClassMeans(t *testing.T) {
	for class, want := range map[answer.Class]struct {
		name                  string
		outcome               outcome.Outcome
		retry, split, lockOut bool
	}{
		answer.Accepted:    {"accepted", outcome.Accepted, false, false, false},
		answer.NoReceipt:   {"accepted_no_receipt", outcome.Accepted, false, false, false},
		answer.TooLarge:    {"too_large", outcome.Failed, false, true, false},
		answer.NotNow:      {"not_now", outcome.Failed, true, false, false},
		answer.Rejected:    {"rejected", outcome.Rejected, false, false, true},
		answer.InFront:     {"in_front", outcome.Rejected, false, false, false},
		answer.Token:       {"token", outcome.Rejected, false, false, true},
		answer.RolledBack:  {"rolled_back", outcome.Failed, true, false, false},
		answer.Unreadable:  {"unreadable", outcome.Unknown, false, false, false},
		answer.Unreachable: {"unreachable", outcome.Failed, true, false, false},
		answer.TLS:         {"tls", outcome.Failed, true, false, false},
		answer.Timeout:     {"timeout", outcome.Unknown, false, false, false},
		answer.Broken:      {"broken", outcome.Unknown, false, false, false},
		answer.Late:        {"late", outcome.Shed, false, false, false},
		answer.Breaker:     {"breaker", outcome.Shed, false, false, false},
		answer.Standstill:  {"standstill", outcome.Shed, false, false, false},
		answer.Stopped:     {"stopped", outcome.Abandoned, false, false, false},
	} {
		if class.String() != want.name || class.Outcome() != want.outcome || class.Retryable() != want.retry ||
			class.Splittable() != want.split || class.RisksLockout() != want.lockOut {
			t.Errorf("%s: %s, retry %t, split %t, lock-out %t; want %+v", class, class.Outcome(), class.Retryable(),
				class.Splittable(), class.RisksLockout(), want)
		}
		var back answer.Class
		if err := back.UnmarshalText([]byte(want.name)); err != nil || back != class {
			t.Errorf("%s comes back as %s, %v", want.name, back, err)
		}
	}
	if err := new(answer.Class).UnmarshalText([]byte("lost")); err == nil {
		t.Error("lost is a class")
	}
}

// late is an error that says it came of a deadline, as those of package net do.
type late struct{ error }

func (late) Timeout() bool   { return true }
func (late) Temporary() bool { return true }

func TestWhatNoAnswerMeans(t *testing.T) {
	refused := &net.OpError{Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 9},
		Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	for name, c := range map[string]struct {
		err   error
		sent  bool
		class answer.Class
		words string
	}{
		"refused":               {refused, false, answer.Unreachable, "connection refused"},
		"no connection in time": {context.DeadlineExceeded, false, answer.Unreachable, "no answer in time"},
		"certificate": {&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}, false,
			answer.TLS, "TLS failed: x509: certificate signed by unknown authority"},
		"no TLS": {fmt.Errorf("%w: first record does not look like a TLS handshake", answer.ErrTLS),
			false, answer.TLS, "TLS failed: first record"},
		"no answer in time": {late{errors.New("i/o timeout")}, true, answer.Timeout, "no answer in time"},
		"reset": {&net.OpError{Op: "read", Err: os.NewSyscallError("read", syscall.ECONNRESET)}, true,
			answer.Broken, "connection reset"},
	} {
		a := answer.FromError(c.err, c.sent)
		if a.Class != c.class || !strings.Contains(a.String(), c.words) {
			t.Errorf("%s: %s, %s", name, a.Class, a.String())
		}
	}
}

func TestWhoAnsweredIsSaidInASentence(t *testing.T) {
	for want, raw := range map[string]*answer.Raw{
		`something in front of Matomo answered 403 (Server: nginx): "Blocked by policy"`: raw(403,
			"<h1>Blocked by policy</h1>"),
		`something in front of Matomo answered 404 (Server: nginx): not found`: raw(404, ""),
		`answered 502 (Server: nginx): "502 Bad Gateway"`: raw(502,
			"<title>502 Bad Gateway</title>"),
		`answered 503: in maintenance or overloaded, retry after 7s`: {Status: 503,
			RetryAfter: []byte("7"), Body: []byte(gif)},
	} {
		if a := answer.ParseHit(raw); a.String() != want {
			t.Errorf("%s\nwant %s", a.String(), want)
		}
	}
}

func TestFirstWordsCanBeShownAnywhere(t *testing.T) {
	const token = "0123456789abcdef0123456789abcdef"
	for text, want := range map[string]string{
		"<title>a&amp;b</title><style>p{}</style><p>c<br/>d": "a&b c d",
		"5 < 6 and 7 > 6":                     "5 < 6 and 7 > 6",
		"cut in a tag <a href=":               "cut in a tag",
		"bell\a and\x1b[31mred":               "bell\ufffd and\ufffd[31mred",
		"half a character \xc3":               "half a character \ufffd",
		"token_auth=hunter2&x=1":              "token_auth=***MASKED***&x=1",
		`{"token_auth":"hunter2","x":1}`:      `{"token_auth":"***MASKED***","x":1}`,
		"requires valid token_auth":           "requires valid token_auth",
		"user " + token + " is locked":        "user ***MASKED*** is locked",
		"secret is my own one":                "***MASKED*** is my own one",
		"visitor 0123456789abcdef":            "visitor 0123456789abcdef",
		strings.Repeat("é", 100):              strings.Repeat("é", 80) + "…",
		"x" + strings.Repeat("é", 100):        "x" + strings.Repeat("é", 79) + "…",
		strings.Repeat(" ", 5000) + "far out": "…",
	} {
		a := answer.ParseHit(&answer.Raw{Status: 500, Body: []byte(text), Secrets: []string{"secret"}})
		if a.Excerpt != want {
			t.Errorf("%q becomes %q, want %q", text, a.Excerpt, want)
		}
	}
}

func FuzzAnswer(f *testing.F) {
	for _, c := range refusals {
		f.Add(c.raw.Status, c.raw.Body, []byte("5"), false)
	}
	f.Add(200, []byte(`x{"status":"success","tracked":2,"invalid":1,"invalid_indices":[7]}y`), []byte(""), true)
	f.Fuzz(func(t *testing.T, status int, body, retry []byte, cut bool) {
		const token = "0123456789abcdef0123456789abcdef"
		r := &answer.Raw{Status: status, Body: append(body, token...), RetryAfter: retry, Server: body, Location: body,
			Truncated: cut, Secrets: []string{token}}
		for _, a := range []answer.Answer{answer.ParseHit(r), answer.ParseBulk(r, 3)} {
			said := a.String()
			if strings.Contains(said, token) || !utf8.ValidString(said) ||
				strings.ContainsAny(a.Excerpt+a.Server, "\n\r\x1b\x00") {
				t.Errorf("%q", said)
			}
			if status/100 != 2 && a.Class.Outcome() == outcome.Accepted {
				t.Errorf("%d is accepted", status)
			}
			for i := range 3 {
				if a.HitClass(i, 3).Outcome() == outcome.Accepted && a.Class.Outcome() != outcome.Accepted {
					t.Errorf("hit %d of a request that was not accepted is", i)
				}
			}
		}
	})
}
