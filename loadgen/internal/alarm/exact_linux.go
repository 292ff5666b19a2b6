package alarm

import (
	"os"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Exact is an alarm that wakes within about 0.1 ms, where the system has one, else Timer.
func Exact() Alarm {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil { // a kernel without it, or no descriptor left: the other way is only less exact
		return Timer()
	}
	e := &exact{fd: fd, file: os.NewFile(uintptr(fd), "timerfd"), c: make(chan time.Time, 1)}
	e.reading.Go(e.read)
	return e
}

// exact is a timer of the kernel (timerfd_create(2)), which wakes Go's network poller as a socket does.
type exact struct {
	fd      int
	file    *os.File
	c       chan time.Time
	reading sync.WaitGroup
}

func (e *exact) read() {
	raw, err := e.file.SyscallConn()
	if err != nil {
		panic("read alarm: " + err.Error()) // the descriptor is ours
	}
	var expirations [8]byte
	// The read never blocks, so that the scheduler need not know of it: that would cost more than the read.
	expired := func(fd uintptr) bool {
		_, _, errno := unix.RawSyscall(unix.SYS_READ, fd, uintptr(unsafe.Pointer(&expirations)), unsafe.Sizeof(expirations))
		return errno != unix.EAGAIN
	}
	for {
		if err := raw.Read(expired); err != nil {
			return // stopped
		}
		select {
		case e.c <- time.Now():
		default: // nobody has taken the last one yet
		}
	}
}

// Set implements Alarm.
func (e *exact) Set(d time.Duration) {
	in := unix.ItimerSpec{Value: unix.NsecToTimespec(int64(max(d, 1)))} // 0 would be never
	if err := unix.TimerfdSettime(e.fd, 0, &in, nil); err != nil {
		panic("set alarm: " + err.Error()) // the descriptor is ours and the time is valid
	}
}

// C implements Alarm.
func (e *exact) C() <-chan time.Time { return e.c }

// Stop implements Alarm.
func (e *exact) Stop() {
	_ = e.file.Close() // ends the reading
	e.reading.Wait()
}
