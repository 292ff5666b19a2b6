package tracking

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/target"
)

// abortedText is the reason of requests that Abort ended.
const abortedText = "aborted"

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
	options     Options
	dialContext context.Context // ends when requests are aborted
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
	// ServerTime is the Date of the answer (RFC 9110), zero if there is none; in full seconds.
	ServerTime time.Time
	// LocalFault is set if this machine lacked a resource for the request, so the target is not to blame.
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
	pool
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

// ServerTime requests the target's time, zero if the answer has none. It sends a CORS preflight request, which Matomo
// answers with 204 and without recording anything (core/Tracker.php, isPreFlightCorsRequest).
func (t *Target) ServerTime() (time.Time, error) {
	r := t.post(t.optionsHead, nil, bulkUserAgent,
		func(r *answer.Raw) answer.Answer { return answer.Answer{Status: r.Status} })
	if r.Class != answer.Accepted {
		return time.Time{}, fmt.Errorf("request the server's time: %s", r.String())
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

// Pending is a request that has timed out while its server may still be working on it.
type Pending interface {
	// Wait waits for the answer until limit or ctx is done; false if none came. It must be called once.
	Wait(ctx context.Context, limit time.Duration) (answer.Answer, bool)
}

type pending struct {
	target *Target
	conn   *conn
	parse  func(*answer.Raw) answer.Answer
}

// Wait implements Pending.
func (p pending) Wait(ctx context.Context, limit time.Duration) (answer.Answer, bool) {
	c := p.conn
	defer p.target.discard(c)
	_ = c.SetReadDeadline(time.Now().Add(limit)) // only fails on a closed connection, as the read will
	defer context.AfterFunc(ctx, c.interrupt)()
	if p.target.client.aborted.Load() { // after the deadline was set, so that none is missed
		c.interrupt()
	}
	_ = c.read() // the head shows whether an answer came
	if !c.response.hasHead {
		return answer.Answer{}, false
	}
	c.response.Secrets = p.target.secrets
	return p.parse(&c.response.Raw), true
}
