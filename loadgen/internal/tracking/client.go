package tracking

import (
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

// abortedText is the reason of requests that Break ended.
const abortedText = "broken off"

const (
	// maxIdle is how long an unused connection is kept: less than the 5 s after which Apache closes it, because a
	// request that meets the closing is lost as unknown.
	maxIdle = 4 * time.Second
	// checkAfterIdle is how long a connection was unused before it is looked at before use: the server may have closed it.
	checkAfterIdle = 20 * time.Millisecond
)

// Options of a Client.
type Options struct {
	// Timeout bounds one request, from the dial to the end of the answer; an answer may come an eighth later.
	Timeout time.Duration
	// AwaitLate lets results of requests that were not answered in time be waited for, which their caller must do.
	AwaitLate bool
	// Machine holds the files and proxies that targets are reached by.
	Machine target.Environment
}

// Client sends requests to targets over HTTP/1.1. It follows no redirect.
type Client struct {
	options Options
	// dialContext ends when requests are broken off.
	dialContext context.Context
	stop        context.CancelFunc
	aborted     atomic.Bool

	mu      sync.Mutex
	targets []*Target
	opened  uint64             // how many connections were opened
	open    map[*conn]struct{} // all connections of all targets
}

// NewClient makes a client; Close ends its connections.
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

// Close ends all connections. No request may be in flight.
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

// Result is what became of one request.
type Result struct {
	answer.Answer
	// ServerTime is the target's clock at the answer (RFC 9110, Date), zero without one; it is cut to the second.
	ServerTime time.Time
	// LocalFault says that the request failed for want of something of this machine, which tells nothing of the target.
	LocalFault bool
	// Pending is there where the answer did not come in time, and the options say so.
	Pending Pending
}

// Target is one tracker, with connections and a token of its own. It is safe for concurrent use.
type Target struct {
	client *Client
	route  *route
	// heads of a form, of a bulk request and of a question for the clock, up to the first value that varies.
	formHead, bulkHead, optionsHead []byte
	formToken                       string   // as it stands in a form
	jsonToken                       string   // as it stands in JSON
	secrets                         []string // what no quotation of an answer may hold

	// alwaysCheck is set once a connection broke as soon as it was used again: some servers close without a word.
	alwaysCheck atomic.Bool

	mu   sync.Mutex
	idle []*conn // the last one was used last
}

// Target makes the sender's side of a target; an empty token is none.
func (c *Client) Target(to target.Target) (*Target, error) {
	u, err := url.Parse(to.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("read address: not an http or https address of a tracker")
	}
	if u.Host, err = httpguts.PunycodeHostPort(u.Host); err != nil {
		return nil, fmt.Errorf("read address: %w", err)
	}
	way, err := c.options.Machine.Transport(to.Access)
	if err != nil {
		return nil, err
	}
	r, err := newRoute(u, way)
	if err != nil {
		return nil, err
	}
	token := to.Token.Reveal()
	made := &Target{
		client:      c,
		route:       r,
		formToken:   string(appendEscaped(nil, token)),
		jsonToken:   jsonString(token),
		secrets:     way.Secrets,
		formHead:    r.head("POST", "Content-Type: application/x-www-form-urlencoded"),
		bulkHead:    r.head("POST", "Content-Type: application/json"),
		optionsHead: r.head("OPTIONS", "Access-Control-Request-Method: POST"),
	}
	if made.formToken != "" {
		made.secrets = append(made.secrets, made.formToken)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.targets = append(c.targets, made)
	return made, nil
}

// Send posts the form body with the token appended, in whose spare capacity it may be written. The user agent is that
// of the visitor, as in the body.
func (t *Target) Send(body []byte, userAgent string) Result {
	if t.formToken != "" {
		body = append(append(body, "&token_auth="...), t.formToken...)
	}
	return t.post(t.formHead, body, userAgent, answer.ParseHit)
}

// ServerTime asks for the target's clock as a browser asks whether it may post, which Matomo answers with 204 and stores
// nothing for (core/Tracker.php, isPreFlightCorsRequest). It is zero where the target does not tell.
func (t *Target) ServerTime() (time.Time, error) {
	res := t.post(
		t.optionsHead,
		nil,
		bulkUserAgent,
		func(r *answer.Raw) answer.Answer { return answer.Answer{Status: r.Status} },
	)
	if res.Class != answer.Accepted {
		return time.Time{}, fmt.Errorf("ask clock: %s", res.String())
	}
	return res.ServerTime, nil
}

// post sends a request and judges its answer.
func (t *Target) post(head, body []byte, userAgent string, judge func(*answer.Raw) answer.Answer) Result {
	c, err := t.write(head, body, userAgent)
	if c == nil {
		return t.notSent(err)
	}
	return t.readResult(c, err, judge)
}

// write sends a request. It returns the connection on which the answer will come, with what went wrong after the first
// byte; without a connection no byte was written.
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
		} // else the server closed the connection since its last answer
	}
}

// notSent is the result of a request of which no byte was written.
func (t *Target) notSent(err error) Result {
	if t.client.aborted.Load() {
		return Result{Answer: answer.Answer{Class: answer.Stopped, Excerpt: abortedText}}
	}
	return Result{Answer: answer.FromError(err, false), LocalFault: isOutOfDescriptors(err)}
}

// readResult reads and judges the answer. sent is what went wrong while the rest of the request was written: a server
// that refuses a request, as one that is too large, may answer before it has read all of it.
func (t *Target) readResult(c *conn, sent error, judge func(*answer.Raw) answer.Answer) Result {
	err := c.read()
	if !c.response.hasHead {
		if f := answer.FromError(err, true); t.client.options.AwaitLate && sent == nil && f.Class == answer.Timeout &&
			c.response.end == 0 && !t.client.aborted.Load() {
			return Result{Answer: f, Pending: pending{t, c, judge}}
		}
		t.discard(c)
		if !c.lastUsed.IsZero() && c.response.end == 0 {
			t.alwaysCheck.Store(true)
		}
		if sent != nil {
			err = sent
		}
		if t.client.aborted.Load() {
			return Result{Answer: answer.Answer{Class: answer.Broken, Excerpt: abortedText}}
		}
		return Result{Answer: answer.FromError(err, true)}
	}
	c.response.Secrets = t.secrets
	r := Result{Answer: judge(&c.response.Raw), ServerTime: c.response.Date}
	if err != nil || c.response.mustClose || sent != nil {
		t.discard(c)
	} else {
		t.release(c)
	}
	return r
}

// acquire is the free one that was used last, if it is still good, else a new one.
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
		} // else the time went into waiting for a descriptor, which is no failure of the target
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

// release lets the connection be used again until it has served its time, and ends the one that is unused longest where
// that is too long: one that is not needed is gone within few requests.
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
		t.idle = append(t.idle[:0], t.idle[1:]...)
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
