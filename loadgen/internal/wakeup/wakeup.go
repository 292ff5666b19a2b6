// Package wakeup owns waiting for a point in time with sub-millisecond precision. On Linux an idle runtime waits in
// whole milliseconds (runtime/netpoll_epoll.go), so Go's own timers fire up to a millisecond late; a run that sends a
// hit every half millisecond would show that in every latency.
package wakeup

import (
	"context"
	"time"
)

// Timer wakes one goroutine. Only that goroutine may call its methods.
type Timer interface {
	// Reset makes C fire after d, or at once if d is not positive. It replaces the previous wait.
	Reset(d time.Duration)
	// C may deliver one spurious value after Reset, so the receiver must check the clock.
	C() <-chan time.Time
	Stop()
}

// Sleep waits for d. It returns false if ctx is done first.
func Sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// NewTimer returns a Timer based on time.Timer, which follows the clock of testing/synctest.
func NewTimer() Timer { return goTimer{time.NewTimer(time.Hour)} }

type goTimer struct{ *time.Timer }

// Reset implements Timer.
func (t goTimer) Reset(d time.Duration) { t.Timer.Reset(d) }

// C implements Timer.
func (t goTimer) C() <-chan time.Time { return t.Timer.C }

// Stop implements Timer.
func (t goTimer) Stop() { t.Timer.Stop() }
