// Package standstill owns the clock of a run and detects when this process did not run: stopped by a signal, frozen
// with its container, or suspended with its machine. Such a gap counts as elapsed time; a scheduler gets the gaps it
// missed from the clock.
package standstill

import (
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// Limit is the shortest time without a heartbeat that counts as a standstill. On a busy machine a process waits
	// tens of milliseconds for a CPU, at worst a second; beyond what a hit may wait for a free request (2 s, package
	// engine) hits are lost, and the loss must be attributed.
	Limit = 2 * time.Second
	// pollInterval is how often the clock checks itself. A gap may start up to this long after the last activity.
	pollInterval = 500 * time.Millisecond
	// beatInterval limits how often Elapsed records a heartbeat, so that most calls write no shared memory.
	beatInterval = 10 * time.Millisecond
)

// Gap is a standstill, in time since the clock started.
type Gap struct{ From, To time.Duration }

// Length returns the duration of the gap.
func (g Gap) Length() time.Duration { return g.To - g.From }

// Overlaps reports whether the gap overlaps the interval from a to b.
func (g Gap) Overlaps(a, b time.Duration) bool { return a < g.To && b > g.From }

// Clock measures the time since a run started. It keeps counting while the machine is suspended and ignores changes of
// the wall clock. While watched, it detects standstills. It is safe for concurrent use.
type Clock struct {
	elapsed          func() time.Duration // excludes suspends
	suspendedTotal   func() time.Duration
	suspendedAtStart time.Duration

	suspended atomic.Int64 // time.Duration since the start
	lastBeat  atomic.Int64 // time.Duration of the last heartbeat, or unwatched
	gapCount  atomic.Int64

	mu   sync.Mutex
	gaps []Gap
}

// unwatched is later than any heartbeat, so that no gap is detected.
const unwatched = math.MaxInt64

// New returns a clock that started at start, a value of time.Now.
func New(start time.Time) *Clock {
	return newClock(func() time.Duration { return time.Since(start) }, suspendedTotal)
}

// NewAt returns a clock that gets the time since its start from elapsed.
func NewAt(elapsed func() time.Duration) *Clock {
	return newClock(elapsed, func() time.Duration { return 0 })
}

func newClock(elapsed, suspendedTotal func() time.Duration) *Clock {
	c := &Clock{elapsed: elapsed, suspendedTotal: suspendedTotal, suspendedAtStart: suspendedTotal()}
	c.lastBeat.Store(unwatched)
	return c
}

// Watch detects standstills until stop is called, which waits for its goroutine. There must be one watch at a time.
func (c *Clock) Watch() (stop func()) {
	c.setLastBeat(c.elapsedNow())
	done := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		tick := time.NewTicker(pollInterval)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				c.poll()
			}
		}
	})
	return func() {
		close(done)
		watching.Wait()
		c.setLastBeat(unwatched)
	}
}

func (c *Clock) setLastBeat(at time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lastBeat.Store(int64(at))
}

// Elapsed returns the time since the clock started. Gaps returns every standstill that ended before it.
func (c *Clock) Elapsed() time.Duration {
	now := c.elapsedNow()
	if now-time.Duration(c.lastBeat.Load()) > beatInterval {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.heartbeat(now)
	}
	return now
}

// GapCount returns the number of gaps. It takes no lock.
func (c *Clock) GapCount() int { return int(c.gapCount.Load()) }

// Gaps returns the standstills from index n on.
func (c *Clock) Gaps(n int) []Gap {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.gaps[n:])
}

func (c *Clock) elapsedNow() time.Duration { return c.elapsed() + time.Duration(c.suspended.Load()) }

// poll adds the time the machine was suspended, and records a heartbeat.
func (c *Clock) poll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	suspended := max(c.suspendedTotal()-c.suspendedAtStart, time.Duration(c.suspended.Load()))
	c.heartbeat(c.elapsed() + suspended)
	c.suspended.Store(int64(suspended)) // after the gap is recorded, so that no caller sees the jump without it
}

// heartbeat records that the process is running, and a gap if the last heartbeat is too long ago. The caller holds mu.
func (c *Clock) heartbeat(now time.Duration) {
	last := time.Duration(c.lastBeat.Load())
	if now <= last {
		return
	}
	if now-last >= Limit {
		c.gaps = append(c.gaps, Gap{last, now})
		c.gapCount.Store(int64(len(c.gaps)))
	}
	c.lastBeat.Store(int64(now))
}
