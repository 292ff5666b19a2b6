package wakeup

import (
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// NewHighRes is an alarm that wakes within about 0.1 ms, where the system has one, else Timer.
func NewHighRes() Timer {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil { // a kernel without it, or no descriptor left: the other way is only less exact
		return NewTimer()
	}
	e := &timerfd{fd: fd, file: os.NewFile(uintptr(fd), "timerfd"), ch: make(chan time.Time, 1)}
	e.waiter.Go(e.wait)
	<-e.ch // it waits: no expiration is missed from here on
	return e
}

// timerfd is a timer of the kernel (timerfd_create(2)), which wakes Go's network poller as a socket does.
type timerfd struct {
	fd     int
	file   *os.File
	ch     chan time.Time
	waiter sync.WaitGroup
}

// wait waits for the timer without ever reading it: to set it anew forgets that it has expired. The runtime would note
// the system call of a read, and wake its monitor for that, which costs more than all else of an alarm.
func (e *timerfd) wait() {
	raw, err := e.file.SyscallConn()
	if err != nil {
		panic("wait for alarm: " + err.Error()) // the descriptor is ours
	}
	_ = raw.Read(func(uintptr) bool { // at once, and whenever the timer expires, until Stop
		select {
		case e.ch <- time.Now():
		default: // nobody has taken the last one yet
		}
		return false
	})
}

// Reset implements Alarm.
func (e *timerfd) Reset(d time.Duration) {
	in := unix.ItimerSpec{Value: unix.NsecToTimespec(int64(max(d, 1)))} // 0 would be never
	if err := unix.TimerfdSettime(e.fd, 0, &in, nil); err != nil {
		panic("set alarm: " + err.Error()) // the descriptor is ours and the time is valid
	}
}

// C implements Alarm.
func (e *timerfd) C() <-chan time.Time { return e.ch }

// Stop implements Alarm.
func (e *timerfd) Stop() {
	_ = e.file.Close() // ends the waiting
	e.waiter.Wait()
}
