package tracking

import (
	"bufio"
	"cmp"
	"context"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"net/url"

	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/target"
)

// route is how to reach a target: directly, through a proxy that forwards requests (http), or through one that tunnels
// connections (https).
type route struct {
	target, proxy *url.URL // proxy is nil for a direct route
	dialer        *dialer
	tls           *tls.Config
	header        []target.Header
}

func newRoute(to *url.URL, t target.Transport) (*route, error) {
	proxy, err := t.Proxy(to)
	if err != nil {
		return nil, fmt.Errorf("choose proxy: %w", err)
	}
	return &route{target: to, proxy: proxy, dialer: newDialer(), tls: t.TLS, header: t.Header}, nil
}

// head returns the head of a request up to the user agent, with an additional header line.
func (r *route) head(method, line string) []byte {
	forward := r.proxy != nil && r.target.Scheme == "http"
	to := r.target.RequestURI()
	if forward { // the absolute form of RFC 9112, 3.2.2
		to = "http://" + r.target.Host + to
	}
	head := fmt.Appendf(nil, "%s %s HTTP/1.1\r\nHost: %s\r\n%s\r\n", method, to, r.target.Host, line)
	for _, h := range r.header {
		head = fmt.Appendf(head, "%s: %s\r\n", h.Name, h.Value)
	}
	if forward {
		head = append(head, r.proxyAuthorization()...)
	}
	return append(head, "User-Agent: "...)
}

// proxyAuthorization returns the header line with the proxy's user name and password, "" if it has none.
func (r *route) proxyAuthorization() string {
	if r.proxy.User == nil {
		return ""
	}
	password, _ := r.proxy.User.Password()
	pair := r.proxy.User.Username() + ":" + password
	return "Proxy-Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(pair)) + "\r\n"
}

// dial connects to the target. secured is written to; plain is the connection below its TLS, the same without TLS.
func (r *route) dial(ctx context.Context) (plain, secured net.Conn, err error) {
	first := cmp.Or(r.proxy, r.target)
	if plain, err = r.dialer.dial(ctx, first.Hostname(), portOf(first)); err != nil {
		return nil, nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = plain.Close() }) // ends the handshakes with proxy and TLS
	secured, err = r.upgrade(plain, first)
	if !stop() {
		err = ctx.Err()
	}
	if err != nil {
		_ = plain.Close() // the first error counts
		return nil, nil, err
	}
	return plain, secured, nil
}

// upgrade turns a connection to first into one to the target.
func (r *route) upgrade(c net.Conn, first *url.URL) (net.Conn, error) {
	if first.Scheme == "https" {
		if first == r.target {
			return startTLS(c, r.tls, first)
		}
		config := r.tls.Clone()
		config.Certificates = nil // the client certificate is for the target
		secured, err := startTLS(c, config, first)
		if err != nil {
			return nil, err
		}
		c = secured
	}
	if r.proxy == nil || r.target.Scheme == "http" {
		return c, nil
	}
	if err := r.tunnel(c); err != nil {
		return nil, err
	}
	return startTLS(c, r.tls, r.target)
}

func startTLS(under net.Conn, config *tls.Config, to *url.URL) (net.Conn, error) {
	config = config.Clone()
	config.ServerName, config.NextProtos = to.Hostname(), []string{"http/1.1"}
	c := tls.Client(under, config)
	if err := c.Handshake(); err != nil {
		return nil, fmt.Errorf("%w: %w", answer.ErrTLS, err)
	}
	return c, nil
}

// tunnel requests a connection from the proxy to the target (RFC 9110, 9.3.6).
func (r *route) tunnel(c net.Conn) error {
	to := net.JoinHostPort(r.target.Hostname(), portOf(r.target))
	_, err := fmt.Fprintf(c, "CONNECT %[1]s HTTP/1.1\r\nHost: %[1]s\r\n%[2]s\r\n", to, r.proxyAuthorization())
	if err != nil {
		return fmt.Errorf("connect through proxy: %w", err)
	}
	// A proxy sends nothing after its answer before the client does, so the reader takes nothing of the tunnel.
	resp, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: http.MethodConnect})
	if err != nil {
		return fmt.Errorf("connect through proxy: %w", err)
	}
	if resp.StatusCode/100 != 2 { // without its body, which could be anything
		return fmt.Errorf("the proxy refused the connection: %d %s", resp.StatusCode, http.StatusText(resp.StatusCode))
	}
	return nil
}
