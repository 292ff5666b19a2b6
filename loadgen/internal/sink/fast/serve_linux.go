package fast

import (
	"context"
	"fmt"
	"io"
	"net"
	"runtime"
	"syscall"
	"time"
)

// room is for the arrivals of a minute at 30,000 a second: growing would hold up those that come meanwhile.
const room = 2 << 20

// wakeEvery is how often the sink looks whether it should end.
const wakeEvery = 200 * time.Millisecond

// Serve answers at addr until ctx is done, then returns what it saw. keepArrivals keeps the moment of each request in
// memory. listening is called with the address.
func Serve(ctx context.Context, addr string, keepArrivals bool, listening func(net.Addr)) (Stats, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return Stats{}, fmt.Errorf("listen: %w", err)
	}
	defer listener.Close() //nolint:errcheck // nothing was written to it
	file, err := listener.(*net.TCPListener).File()
	if err != nil {
		return Stats{}, fmt.Errorf("take listener: %w", err)
	}
	defer file.Close() //nolint:errcheck // nothing was written to it
	listening(listener.Addr())
	p := &poller{
		server: server{began: time.Now(), keep: keepArrivals, cpu: cpuSeconds}, listener: int(file.Fd()),
		conns: map[int32]*conn{}, in: make([]byte, 256<<10),
	}
	if keepArrivals {
		p.moments = make([]int64, 0, room)
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err = p.run(ctx)
	return p.stats, err
}

// poller is one thread over raw sockets: two system calls a request, while Go's own network code makes four.
type poller struct {
	server
	epoll, listener int
	conns           map[int32]*conn
	in              []byte
}

func (p *poller) run(ctx context.Context) (err error) {
	if p.epoll, err = syscall.EpollCreate1(0); err != nil {
		return fmt.Errorf("make epoll: %w", err)
	}
	defer func() {
		for fd := range p.conns {
			_ = syscall.Close(int(fd))
		}
		_ = syscall.Close(p.epoll)
	}()
	if err := syscall.SetNonblock(p.listener, true); err != nil {
		return fmt.Errorf("set up listener: %w", err)
	}
	if err := p.watch(p.listener, syscall.EPOLLIN); err != nil {
		return err
	}
	events := make([]syscall.EpollEvent, 256)
	for ctx.Err() == nil {
		n, err := syscall.EpollWait(p.epoll, events, int(wakeEvery.Milliseconds()))
		if err != nil && err != syscall.EINTR {
			return fmt.Errorf("wait: %w", err)
		}
		p.tick(time.Now())
		for i := range max(0, n) {
			if fd := events[i].Fd; int(fd) == p.listener {
				p.accept()
			} else if err := p.serve(fd, events[i].Events&syscall.EPOLLRDHUP != 0); err != nil {
				p.drop(fd)
			}
		}
	}
	p.stats.CPUSeconds, p.stats.Seconds = p.cpu(), time.Since(p.began).Seconds()
	return nil
}

// edge makes the kernel tell of new bytes once, rather than look after each read whether some are left.
const edge = 1 << 31

func (p *poller) watch(fd int, events uint32) error {
	if err := syscall.EpollCtl(p.epoll, syscall.EPOLL_CTL_ADD, fd,
		&syscall.EpollEvent{Events: events, Fd: int32(fd)}); err != nil {
		return fmt.Errorf("watch: %w", err)
	}
	return nil
}

func (p *poller) accept() {
	for {
		fd, _, err := syscall.Accept4(p.listener, syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC)
		if err != nil {
			return
		}
		// without it the sink is slower, not wrong
		_ = syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1)
		if p.watch(fd, syscall.EPOLLIN|syscall.EPOLLRDHUP|edge) != nil {
			_ = syscall.Close(fd)
			continue
		}
		p.conns[int32(fd)] = &conn{}
		p.stats.Connections = len(p.conns)
	}
}

// serve reads what there is of a connection and answers. An error is its end; hung says that the other side sends no
// more, which is told once.
func (p *poller) serve(fd int32, hung bool) error {
	c := p.conns[fd]
	for {
		n, _, errno := syscall.RawSyscall(syscall.SYS_READ, uintptr(fd), address(p.in), uintptr(len(p.in)))
		switch {
		case errno == syscall.EAGAIN:
			return nil
		case errno == syscall.EINTR:
			continue
		case errno != 0:
			return errno
		case n == 0:
			return io.EOF
		}
		p.take(c, p.in[:n])
		if err := p.answer(fd, c); err != nil {
			return err
		}
		if int(n) < len(p.in) && !hung { // all of it: what comes later is told anew
			return nil
		}
	}
}

func (p *poller) answer(fd int32, c *conn) error {
	for len(c.out) > 0 {
		n, _, errno := syscall.RawSyscall(syscall.SYS_WRITE, uintptr(fd), address(c.out), uintptr(len(c.out)))
		if errno == syscall.EAGAIN {
			runtime.Gosched() // a long answer to a slow reader: there is none in a benchmark
			continue
		}
		if errno != 0 {
			return errno
		}
		c.out = append(c.out[:0], c.out[n:]...)
	}
	if c.end {
		return io.EOF
	}
	return nil
}

func (p *poller) drop(fd int32) {
	delete(p.conns, fd)
	p.stats.Connections = len(p.conns)
	_ = syscall.Close(int(fd))
}
