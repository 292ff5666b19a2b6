package matomo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
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

// Client sends requests to Matomos, each over the connection that its target describes. It follows no redirects,
// because a token must not travel on, and connects to no address where clouds keep secrets. It is safe for concurrent
// use.
type Client struct {
	timeout time.Duration
	machine target.Environment

	mu   sync.Mutex // guards ways
	ways map[target.Access]*way
}

// way is how requests go to a target; it is renewed after wayAge, because files and names change.
type way struct {
	target.Transport
	http *http.Client
	made time.Time
}

const wayAge = time.Minute

// maxAnswer is the maximum size of an answer in bytes.
const maxAnswer = 1 << 20

// NewClient makes a client; timeout is for one request and must be positive.
func NewClient(timeout time.Duration, m target.Environment) *Client {
	return &Client{timeout: timeout, machine: m, ways: map[target.Access]*way{}}
}

// Proxy returns the proxy for an address of t, nil for a direct connection.
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
	maps.DeleteFunc(c.ways, func(_ target.Access, w *way) bool { return now.Sub(w.made) >= wayAge })
	to, err := c.machine.Transport(t.Access)
	if err != nil {
		return nil, &fileError{err}
	}
	w := &way{Transport: to, http: newHTTP(to, c.timeout), made: now}
	c.ways[t.Access] = w
	return w, nil
}

// newHTTP returns a client that reuses no connections: calls are rare, and a server may have closed an old one.
func newHTTP(w target.Transport, timeout time.Duration) *http.Client {
	dialer := net.Dialer{Timeout: timeout, Control: checkConnection}
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

// fileError means an unusable certificate or key file.
type fileError struct{ error }

// Unwrap gives the cause.
func (e *fileError) Unwrap() error { return e.error }

// proxyError means that a proxy refused a connection.
type proxyError struct{ status int }

// Error implements error.
func (e *proxyError) Error() string {
	return fmt.Sprintf("the proxy refused the connection: %d %s", e.status, http.StatusText(e.status))
}

// UserAgent is a browser's: Matomo answers bots differently.
const UserAgent = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"

// Reply is an answer with its response time.
type Reply struct {
	answer.Raw
	Took time.Duration
}

const formType = "application/x-www-form-urlencoded"

// PostForm posts a form to an address of t; its token_auth is masked in excerpts of the answer.
func (c *Client) PostForm(ctx context.Context, t target.Target, to string, form url.Values) (Reply, error) {
	return c.Post(ctx, t, to, formType, form.Encode(), form.Get("token_auth"))
}

// Post posts a body of a media type to an address of t; token is masked in excerpts of the answer.
func (c *Client) Post(ctx context.Context, t target.Target, to, mediaType, body, token string) (Reply, error) {
	began := time.Now()
	resp, r, err := c.send(ctx, t, to, mediaType, body, token)
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

// send posts a request and returns the answer with its body unread.
func (c *Client) send(ctx context.Context, t target.Target, to, mediaType, body, token string) (*http.Response,
	answer.Raw, error) {
	w, err := c.way(t)
	if err != nil {
		return nil, answer.Raw{}, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, strings.NewReader(body))
	if err != nil {
		return nil, answer.Raw{}, errors.New("the URL is invalid")
	}
	if ip, err := netip.ParseAddr(req.URL.Hostname()); err == nil && forbidden(ip) { // a proxy would connect to it
		return nil, answer.Raw{}, errForbidden
	}
	for _, h := range w.Header {
		req.Header.Set(h.Name, h.Value)
	}
	req.Header.Set("Content-Type", mediaType)
	req.Header.Set("User-Agent", UserAgent)
	resp, err := w.http.Do(req)
	if err != nil {
		return nil, answer.Raw{}, plain(err)
	}
	header := func(name string) []byte { return []byte(resp.Header.Get(name)) }
	r := answer.Raw{
		Status: resp.StatusCode, Server: header("Server"), Location: header("Location"),
		RetryAfter: header("Retry-After"),
		Challenge:  resp.Header.Get("WWW-Authenticate") != "", Secrets: w.Secrets,
	}
	r.Date, _ = http.ParseTime(resp.Header.Get("Date")) // zero if missing
	if token != "" {
		r.Secrets = append(slices.Clip(r.Secrets), token)
	}
	return resp, r, nil
}

var errForbidden = errors.New("the address is link-local, multicast, unspecified or a cloud metadata service")

// clouds are metadata services of clouds, next to the link-local 169.254.169.254.
var clouds = []netip.Addr{
	netip.MustParseAddr("100.100.100.200"), // Alibaba Cloud
	netip.MustParseAddr("168.63.129.16"),   // Azure
	netip.MustParseAddr("192.0.0.192"),     // Oracle Cloud
	netip.MustParseAddr("fd00:ec2::254"),   // AWS
}

// embedding are prefixes of IPv6 addresses that contain an IPv4 address, and the byte where that begins: NAT64
// (RFC 6052, RFC 8215), 6to4 (RFC 3056) and IPv4-compatible addresses (RFC 4291, 2.5.5.1).
var embedding = []struct {
	prefix netip.Prefix
	at     int
}{
	{netip.MustParsePrefix("64:ff9b::/96"), 12}, {netip.MustParsePrefix("64:ff9b:1::/48"), 12},
	{netip.MustParsePrefix("2002::/16"), 2}, {netip.MustParsePrefix("::/96"), 12},
}

// forbidden reports whether no Matomo can have an address.
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

// checkConnection checks the address of a connection, after names are resolved.
func checkConnection(_, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("parse address: %w", err)
	}
	if forbidden(ap.Addr()) {
		return errForbidden
	}
	return nil
}

// Stream calls a method of the Reporting API for the target's site once and has read consume the answer, of any length.
// The error is ErrTimedOut or an *Error; read must report other errors itself.
func (c *Client) Stream(ctx context.Context, t target.Target, method string, parameters url.Values,
	read func(io.Reader) error) error {
	form := apiForm(t, method, url.Values{"idSite": {strconv.Itoa(t.SiteID)}})
	maps.Copy(form, parameters)
	resp, r, err := c.send(ctx, t, t.API(), formType, form.Encode(), t.APIToken().Reveal())
	if err != nil {
		return unanswered(method, err)
	}
	defer resp.Body.Close() //nolint:errcheck // only read
	body := &prefixReader{r: resp.Body}
	err = read(body)
	if err != nil && errors.Is(plain(err), ErrTimedOut) {
		return ErrTimedOut
	}
	r.Body, r.Truncated = body.prefix, body.more
	if err == nil && resp.StatusCode == http.StatusOK && body.more {
		return nil // no error of Matomo's is so long
	}
	if a := answer.ParseAPI(&r); a.Class != answer.Accepted {
		return refusal(method, a)
	}
	return nil
}

// prefixReader keeps the first 4 KiB that are read from r, for an excerpt; more reports that there were others.
type prefixReader struct {
	r      io.Reader
	prefix []byte
	more   bool
}

// Read implements io.Reader.
func (b *prefixReader) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	kept := min(n, 4<<10-len(b.prefix))
	b.prefix, b.more = append(b.prefix, p[:kept]...), b.more || kept < n
	return n, err
}
