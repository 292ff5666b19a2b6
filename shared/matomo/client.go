package matomo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
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

// errForbidden refuses an address that no Matomo has.
var errForbidden = errors.New("the address is link-local, multicast, unspecified or a cloud metadata service")

// clouds are addresses at which clouds tell a machine its secrets, beside the link-local 169.254.169.254.
var clouds = []netip.Addr{
	netip.MustParseAddr("100.100.100.200"), // Alibaba Cloud
	netip.MustParseAddr("168.63.129.16"),   // Azure
	netip.MustParseAddr("192.0.0.192"),     // Oracle Cloud
	netip.MustParseAddr("fd00:ec2::254"),   // AWS
}

// embedding are the prefixes of IPv6 addresses that stand for an IPv4 address, and at which byte that begins: NAT64
// (RFC 6052, RFC 8215), 6to4 (RFC 3056) and IPv4-compatible addresses (RFC 4291, 2.5.5.1).
var embedding = []struct {
	prefix netip.Prefix
	at     int
}{
	{netip.MustParsePrefix("64:ff9b::/96"), 12}, {netip.MustParsePrefix("64:ff9b:1::/48"), 12},
	{netip.MustParsePrefix("2002::/16"), 2}, {netip.MustParsePrefix("::/96"), 12},
}

// forbidden reports whether an address is none that a Matomo has.
func forbidden(ip netip.Addr) bool {
	ip = ip.Unmap().WithZone("")
	if ip.IsLinkLocalUnicast() || ip.IsMulticast() || ip.IsUnspecified() || slices.Contains(clouds, ip) {
		return true
	}
	if !ip.Is6() || ip.IsLoopback() {
		return false
	}
	bytes := ip.As16()
	for _, e := range embedding {
		if e.prefix.Contains(ip) && forbidden(netip.AddrFrom4([4]byte(bytes[e.at:e.at+4]))) {
			return true
		}
	}
	return false
}

// guardedDialer looks at the address that is really connected to, after names are resolved.
func guardedDialer(timeout time.Duration) net.Dialer {
	return net.Dialer{Timeout: timeout, Control: func(_, address string, _ syscall.RawConn) error {
		ap, err := netip.ParseAddrPort(address)
		if err != nil {
			return fmt.Errorf("parse address: %w", err)
		}
		if forbidden(ap.Addr()) {
			return errForbidden
		}
		return nil
	}}
}

// refuseLiteral refuses a host that is itself an address which no Matomo has.
func refuseLiteral(host string) error {
	if ip, err := netip.ParseAddr(host); err == nil && forbidden(ip) {
		return errForbidden
	}
	return nil
}

// Stream calls a method of the Reporting API for the target's site once and has read read the answer, of any length, as
// it comes. The error is ErrTimedOut, or tells what Matomo refused; one of read alone matters to read.
func (c *Client) Stream(ctx context.Context, t target.Target, method string, parameters url.Values,
	read func(io.Reader) error) error {
	token := t.APIToken().Reveal()
	form := url.Values{"module": {"API"}, "format": {"json"}, "method": {method}, "idSite": {strconv.Itoa(t.SiteID)},
		"token_auth": {token}}
	for k, v := range parameters {
		form[k] = v
	}
	resp, r, err := c.send(ctx, t, t.API(), "application/x-www-form-urlencoded", form.Encode(), token)
	if err != nil {
		return unanswered(method, err)
	}
	defer resp.Body.Close() //nolint:errcheck // only read
	body := &begun{r: resp.Body}
	err = read(body)
	if err != nil && errors.Is(plain(err), ErrTimedOut) {
		return ErrTimedOut
	}
	r.Body, r.Truncated = body.first, body.more
	if err == nil && resp.StatusCode == http.StatusOK && body.more {
		return nil // no error of Matomo's is so long
	}
	if a := answer.ParseAPI(&r); a.Class != answer.Accepted {
		return refusal(method, a)
	}
	return nil
}

// firstBytes are kept of an answer, for its first words.
const firstBytes = 4 << 10

// begun keeps the first bytes of what is read of r; more says that there were others.
type begun struct {
	r     io.Reader
	first []byte
	more  bool
}

// Read implements io.Reader.
func (b *begun) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	kept := min(n, firstBytes-len(b.first))
	b.first, b.more = append(b.first, p[:kept]...), b.more || kept < n
	return n, err
}
