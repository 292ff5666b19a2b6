package tracking

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"time"
)

const (
	// idle is how long an unused connection is kept: less than the 5 s after which Apache closes it, because a
	// request that meets the closing is lost as unknown.
	idle = 4 * time.Second
	// maxAnswer bounds what is read of an answer, in bytes. Matomo's GIF has 43.
	maxAnswer = 64 << 10
)

// Options of a Client.
type Options struct {
	// Timeout bounds one request, from the dial to the end of the answer.
	Timeout time.Duration
	// InsecureTLS skips the check of the server's certificate.
	InsecureTLS bool
	// Connections is the most that are kept per target.
	Connections int
	// Proxy chooses a proxy for an address; nil means none.
	Proxy func(*url.URL) (*url.URL, error)
}

// Client sends hits. It follows no redirect.
type Client struct {
	http    *http.Client
	timeout time.Duration
}

// NewClient makes a client; Close ends its idle connections.
func NewClient(o Options) *Client {
	t := &http.Transport{
		DialContext:         (&net.Dialer{Timeout: o.Timeout, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout: o.Timeout,
		TLSClientConfig:     &tls.Config{InsecureSkipVerify: o.InsecureTLS}, //nolint:gosec // a loudly logged knob
		MaxIdleConns:        0,
		MaxIdleConnsPerHost: o.Connections,
		IdleConnTimeout:     idle,
		DisableCompression:  true,
	}
	if o.Proxy != nil {
		t.Proxy = func(r *http.Request) (*url.URL, error) { return o.Proxy(r.URL) }
	}
	refuse := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Client{http: &http.Client{Transport: t, CheckRedirect: refuse}, timeout: o.Timeout}
}

// Close ends the idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Result is the outcome of one request.
type Result struct {
	Outcome Outcome
	// Retry says that the request surely was not taken and may be sent again.
	Retry bool
	// Reason says in words why a hit was not accepted, without token or body.
	Reason string
	// Clock is the target's clock at the answer (RFC 9110, Date), zero without one; it is cut to the second.
	Clock time.Time
}

// Send posts the form body with the token appended. The user agent is that of the visitor, as in the body.
func (c *Client) Send(ctx context.Context, target string, body []byte, token, userAgent string) Result {
	if token != "" {
		w := writer{body}
		w.text("token_auth", token)
		body = w.b
	}
	limited, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	connected := false
	trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { connected = true }}
	req, err := http.NewRequestWithContext(httptrace.WithClientTrace(limited, trace), http.MethodPost, target, bytes.NewReader(body))
	if err != nil {
		return Result{Outcome: Failed, Reason: reason(err)}
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("User-Agent", userAgent)
	resp, err := c.http.Do(req)
	if err != nil {
		// With a connection the request may have been written, and what was written may have been taken.
		if connected {
			return Result{Outcome: Unknown, Reason: reason(err)}
		}
		return Result{Outcome: Failed, Retry: ctx.Err() == nil, Reason: reason(err)}
	}
	defer resp.Body.Close() //nolint:errcheck // read to the end below, or of no use any more
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	clock, _ := http.ParseTime(resp.Header.Get("Date")) // none is zero
	if err != nil {
		return Result{Outcome: Unknown, Reason: reason(err), Clock: clock}
	}
	r := judge(resp, answer)
	r.Clock = clock
	return r
}

func judge(resp *http.Response, answer []byte) Result {
	status := resp.StatusCode
	switch {
	case status == http.StatusNoContent, status == http.StatusOK && bytes.HasPrefix(answer, []byte("GIF8")):
		return Result{Outcome: Accepted}
	case status == http.StatusOK:
		return Result{Outcome: Rejected, Reason: "answered 200, but not as Matomo's tracker does: is the address that of matomo.php?"}
	case status == http.StatusServiceUnavailable:
		return Result{Outcome: Failed, Retry: true, Reason: "answered 503: tracking is switched off or the server is overloaded"}
	case status >= 500:
		return Result{Outcome: Unknown, Reason: fmt.Sprintf("answered %d", status)}
	case status >= 300 && status < 400:
		return Result{Outcome: Rejected, Reason: fmt.Sprintf("answered %d, a redirect to %s: use that address", status, destination(resp))}
	case status == http.StatusBadRequest:
		return Result{Outcome: Rejected, Reason: "answered 400: the token has no write access to the site, the site does not exist, or Matomo's database is down"}
	case status == http.StatusNotFound:
		return Result{Outcome: Rejected, Reason: "answered 404: no tracker at that address"}
	default:
		return Result{Outcome: Rejected, Reason: fmt.Sprintf("answered %d", status)}
	}
}

func destination(resp *http.Response) string {
	u, err := resp.Location()
	if err != nil {
		return "nowhere"
	}
	u.RawQuery, u.Fragment, u.User = "", "", nil
	return u.String()
}

// reason tells an error without the address, which the caller knows.
func reason(err error) string {
	var u *url.Error
	if errors.As(err, &u) {
		if u.Timeout() {
			return "no answer in time"
		}
		err = u.Err
	}
	var cert *tls.CertificateVerificationError
	if errors.As(err, &cert) {
		return "TLS failed: " + cert.Err.Error()
	}
	return err.Error()
}

// Clock asks for the target's clock by an OPTIONS request, which Matomo answers with 204 and stores nothing for
// (core/Tracker/Handler.php). It is zero where the target does not tell.
func (c *Client) Clock(ctx context.Context, target string) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodOptions, target, nil)
	if err != nil {
		return time.Time{}, fmt.Errorf("ask clock: %w", err)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return time.Time{}, fmt.Errorf("ask clock: %s", reason(err))
	}
	defer resp.Body.Close() //nolint:errcheck // nothing of it is read
	clock, _ := http.ParseTime(resp.Header.Get("Date"))
	return clock, nil
}
