package matomo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/target"
)

// Client asks Matomos, each on the way that its target describes. It follows no redirect, because a token must not
// travel on, and reaches no address that clouds keep their secrets at. It is safe for concurrent use.
type Client struct {
	timeout time.Duration
	machine target.Environment

	mu   sync.Mutex // guards ways
	ways map[target.Access]*way
}

// way is how requests go to a target; it is made again when it is older than wayAge, because files and names change.
type way struct {
	target.Transport
	http *http.Client
	made time.Time
}

const wayAge = time.Minute

// maxAnswer bounds what is read of an answer, in bytes.
const maxAnswer = 1 << 20

// NewClient makes a client; timeout is for one request and must be positive.
func NewClient(timeout time.Duration, m target.Environment) *Client {
	return &Client{timeout: timeout, machine: m, ways: map[target.Access]*way{}}
}

// Proxy is that on the way from this machine to an address of t, nil where the connection is direct.
func (c *Client) Proxy(t target.Target, to *url.URL) (*url.URL, error) {
	w, err := c.way(t)
	if err != nil {
		return nil, err
	}
	return w.Proxy(to)
}

func (c *Client) way(t target.Target) (*way, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if w := c.ways[t.Access]; w != nil && now.Sub(w.made) < wayAge {
		return w, nil
	}
	for access, w := range c.ways {
		if now.Sub(w.made) >= wayAge {
			delete(c.ways, access)
		}
	}
	to, err := c.machine.Transport(t.Access)
	if err != nil {
		return nil, &fileError{err}
	}
	w := &way{Transport: to, http: newHTTP(to, c.timeout), made: now}
	c.ways[t.Access] = w
	return w, nil
}

// newHTTP makes a client that uses no connection twice: a question is rare, and a server may have closed an old one.
func newHTTP(w target.Transport, timeout time.Duration) *http.Client {
	dialer := guardedDialer(timeout)
	return &http.Client{
		Timeout:       timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext: dialer.DialContext, TLSClientConfig: w.TLS, TLSHandshakeTimeout: timeout,
			DisableKeepAlives: true, MaxResponseHeaderBytes: 64 << 10,
			Proxy: func(r *http.Request) (*url.URL, error) { return w.Proxy(r.URL) },
			OnProxyConnectResponse: func(_ context.Context, _ *url.URL, _ *http.Request, said *http.Response) error {
				if said.StatusCode/100 != 2 { // its own words could be anything
					return &proxyError{said.StatusCode}
				}
				return nil
			},
		},
	}
}

// fileError is that of a certificate or key file that cannot be used.
type fileError struct{ error }

// Unwrap gives the cause.
func (e *fileError) Unwrap() error { return e.error }

// proxyError is a proxy's no to a connection.
type proxyError struct{ status int }

// Error implements error.
func (e *proxyError) Error() string {
	return fmt.Sprintf("the proxy refused the connection: %d %s", e.status, http.StatusText(e.status))
}

// UserAgent is a browser's name: Matomo leaves what it takes for a bot unanswered in its own way.
const UserAgent = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"

// Reply is what came back, and after how long.
type Reply struct {
	answer.Raw
	Took time.Duration
}

// PostForm posts a form to an address of t, of which token_auth is not repeated where the answer is quoted.
func (c *Client) PostForm(ctx context.Context, t target.Target, to string, form url.Values) (Reply, error) {
	return c.Post(ctx, t, to, "application/x-www-form-urlencoded", form.Encode(), form.Get("token_auth"))
}

// Post posts a body of a kind (its media type) to an address of t; token is not repeated where the answer is quoted.
func (c *Client) Post(ctx context.Context, t target.Target, to, kind, body, token string) (Reply, error) {
	began := time.Now()
	resp, r, err := c.send(ctx, t, to, kind, body, token)
	if err != nil {
		return Reply{}, err
	}
	defer resp.Body.Close() //nolint:errcheck // only read
	out := Reply{r, time.Since(began)}
	out.Body, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	out.Truncated = err != nil || len(out.Body) == maxAnswer
	if err != nil && len(out.Body) == 0 {
		return out, plain(err)
	}
	return out, nil
}

// send posts a request and returns the answer with its body unread, and what of it is known by then.
func (c *Client) send(ctx context.Context, t target.Target, to, kind, body, token string) (*http.Response,
	answer.Raw, error) {
	w, err := c.way(t)
	if err != nil {
		return nil, answer.Raw{}, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, strings.NewReader(body))
	if err != nil {
		return nil, answer.Raw{}, errors.New("the URL is invalid")
	}
	if err := refuseLiteral(req.URL.Hostname()); err != nil { // a proxy would connect to it
		return nil, answer.Raw{}, err
	}
	for _, h := range w.Header {
		req.Header.Set(h.Name, h.Value)
	}
	req.Header.Set("Content-Type", kind)
	req.Header.Set("User-Agent", UserAgent)
	resp, err := w.http.Do(req)
	if err != nil {
		return nil, answer.Raw{}, plain(err)
	}
	r := raw(resp)
	r.Secrets = w.Secrets
	if token != "" {
		r.Secrets = append(r.Secrets[:len(r.Secrets):len(r.Secrets)], token)
	}
	return resp, r, nil
}

// raw is an answer without its body.
func raw(resp *http.Response) answer.Raw {
	header := func(name string) []byte { return []byte(resp.Header.Get(name)) }
	r := answer.Raw{
		Status: resp.StatusCode, Server: header("Server"), Location: header("Location"),
		RetryAfter: header("Retry-After"),
		Challenge:  resp.Header.Get("WWW-Authenticate") != "",
	}
	r.Date, _ = http.ParseTime(resp.Header.Get("Date")) // none is zero
	return r
}
