package tracking

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/target"
)

// abortedText is the reason of requests that Abort ended.
const abortedText = "aborted"

const (
	// maxIdle is how long an unused connection is kept. It is below the 5 s after which Apache closes it, because a
	// request that is sent just then is lost as unknown.
	maxIdle = 4 * time.Second
	// checkAfterIdle is how long a connection may be unused before it is checked: the server may have closed it.
	checkAfterIdle = 20 * time.Millisecond
)

// Options of a Client.
type Options struct {
	// Timeout limits one request, from the dial to the end of the answer; an answer may come an eighth later.
	Timeout time.Duration
	// AwaitLate makes requests that time out return a Pending, which the caller must wait for.
	AwaitLate bool
	// Environment has the files and proxies by which targets are reached.
	Environment target.Environment
}

// Client sends requests to targets over HTTP/1.1. It follows no redirects.
type Client struct {
	options Options
	// dialContext ends when requests are aborted.
	dialContext context.Context
	stop        context.CancelFunc
	aborted     atomic.Bool

	mu      sync.Mutex
	targets []*Target
	opened  uint64             // connections so far
	open    map[*conn]struct{} // open connections of all targets
}

// NewClient returns a client; Close closes its connections.
func NewClient(o Options) *Client {
	c := &Client{options: o, open: map[*conn]struct{}{}}
	c.dialContext, c.stop = context.WithCancel(context.Background())
	return c
}

// Abort ends all requests in flight at once, and later ones before they are sent.
func (c *Client) Abort() {
	c.aborted.Store(true)
	c.stop()
	c.forEach((*conn).interrupt)
}

// Close closes all connections. No request may be in flight.
func (c *Client) Close() {
	c.stop()
	c.forEach((*conn).close)
}

func (c *Client) forEach(do func(*conn)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for one := range c.open {
		do(one)
	}
}

// Result is the result of one request.
type Result struct {
	answer.Answer
	// ServerTime is the Date of the answer (RFC 9110), zero if there is none; it has whole seconds.
	ServerTime time.Time
	// LocalFault is set if this machine lacked a resource for the request, which says nothing about the target.
	LocalFault bool
	// Pending is set if the request has timed out and its late answer can be awaited.
	Pending Pending
}

// Target is one tracker with its own connections and token. It is safe for concurrent use.
type Target struct {
	client *Client
	route  *route
	// Heads of a hit, a bulk request and a clock request, up to the first value that varies.
	formHead, bulkHead, optionsHead []byte
	formToken, jsonToken            string   // the token as encoded in a form and in JSON
	secrets                         []string // are masked in excerpts of answers

	// alwaysCheck is set once a connection broke as soon as it was reused: some servers close without notice.
	alwaysCheck atomic.Bool

	mu   sync.Mutex
	idle []*conn // least recently used first
}

