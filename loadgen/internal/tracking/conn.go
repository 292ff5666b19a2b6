package tracking

import (
	"net"
	"runtime"
	"strconv"
	"syscall"
	"time"
)

// maxInlineBody is the largest body, in bytes, that is copied behind its head; a larger one is written beside it (writev).
const maxInlineBody = 16 << 10

// conn is a connection with the buffers of its requests.
type conn struct {
	net.Conn
	plain    net.Conn // under TLS, or the same
	timeout  time.Duration
	deadline time.Time
	lastUsed time.Time // zero before its first answer
	expires  time.Time // when it has served its time
	buffer   []byte
	pair     [2][]byte // head and body, in the memory of which parts is
	parts    net.Buffers
	response response
}

// extendDeadline lets the connection have its timeout from now on. Setting a deadline costs much of a request, so that it is
// set a little later than needed, and then serves many.
func (c *conn) extendDeadline(now time.Time) {
	if c.deadline.Sub(now) < c.timeout {
		c.deadline = now.Add(c.timeout + c.timeout/8)
		_ = c.SetDeadline(c.deadline) // fails on a closed connection alone, as the write then will
	}
}

// interrupt ends what is going on, and is safe from any goroutine.
func (c *conn) interrupt() { _ = c.SetDeadline(time.Unix(1, 0)) }

// close ends the connection without TLS's farewell, which could wait for a server that hangs.
func (c *conn) close() { _ = c.plain.Close() } // nothing of it is of interest any more

// isIdle looks whether the server has closed the connection or said what nobody asked for.
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

// write writes a request; written says that a byte of it went out. Of a TLS record that went out in part nobody can
// read a byte, so that it does not count.
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
	c.pair[1] = nil // the body is the caller's
	return n > 0, err
}

// read reads the answer of the request. Others go first: by then the answer of a near server is there, so that the
// first look for it is not in vain (a system call, and two switches of goroutines, are saved).
func (c *conn) read() error {
	runtime.Gosched()
	return c.response.read(c.Conn)
}
