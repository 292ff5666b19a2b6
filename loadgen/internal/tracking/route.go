package tracking

import (
	"bufio"
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

// route is the way to a target: straight, through a proxy that passes requests on (http), or through one that
// passes bytes on (https).
type route struct {
	target, proxy *url.URL // proxy is nil for the straight way
	dialer        *dialer
	trust         *tls.Config
	header        []target.Header
}

func newRoute(to *url.URL, way target.Transport) (*route, error) {
	proxy, err := way.Proxy(to)
	if err != nil {
		return nil, fmt.Errorf("choose proxy: %w", err)
	}
	return &route{target: to, proxy: proxy, dialer: newDialer(), trust: way.TLS, header: way.Header}, nil
}

// head is the head of a request up to the user agent, with a header of its own.
func (r *route) head(method, header string) []byte {
	forward := r.proxy != nil && r.target.Scheme == "http"
	to := r.target.RequestURI()
	if forward { // the absolute form of RFC 9112, 3.2.2
		to = "http://" + r.target.Host + to
	}
	head := fmt.Appendf(nil, "%s %s HTTP/1.1\r\nHost: %s\r\n%s\r\n", method, to, r.target.Host, header)
	for _, h := range r.header {
		head = fmt.Appendf(head, "%s: %s\r\n", h.Name, h.Value)
	}
	if forward {
		head = append(head, r.proxyAuthorization()...)
	}
	return append(head, "User-Agent: "...)
}

// proxyAuthorization are the header that a proxy with a user name wants, else "".
func (r *route) proxyAuthorization() string {
	if r.proxy.User == nil {
		return ""
	}
	password, _ := r.proxy.User.Password()
	pair := r.proxy.User.Username() + ":" + password
	return "Proxy-Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(pair)) + "\r\n"
}

// dial connects. secured is what is written to; plain is the connection under its TLS, the same where there is none.
func (r *route) dial(ctx context.Context) (plain, secured net.Conn, err error) {
	first := r.target
	if r.proxy != nil {
		first = r.proxy
	}
	plain, err = r.dialer.dial(ctx, first.Hostname(), portOf(first.Scheme, first.Port()))
	if err != nil {
		return nil, nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = plain.Close() }) // ends the talk with proxy and TLS
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

// upgrade makes of a connection to first one to the target.
func (r *route) upgrade(c net.Conn, first *url.URL) (net.Conn, error) {
	if first.Scheme == "https" {
		if first == r.target {
			return r.startTLS(c, r.trust, first.Hostname())
		}
		own := r.trust.Clone()
		own.Certificates = nil // the client's certificate is for the target
		secured, err := r.startTLS(c, own, first.Hostname())
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
	return r.startTLS(c, r.trust, r.target.Hostname())
}

func (r *route) startTLS(under net.Conn, trust *tls.Config, name string) (net.Conn, error) {
	trust = trust.Clone()
	trust.ServerName, trust.NextProtos = name, []string{"http/1.1"}
	c := tls.Client(under, trust)
	if err := c.Handshake(); err != nil {
		return nil, fmt.Errorf("%w: %w", answer.ErrTLS, err)
	}
	return c, nil
}

// tunnel asks the proxy for a way to the target (RFC 9110, 9.3.6).
func (r *route) tunnel(c net.Conn) error {
	to := net.JoinHostPort(r.target.Hostname(), portOf(r.target.Scheme, r.target.Port()))
	if _, err := fmt.Fprintf(
		c,
		"CONNECT %s HTTP/1.1\r\nHost: %s\r\n%s\r\n",
		to,
		to,
		r.proxyAuthorization(),
	); err != nil {
		return fmt.Errorf("ask proxy: %w", err)
	}
	// A proxy says nothing after its answer before the client speaks, so that the reader takes nothing of the tunnel.
	resp, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: http.MethodConnect})
	if err != nil {
		return fmt.Errorf("ask proxy: %w", err)
	}
	if resp.StatusCode/100 != 2 { // its own words could be anything
		return fmt.Errorf("the proxy refuses: %d %s", resp.StatusCode, http.StatusText(resp.StatusCode))
	}
	return nil
}
