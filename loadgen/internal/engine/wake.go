package engine

import (
	"runtime"
	"time"
)

// setAlarm lets the loop wake at at, or before: an alarm that comes too early costs less than to set each of them.
func (l *loop) setAlarm(at time.Duration) {
	if l.alarm == 0 || at < l.alarm {
		l.alarm = at
		l.c.Alarm.Set(at - l.elapsed())
	}
}

// waiting says that hits wait for a request.
func (l *loop) waiting() bool {
	for t := range l.lanes {
		if l.lanes[t].waiting() {
			return true
		}
	}
	return false
}

// takeAll takes the answers that are there. Others of the pool go first, so that theirs are among them and the loop
// need not wake for each.
func (l *loop) takeAll() {
	runtime.Gosched()
	for {
		select {
		case b := <-l.answers:
			l.take(b)
		default:
			return
		}
	}
}

// longest is the longest time between two looks: the alarm does not count the time that the machine sleeps.
const longest = time.Second

// wake is when there is something to do that no answer announces.
func (l *loop) wake(now time.Duration) time.Duration {
	at := now + longest
	switch {
	case l.draining && l.idle() > 0:
		return now
	case l.draining && !l.broken:
		return l.giveUp
	case l.draining:
		return at
	}
	if l.cutAt > 0 {
		at = min(at, l.cutAt)
	}
	if l.end == "" {
		if next, ok := l.nextArrival(); ok {
			at = min(at, next.Sub(l.began))
		}
		if end, ok := l.schedule.End(); ok {
			at = min(at, end.Sub(l.began))
		}
		if l.c.AutoStop > 0 {
			at = min(at, l.c.AutoStop)
		}
	}
	if l.timers.len() > 0 {
		at = min(at, l.timers.first())
	}
	for t := range l.lanes {
		if n := &l.lanes[t]; n.waiting() {
			// The batch goes though it is not full, or what could not go is shed.
			full := n.oldest() + l.c.BatchDelay
			if full <= now {
				full += maxWait
			}
			at = min(at, full)
		}
	}
	return at
}
