package tracking

import (
	"net"
	"runtime"
	"strconv"
	"syscall"
	"time"
)

// maxInlineBody is the size up to which a body is copied behind its head; a larger one is written separately (writev).
const maxInlineBody = 16 << 10

// conn is a connection with the buffers of its requests.
type conn struct {
	net.Conn
	plain    net.Conn // below TLS, or the same
	timeout  time.Duration
	deadline time.Time
	lastUsed time.Time // zero before its first answer
	expires  time.Time
	buffer   []byte
	pair     [2][]byte // head and body; parts uses its memory
	parts    net.Buffers
	response response
}

// extendDeadline gives the connection its timeout from now. Setting a deadline is a large part of a request's cost, so
// it is set a little later than needed and serves many requests.
func (c *conn) extendDeadline(now time.Time) {
	if c.deadline.Sub(now) < c.timeout {
		c.deadline = now.Add(c.timeout + c.timeout/8)
		_ = c.SetDeadline(c.deadline) // only fails on a closed connection, as the write will
	}
}

// interrupt ends the request in flight. It is safe for concurrent use.
func (c *conn) interrupt() { _ = c.SetDeadline(time.Unix(1, 0)) }

// close closes the connection without TLS's close_notify, which could block on a server that hangs.
func (c *conn) close() { _ = c.plain.Close() } // the connection is not needed any more

// isIdle reports whether the server has neither closed the connection nor sent anything unasked.
func (c *conn) isIdle() bool {
	raw, ok := c.plain.(syscall.Conn)
	if !ok {
		return false
	}
	socket, err := raw.SyscallConn()
	if err != nil {
		return false
	}
	quiet := false
	err = socket.Read(func(fd uintptr) bool {
		var b [1]byte
		_, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		quiet = err == syscall.EAGAIN
		return true
	})
	return err == nil && quiet
}

// write writes a request; written reports whether a byte of it was sent. A partial TLS record does not count, because
// the server cannot read it.
func (c *conn) write(head, body []byte, userAgent string) (written bool, err error) {
	c.buffer = append(append(c.buffer[:0], head...), userAgent...)
	if body != nil {
		c.buffer = append(c.buffer, "\r\nContent-Length: "...)
		c.buffer = strconv.AppendInt(c.buffer, int64(len(body)), 10)
	}
	c.buffer = append(c.buffer, "\r\n\r\n"...)
	if len(body) <= maxInlineBody {
		c.buffer = append(c.buffer, body...)
		n, err := c.Write(c.buffer)
		return n > 0, err
	}
	c.pair = [2][]byte{c.buffer, body}
	c.parts = c.pair[:]
	n, err := c.parts.WriteTo(c.Conn)
	c.pair[1] = nil // the body belongs to the caller
	return n > 0, err
}

// read reads the answer. It yields first: by then the answer of a near server has arrived, which saves a read in vain
// (a system call and two goroutine switches).
func (c *conn) read() error {
	runtime.Gosched()
	return c.response.read(c.Conn)
}
