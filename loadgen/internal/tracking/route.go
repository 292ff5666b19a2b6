package tracking

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"
)

// route is the way to a target: straight, through a proxy that passes requests on (http), or through one that
// passes bytes on (https).
type route struct {
	target, proxy *url.URL // proxy is nil for the straight way
	dialer        net.Dialer
	insecure      bool
}

func newRoute(target *url.URL, o Options) (route, error) {
	r := route{target: target, insecure: o.InsecureTLS, dialer: net.Dialer{KeepAlive: 30 * time.Second}}
	if o.Proxy == nil {
		return r, nil
	}
	proxy, err := o.Proxy(target)
	if err != nil {
		return r, fmt.Errorf("choose proxy: %w", err)
	}
	if proxy != nil && proxy.Scheme != "http" && proxy.Scheme != "https" {
		return r, fmt.Errorf("choose proxy: %s is not supported, use one of http or https", proxy.Scheme)
	}
	r.proxy = proxy
	return r, nil
}

// head is the head of a request up to the user agent.
func (r route) head(method, contentType string) []byte {
	forward := r.proxy != nil && r.target.Scheme == "http"
	to := r.target.RequestURI()
	if forward { // the absolute form of RFC 9112, 3.2.2
		to = "http://" + r.target.Host + to
	}
	head := fmt.Appendf(nil, "%s %s HTTP/1.1\r\nHost: %s\r\n", method, to, r.target.Host)
	if forward {
		head = append(head, r.credentials()...)
	}
	if contentType != "" {
		head = fmt.Appendf(head, "Content-Type: %s\r\n", contentType)
	}
	return append(head, "User-Agent: "...)
}

// credentials are the header that a proxy with a user name wants, else "".
func (r route) credentials() string {
	if r.proxy.User == nil {
		return ""
	}
	password, _ := r.proxy.User.Password()
	pair := r.proxy.User.Username() + ":" + password
	return "Proxy-Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(pair)) + "\r\n"
}

// dial connects. secured is what is written to; plain is the connection under its TLS, the same where there is none.
func (r route) dial(ctx context.Context) (plain, secured net.Conn, err error) {
	first := r.target
	if r.proxy != nil {
		first = r.proxy
	}
	plain, err = r.dialer.DialContext(ctx, "tcp", address(first))
	if err != nil {
		return nil, nil, err
	}
	secured, err = r.prepare(ctx, plain, first)
	if err != nil {
		_ = plain.Close() // the first error counts
		return nil, nil, err
	}
	return plain, secured, nil
}

// prepare makes of a connection to first one to the target.
func (r route) prepare(ctx context.Context, c net.Conn, first *url.URL) (net.Conn, error) {
	if first.Scheme == "https" {
		secured, err := r.secure(ctx, c, first.Hostname())
		if err != nil || first == r.target {
			return secured, err
		}
		c = secured
	}
	if r.proxy == nil || r.target.Scheme == "http" {
		return c, nil
	}
	if err := r.tunnel(ctx, c); err != nil {
		return nil, err
	}
	return r.secure(ctx, c, r.target.Hostname())
}

func (r route) secure(ctx context.Context, under net.Conn, name string) (net.Conn, error) {
	c := tls.Client(under, &tls.Config{ServerName: name, InsecureSkipVerify: r.insecure}) //nolint:gosec // a loudly logged knob
	return c, c.HandshakeContext(ctx)
}

// tunnel asks the proxy for a way to the target (RFC 9110, 9.3.6).
func (r route) tunnel(ctx context.Context, c net.Conn) error {
	if deadline, ok := ctx.Deadline(); ok {
		if err := c.SetDeadline(deadline); err != nil {
			return err
		}
	}
	to := address(r.target)
	if _, err := fmt.Fprintf(c, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n%s\r\n", to, to, r.credentials()); err != nil {
		return fmt.Errorf("ask proxy: %w", err)
	}
	// A proxy says nothing after its answer before the client speaks, so that the reader takes nothing of the tunnel.
	resp, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: http.MethodConnect})
	if err != nil {
		return fmt.Errorf("ask proxy: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return errors.New("the proxy refuses: " + resp.Status)
	}
	return nil
}

// address is host:port to connect to.
func address(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}
