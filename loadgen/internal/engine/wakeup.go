package engine

import (
	"runtime"
	"time"
)

// setWakeup lets the loop wake at at, or before: an alarm that comes too early costs less than to set each of them.
func (l *loop) setWakeup(at time.Duration) {
	if l.wakeAt == 0 || at < l.wakeAt {
		l.wakeAt = at
		l.c.Alarm.Reset(at - l.elapsed())
	}
}

// hasWaiting says that hits wait for a request.
func (l *loop) hasWaiting() bool {
	for t := range l.queues {
		if l.queues[t].hasWaiting() {
			return true
		}
	}
	return false
}

// handleAnswers takes the answers that are there. Others of the pool go first, so that theirs are among them and the loop
// need not wake for each.
func (l *loop) handleAnswers() {
	runtime.Gosched()
	for {
		select {
		case b := <-l.answers:
			l.handleAnswer(b)
		default:
			return
		}
	}
}

// maxSleep is the longest time between two looks: the alarm does not count the time that the machine sleeps.
const maxSleep = time.Second

// nextWakeup is when there is something to do that no answer announces.
func (l *loop) nextWakeup(now time.Duration) time.Duration {
	at := now + maxSleep
	switch {
	case l.draining && l.idleVisits() > 0:
		return now
	case l.draining && !l.aborted:
		return l.abortAt
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
	if l.scheduled.len() > 0 {
		at = min(at, l.scheduled.firstDue())
	}
	for t := range l.queues {
		if n := &l.queues[t]; n.hasWaiting() {
			// The batch goes though it is not full, or what could not go is shed.
			full := n.oldestDue() + l.c.BatchDelay
			if full <= now {
				full += maxQueueTime
			}
			at = min(at, full)
		}
	}
	return at
}
