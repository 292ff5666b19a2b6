// Package wakeup owns waking up at a moment. Go's own timers wake up to a millisecond late where nothing else goes on,
// because the runtime waits in whole milliseconds on Linux (runtime/netpoll_epoll.go); a run that sends a hit every
// half millisecond would show that in every answer.
package wakeup

import (
	"context"
	"time"
)

// Alarm wakes one goroutine. Only that one may call its methods.
type Alarm interface {
	// Set lets the next value come from C after d, at once where d is not above 0, in place of what was set before.
	Set(d time.Duration)
	// C may give a value too many after Set; who waits looks at the clock.
	C() <-chan time.Time
	// Stop ends the alarm.
	Stop()
}

// Wait waits for d; false where ctx was done before.
func Wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// Timer is an alarm by Go's own timers, which follow the clock of testing/synctest.
func Timer() Alarm { return timer{time.NewTimer(time.Hour)} }

type timer struct{ *time.Timer }

// Set implements Alarm.
func (t timer) Set(d time.Duration) { t.Reset(d) }

// C implements Alarm.
func (t timer) C() <-chan time.Time { return t.Timer.C }

// Stop implements Alarm.
func (t timer) Stop() { t.Timer.Stop() }
