package security

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"time"
)

// A stranger is a connection over which no request with a key or session came yet. Strangers cost memory and
// descriptors and need no key, so that they are few, and none waits long. Members are bounded by the descriptors alone.
const (
	// maxStrangers is how many there can be, half of them of one address.
	maxStrangers = 256
	// strangerTime is how long a stranger may need for the head, for the body, for taking an answer, and between two
	// requests.
	strangerTime = 10 * time.Second
	// strangerStay is what each stranger surely has before another takes its place: time for a request over a slow
	// network.
	strangerStay = 250 * time.Millisecond
)

// Listener bounds the connections that it accepts: a stranger who is one too many takes the place of the one who has
// waited longest, of the same address or else of the address that has most. So whoever sends a request at once is
// answered.
type Listener struct {
	net.Listener
	all, strangers, ofAddress int
	done                      context.Context
	stop                      context.CancelFunc

	mu      sync.Mutex // guards what follows
	open    int
	waiting map[netip.Prefix][]*conn // strangers by address, the oldest first
	count   int                      // of strangers
}

// LimitConnections bounds l to all connections at once, at least 8.
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
		_ = accepted.Close() // nobody waits for an answer yet
	}
}

// admit makes room for c; false where every place is a member's, or the listener is closed.
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
			_ = victim.Conn.Close() // its server sees the end
			continue
		}
		timer := time.NewTimer(stay)
		select {
		case <-timer.C:
		case <-l.done.Done():
			timer.Stop()
			return false
		}
	}
}

// crowded tells whether one more from an address is too many, and who has to give way.
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

// forget takes c out of the strangers, and of all where it is closed.
func (l *Listener) forget(c *conn) {
	l.leave(c)
	if !c.gone {
		c.gone = true
		l.open--
	}
}

func (l *Listener) leave(c *conn) {
	list := l.waiting[c.home]
	for i, other := range list {
		if other == c {
			l.count--
			if list = append(list[:i:i], list[i+1:]...); len(list) == 0 {
				delete(l.waiting, c.home)
			} else {
				l.waiting[c.home] = list
			}
			return
		}
	}
}

// home is the network that one subscriber has: an IPv4 address, or the /64 of an IPv6 address.
func home(a net.Addr) netip.Prefix {
	addr := parseAddr(a.String())
	bits := addr.BitLen()
	if addr.Is6() {
		bits = 64
	}
	p, err := addr.Prefix(bits)
	if err != nil {
		return netip.Prefix{} // no IP network, such as a pipe: all are of one address
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

	mu       sync.Mutex // guards what follows
	known    bool
	deadline time.Time // of reading, as the server set it
}

// SetReadDeadline implements net.Conn; for a stranger it is never later than strangerTime from now.
func (c *conn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deadline = t
	if latest := time.Now().Add(strangerTime); !c.known && (t.IsZero() || t.After(latest)) {
		t = latest
	}
	return c.Conn.SetReadDeadline(t)
}

// Write implements net.Conn; a stranger has to take what is written.
func (c *conn) Write(p []byte) (int, error) {
	c.mu.Lock()
	if !c.known {
		_ = c.SetWriteDeadline(time.Now().Add(strangerTime)) // the write fails of the same
	}
	c.mu.Unlock()
	return c.Conn.Write(p)
}

// CloseWrite ends the sending half, with which a server lets a refused sender read its answer.
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
		_ = c.Conn.SetReadDeadline(c.deadline) // reading and writing fail of the same
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

// member tells the connection of a request that who uses it has a key or session.
func member(ctx context.Context) {
	if c, ok := ctx.Value(connKey{}).(*conn); ok {
		c.member()
	}
}