// Target adds a target; an empty token means none.
func (c *Client) Target(to target.Target) (*Target, error) {
	u, err := url.Parse(to.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("the tracker URL must start with http:// or https:// and have a host")
	}
	if u.Host, err = httpguts.PunycodeHostPort(u.Host); err != nil {
		return nil, fmt.Errorf("parse the tracker URL: %w", err)
	}
	transport, err := c.options.Environment.Transport(to.Access)
	if err != nil {
		return nil, err
	}
	r, err := newRoute(u, transport)
	if err != nil {
		return nil, err
	}
	t := &Target{
		client: c, route: r, secrets: transport.Secrets,
		formHead:    r.head("POST", "Content-Type: application/x-www-form-urlencoded"),
		bulkHead:    r.head("POST", "Content-Type: application/json"),
		optionsHead: r.head("OPTIONS", "Access-Control-Request-Method: POST"),
	}
	if token := to.Token.Reveal(); token != "" {
		t.formToken, t.jsonToken = string(appendEscaped(nil, token)), string(appendJSON(nil, token))
		t.secrets = append(t.secrets, t.formToken)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.targets = append(c.targets, t)
	return t, nil
}

// Send posts a form with the token, which may be appended in its spare capacity. userAgent is that of the visitor.
func (t *Target) Send(form []byte, userAgent string) Result {
	if t.formToken != "" {
		form = append(append(form, "&token_auth="...), t.formToken...)
	}
	return t.post(t.formHead, form, userAgent, answer.ParseHit)
}

// ServerTime asks for the target's time, zero if the answer has none. It sends a CORS preflight request, which Matomo
// answers with 204 and without recording anything (core/Tracker.php, isPreFlightCorsRequest).
func (t *Target) ServerTime() (time.Time, error) {
	r := t.post(t.optionsHead, nil, bulkUserAgent,
		func(r *answer.Raw) answer.Answer { return answer.Answer{Status: r.Status} })
	if r.Class != answer.Accepted {
		return time.Time{}, fmt.Errorf("ask for the server's time: %s", r.String())
	}
	return r.ServerTime, nil
}

// post sends a request and parses its answer.
func (t *Target) post(head, body []byte, userAgent string, parse func(*answer.Raw) answer.Answer) Result {
	c, err := t.write(head, body, userAgent)
	if c == nil {
		return t.notSent(err)
	}
	return t.readResult(c, err, parse)
}

// write sends a request. It returns the connection for the answer, with any error after the first byte, or no
// connection if no byte was written.
func (t *Target) write(head, body []byte, userAgent string) (*conn, error) {
	now := time.Now()
	for {
		c, err := t.acquire(now)
		if err != nil {
			return nil, err
		}
		c.extendDeadline(now)
		if t.client.aborted.Load() { // after the deadline was set, so that none is missed
			c.interrupt()
		}
		written, err := c.write(head, body, userAgent)
		if err == nil || written {
			return c, err
		}
		t.discard(c)
		if c.lastUsed.IsZero() || t.client.aborted.Load() {
			return nil, err
		} // else the server has closed the connection since its last answer
	}
}

// notSent returns the result of a request of which no byte was written.
func (t *Target) notSent(err error) Result {
	if t.client.aborted.Load() {
		return Result{Answer: answer.Answer{Class: answer.Stopped, Excerpt: abortedText}}
	}
	return Result{Answer: answer.FromError(err, false), LocalFault: isOutOfDescriptors(err)}
}

// readResult reads and parses the answer. sent is the error of writing the rest of the request: a server that refuses a
// request, for example as too large, may answer before it has read all of it.
func (t *Target) readResult(c *conn, sent error, parse func(*answer.Raw) answer.Answer) Result {
	err := c.read()
	if !c.response.hasHead {
		if f := answer.FromError(err, true); t.client.options.AwaitLate && sent == nil && f.Class == answer.Timeout &&
			c.response.end == 0 && !t.client.aborted.Load() {
			return Result{Answer: f, Pending: pending{t, c, parse}}
		}
		t.discard(c)
		if !c.lastUsed.IsZero() && c.response.end == 0 {
			t.alwaysCheck.Store(true)
		}
		if t.client.aborted.Load() {
			return Result{Answer: answer.Answer{Class: answer.Broken, Excerpt: abortedText}}
		}
		return Result{Answer: answer.FromError(cmp.Or(sent, err), true)}
	}
	c.response.Secrets = t.secrets
	r := Result{Answer: parse(&c.response.Raw), ServerTime: c.response.Date}
	if err != nil || c.response.mustClose || sent != nil {
		t.discard(c)
	} else {
		t.release(c)
	}
	return r
}

// acquire returns the idle connection that was used last, if it is still good, or a new one.
func (t *Target) acquire(now time.Time) (*conn, error) {
	for {
		t.mu.Lock()
		n := len(t.idle) - 1
		if n < 0 {
			t.mu.Unlock()
			return t.dial(now)
		}
		c := t.idle[n]
		t.idle = t.idle[:n]
		t.mu.Unlock()
		unused := now.Sub(c.lastUsed)
		if unused < maxIdle && (unused < checkAfterIdle && !t.alwaysCheck.Load() || c.isIdle()) {
			return c, nil
		}
		t.discard(c)
	}
}

func (t *Target) dial(now time.Time) (*conn, error) {
	ctx, cancel := context.WithDeadline(t.client.dialContext, now.Add(t.client.options.Timeout))
	defer cancel()
	plain, secured, err := t.route.dial(ctx)
	for isOutOfDescriptors(err) && t.client.freeDescriptor(ctx) {
		var again error
		if plain, secured, again = t.route.dial(ctx); again == nil || ctx.Err() == nil {
			err = again
		} // else the time was spent waiting for a descriptor, which is no failure of the target
	}
	if err != nil {
		return nil, err
	}
	c := &conn{Conn: secured, plain: plain, timeout: t.client.options.Timeout}
	t.client.mu.Lock()
	t.client.opened++
	c.expires = now.Add(lifetime(t.client.opened))
	t.client.open[c] = struct{}{}
	t.client.mu.Unlock()
	return c, nil
}

// release makes a connection available again until it expires. It discards the one that is idle longest if that is too
// long: a connection that is not needed is closed within a few requests.
func (t *Target) release(c *conn) {
	now := time.Now()
	if now.After(c.expires) {
		t.discard(c)
		return
	}
	c.lastUsed = now
	var old *conn
	t.mu.Lock()
	if len(t.idle) > 0 && now.Sub(t.idle[0].lastUsed) > maxIdle {
		old = t.idle[0]
		t.idle = slices.Delete(t.idle, 0, 1)
	}
	t.idle = append(t.idle, c)
	t.mu.Unlock()
	if old != nil {
		t.discard(old)
	}
}

func (t *Target) discard(c *conn) {
	t.client.mu.Lock()
	delete(t.client.open, c)
	t.client.mu.Unlock()
	c.close()
}
