package security

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// A stranger is a connection without a request with a key or session yet. Strangers cost memory and descriptors and
// need no key, so their number and time are limited. Members are only limited by the descriptors.
const (
	// maxStrangers is the maximum number of strangers, half of them of one address.
	maxStrangers = 256
	// strangerTime is how long a stranger may take for a head, for a body, to read a response, and between two
	// requests.
	strangerTime = 10 * time.Second
	// strangerStay is the time before another stranger can take its place: enough for a request over a slow network.
	strangerStay = 250 * time.Millisecond
)

// Listener limits the connections that it accepts: beyond the limit, a new stranger replaces the oldest one of its
// address, or else of the address that has most. So a client that sends its request at once is served.
type Listener struct {
	net.Listener
	all, strangers, ofAddress int
	done                      context.Context
	stop                      context.CancelFunc

	mu      sync.Mutex // guards the fields below
	open    int
	waiting map[netip.Prefix][]*conn // strangers by address, oldest first
	count   int                      // number of strangers
}

// LimitConnections limits l to all connections at once, at least 8.
func LimitConnections(l net.Listener, all int) *Listener {
	all = max(all, 8)
	strangers := min(maxStrangers, all/2)
	out := &Listener{Listener: l, all: all, strangers: strangers, ofAddress: strangers / 2,
		waiting: map[netip.Prefix][]*conn{}}
	out.done, out.stop = context.WithCancel(context.Background())
	return out
}

// Close implements net.Listener.
func (l *Listener) Close() error {
	l.stop()
	return l.Listener.Close()
}

// Accept implements net.Listener.
func (l *Listener) Accept() (net.Conn, error) {
	for {
		accepted, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		c := &conn{Conn: accepted, listener: l, home: home(accepted.RemoteAddr()), since: time.Now()}
		if l.admit(c) {
			return c, nil
		}
		_ = accepted.Close() // no request was read yet
	}
}

// admit makes room for c, or returns false if all connections are members' or the listener is closed.
func (l *Listener) admit(c *conn) bool {
	for {
		l.mu.Lock()
		victim, full := l.crowded(c.home)
		if !full {
			l.open++
			l.count++
			l.waiting[c.home] = append(l.waiting[c.home], c)
			l.mu.Unlock()
			return true
		}
		var stay time.Duration
		if victim != nil {
			if stay = strangerStay - time.Since(victim.since); stay <= 0 {
				l.forget(victim)
			}
		}
		l.mu.Unlock()
		switch {
		case victim == nil:
			return false
		case stay <= 0:
			_ = victim.Conn.Close() // the HTTP server sees the end
			continue
		}
		select {
		case <-time.After(stay):
		case <-l.done.Done():
			return false
		}
	}
}

// crowded reports whether one more from an address is too many, and which stranger it replaces.
func (l *Listener) crowded(home netip.Prefix) (victim *conn, full bool) {
	if own := l.waiting[home]; len(own) >= l.ofAddress {
		return own[0], true
	}
	if l.count < l.strangers && l.open < l.all {
		return nil, false
	}
	most := 0
	for _, list := range l.waiting {
		if len(list) > most || len(list) == most && list[0].since.Before(victim.since) {
			victim, most = list[0], len(list)
		}
	}
	return victim, true
}

// forget removes c from the strangers and from the open connections.
func (l *Listener) forget(c *conn) {
	l.leave(c)
	if !c.gone {
		c.gone = true
		l.open--
	}
}

func (l *Listener) leave(c *conn) {
	list := l.waiting[c.home]
	i := slices.Index(list, c)
	if i < 0 {
		return
	}
	l.count--
	if l.waiting[c.home] = slices.Delete(list, i, i+1); len(list) == 1 {
		delete(l.waiting, c.home)
	}
}

// home returns the network of one subscriber: an IPv4 address, or the /64 of an IPv6 address.
func home(a net.Addr) netip.Prefix {
	addr := parseAddr(a.String())
	bits := addr.BitLen()
	if addr.Is6() {
		bits = 64
	}
	p, err := addr.Prefix(bits)
	if err != nil {
		return netip.Prefix{} // not an IP address, such as a pipe: all count as one address
	}
	return p
}

// conn is an accepted connection.
type conn struct {
	net.Conn
	listener *Listener
	home     netip.Prefix
	since    time.Time
	gone     bool // guarded by the listener's mutex

	mu       sync.Mutex // guards the fields below
	known    bool
	deadline time.Time // for reading, as the server set it
}

// SetReadDeadline implements net.Conn; for a stranger it is at most strangerTime from now.
func (c *conn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deadline = t
	if latest := time.Now().Add(strangerTime); !c.known && (t.IsZero() || t.After(latest)) {
		t = latest
	}
	return c.Conn.SetReadDeadline(t)
}

// Write implements net.Conn; a stranger has to read the response in strangerTime.
func (c *conn) Write(p []byte) (int, error) {
	c.mu.Lock()
	if !c.known {
		_ = c.SetWriteDeadline(time.Now().Add(strangerTime)) // the write fails for the same reason
	}
	c.mu.Unlock()
	return c.Conn.Write(p)
}

// CloseWrite closes the sending half, so that a refused sender can read its response.
func (c *conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// Close implements net.Conn.
func (c *conn) Close() error {
	c.listener.mu.Lock()
	c.listener.forget(c)
	c.listener.mu.Unlock()
	return c.Conn.Close()
}

// member lifts the limits of strangers.
func (c *conn) member() {
	c.mu.Lock()
	known := c.known
	if !known {
		c.known = true
		_ = c.Conn.SetReadDeadline(c.deadline) // reading and writing fail for the same reason
		_ = c.SetWriteDeadline(time.Time{})
	}
	c.mu.Unlock()
	if !known {
		c.listener.mu.Lock()
		c.listener.leave(c)
		c.listener.mu.Unlock()
	}
}

type connKey struct{}

// WithConn is the ConnContext of an http.Server that serves a Listener.
func WithConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

// member marks the connection of a request with a key or session.
func member(ctx context.Context) {
	if c, ok := ctx.Value(connKey{}).(*conn); ok {
		c.member()
	}
}
