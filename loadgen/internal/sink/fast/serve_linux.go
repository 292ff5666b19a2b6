package fast

import (
	"context"
	"fmt"
	"io"
	"net"
	"runtime"
	"syscall"
	"time"
	"unsafe"
)

// room is the initial capacity for arrivals, more than a minute at 30,000 per second: growing would delay requests.
const room = 2 << 20

// wakeInterval is how often the sink checks whether it should end.
const wakeInterval = 200 * time.Millisecond

// Serve serves at addr until ctx is done and returns its counts. keepArrivals keeps the time of each request in memory.
// listening is called with the address.
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
		p.arrivals = make([]int64, 0, room)
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err = p.run(ctx)
	return p.stats, err
}

// poller is one thread with raw sockets. It makes two system calls per request; Go's network code makes four.
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
		n, err := syscall.EpollWait(p.epoll, events, int(wakeInterval.Milliseconds()))
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

// edge is EPOLLET: one event for new bytes, instead of one after each incomplete read.
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
		// otherwise the sink is only slower
		_ = syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1)
		if p.watch(fd, syscall.EPOLLIN|syscall.EPOLLRDHUP|edge) != nil {
			_ = syscall.Close(fd)
			continue
		}
		p.conns[int32(fd)] = &conn{}
		p.stats.Connections = len(p.conns)
	}
}

// serve reads from a connection and responds. An error ends it. hung means that the client has closed its side, which
// is reported only once.
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
		if int(n) < len(p.in) && !hung { // there will be another event
			return nil
		}
	}
}

func (p *poller) answer(fd int32, c *conn) error {
	for len(c.out) > 0 {
		n, _, errno := syscall.RawSyscall(syscall.SYS_WRITE, uintptr(fd), address(c.out), uintptr(len(c.out)))
		if errno == syscall.EAGAIN {
			runtime.Gosched() // slow readers do not occur in benchmarks
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

// address returns the address of b for a system call that does not keep it.
func address(b []byte) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(b))) }

// cpuSeconds returns the CPU time of this process.
func cpuSeconds() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return float64(u.Utime.Sec+u.Stime.Sec) + float64(u.Utime.Usec+u.Stime.Usec)/1e6
}
