// Package wakeup owns waking up at a moment. Go's own timers wake up to a millisecond late where nothing else goes on,
// because the runtime waits in whole milliseconds on Linux (runtime/netpoll_epoll.go); a run that sends a hit every
// half millisecond would show that in every answer.
package wakeup

import (
	"context"
	"time"
)

// Timer wakes one goroutine. Only that one may call its methods.
type Timer interface {
	// Reset lets the next value come from C after d, at once where d is not above 0, in place of what was set before.
	Reset(d time.Duration)
	// C may give a value too many after Set; who waits looks at the clock.
	C() <-chan time.Time
	// Stop ends the alarm.
	Stop()
}

// Sleep waits for d; false where ctx was done before.
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

// NewTimer is an alarm by Go's own timers, which follow the clock of testing/synctest.
func NewTimer() Timer { return goTimer{time.NewTimer(time.Hour)} }

type goTimer struct{ *time.Timer }

// Reset implements Alarm.
func (t goTimer) Reset(d time.Duration) { t.Timer.Reset(d) }

// C implements Alarm.
func (t goTimer) C() <-chan time.Time { return t.Timer.C }

// Stop implements Alarm.
func (t goTimer) Stop() { t.Timer.Stop() }
