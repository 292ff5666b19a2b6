package tracking

import (
	"net"
	"runtime"
	"strconv"
	"syscall"
	"time"
)

// together is the largest body, in bytes, that is copied behind its head to be written with it.
const together = 16 << 10

// conn is a connection with the buffers of its requests.
type conn struct {
	net.Conn
	plain    net.Conn // under TLS, or the same
	timeout  time.Duration
	deadline time.Time
	used     time.Time
	out      []byte
	parts    [2][]byte
	both     net.Buffers
	answer   answer
}

// extend lets the connection have its timeout from now on. Setting a deadline costs much of a request, so that it is
// set a little later than needed, and then serves many.
func (c *conn) extend(now time.Time) {
	if c.deadline.Sub(now) < c.timeout {
		c.deadline = now.Add(c.timeout + c.timeout/8)
		_ = c.SetDeadline(c.deadline) // fails on a closed connection alone, as the write then will
	}
}

// interrupt ends what is going on, and is safe from any goroutine.
func (c *conn) interrupt() { _ = c.SetDeadline(time.Unix(1, 0)) }

func (c *conn) close() { _ = c.Close() } // nothing of it is of interest any more

// alive looks whether the server has closed the connection or said what nobody asked for.
func (c *conn) alive() bool {
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

// write writes a request; written says that a byte of it went out, or may have.
func (c *conn) write(head, body []byte, userAgent string) (written bool, err error) {
	c.out = append(append(c.out[:0], head...), userAgent...)
	if body != nil {
		c.out = append(c.out, "\r\nContent-Length: "...)
		c.out = strconv.AppendInt(c.out, int64(len(body)), 10)
	}
	c.out = append(c.out, "\r\n\r\n"...)
	if len(body) <= together {
		c.out = append(c.out, body...)
		body = nil
	}
	if body == nil {
		n, err := c.Write(c.out)
		return n > 0 || c.plain != c.Conn, err
	}
	c.parts[0], c.parts[1] = c.out, body
	c.both = c.parts[:]
	n, err := c.both.WriteTo(c.Conn) // at once, without TLS
	return n > 0 || c.plain != c.Conn, err
}

// read reads the answer of the request. Others go first: by then the answer of a near server is there, so that the
// first look for it is not in vain (a system call, and two switches of goroutines, are saved).
func (c *conn) read() error {
	runtime.Gosched()
	return c.answer.read(c)
}
