package wakeup

import (
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// NewHighRes returns a Timer that fires within about 0.1 ms, or NewTimer's if the kernel refuses one.
func NewHighRes() Timer {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil { // not supported, or out of descriptors
		return NewTimer()
	}
	t := &timerfd{fd: fd, file: os.NewFile(uintptr(fd), "timerfd"), ch: make(chan time.Time, 1)}
	t.waiter.Go(t.wait)
	<-t.ch // wait is running: no expiration is missed from now on
	return t
}

// timerfd is a kernel timer (timerfd_create(2)) that wakes Go's network poller like a socket.
type timerfd struct {
	fd     int
	file   *os.File
	ch     chan time.Time
	waiter sync.WaitGroup
}

// wait forwards expirations. It never reads the descriptor, because Reset clears the expiration anyway: the runtime
// would record the read's system call and wake its monitor for it, which costs more than the rest of the timer.
func (t *timerfd) wait() {
	raw, err := t.file.SyscallConn()
	if err != nil {
		panic("wait for timer: " + err.Error()) // the descriptor is valid
	}
	_ = raw.Read(func(uintptr) bool { // called at once, and after each expiration until Stop
		select {
		case t.ch <- time.Now():
		default: // the last value was not received yet
		}
		return false
	})
}

// Reset implements Timer.
func (t *timerfd) Reset(d time.Duration) {
	in := unix.ItimerSpec{Value: unix.NsecToTimespec(int64(max(d, 1)))} // 0 would disarm it
	if err := unix.TimerfdSettime(t.fd, 0, &in, nil); err != nil {
		panic("set timer: " + err.Error()) // descriptor and time are valid
	}
}

// C implements Timer.
func (t *timerfd) C() <-chan time.Time { return t.ch }

// Stop implements Timer.
func (t *timerfd) Stop() {
	_ = t.file.Close() // ends wait
	t.waiter.Wait()
}
