// Package standstill owns the clock of a run, and notices when this process itself did not run: stopped by a signal,
// frozen with its container, or asleep with its machine. Such a time passes for the run like any other; who keeps to a
// schedule asks the clock what was missed. It knows nothing of visits and hits.
package standstill

import (
	"math"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// Limit is the shortest time without a sign of life that is called a standstill. A process on a crowded machine
	// waits for its turn for tens of milliseconds, in a bad case for a second; where it waits longer than a hit may
	// wait for a free request (2 s, engine), hits are lost to it, and the loss must have a name.
	Limit = 2 * time.Second
	// pollInterval is how often the clock looks at itself while nobody else does: no standstill begins earlier than so long
	// after what was last done.
	pollInterval = 500 * time.Millisecond
	// beatInterval is the age up to which the last sign of life is not renewed, so that asking the clock writes no memory that
	// other processors read.
	beatInterval = 10 * time.Millisecond
)

// Gap is a standstill, in time since the clock began.
type Gap struct{ From, To time.Duration }

// Length is how long it was.
func (g Gap) Length() time.Duration { return g.To - g.From }

// Overlaps says whether any of the time from a to b lies in the gap.
func (g Gap) Overlaps(a, b time.Duration) bool { return a < g.To && b > g.From }

// Clock counts the time of a run from its beginning. It goes on while the machine sleeps, and does not jump where the
// wall clock is set. While it is watched it notices standstills. It is safe for concurrent use.
type Clock struct {
	elapsed          func() time.Duration // without the machine's sleep
	suspendedTotal   func() time.Duration // how long the machine has slept since some moment
	suspendedAtStart time.Duration        // asleep at the beginning

	suspended atomic.Int64 // time.Duration
	lastBeat  atomic.Int64 // time.Duration at the last sign of life, or unwatched
	gapCount  atomic.Int64 // of gaps

	mu   sync.Mutex
	gaps []Gap
}

// unwatched is later than every sign of life, so that none is missed.
const unwatched = math.MaxInt64

// New makes a clock that began at began, a moment from time.Now.
func New(began time.Time) *Clock {
	return newClock(func() time.Duration { return time.Since(began) }, suspendedTotal)
}

// NewAt makes a clock that takes the time since it began from elapsed.
func NewAt(elapsed func() time.Duration) *Clock {
	return newClock(elapsed, func() time.Duration { return 0 })
}

func newClock(elapsed, asleep func() time.Duration) *Clock {
	c := &Clock{elapsed: elapsed, suspendedTotal: asleep, suspendedAtStart: asleep()}
	c.lastBeat.Store(unwatched)
	return c
}

// Watch lets the clock notice standstills until stop is called, which waits for the end of it. It must not be watched
// twice at once.
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

// setLastBeat begins, or ends with unwatched, to look for signs of life.
func (c *Clock) setLastBeat(from time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lastBeat.Store(int64(from))
}

// Elapsed is the time since the clock began. Every standstill that ended before it is among the gaps.
func (c *Clock) Elapsed() time.Duration {
	now := c.elapsedNow()
	if now-time.Duration(c.lastBeat.Load()) > beatInterval {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.heartbeat(now)
	}
	return now
}

// GapCount is how many gaps there are. It costs nothing to ask.
func (c *Clock) GapCount() int { return int(c.gapCount.Load()) }

// Gaps are the standstills from number n on, counted from 0.
func (c *Clock) Gaps(n int) []Gap {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]Gap(nil), c.gaps[n:]...)
}

func (c *Clock) elapsedNow() time.Duration { return c.elapsed() + time.Duration(c.suspended.Load()) }

// poll counts what the machine has slept, and gives a sign of life.
func (c *Clock) poll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	slept := max(c.suspendedTotal()-c.suspendedAtStart, time.Duration(c.suspended.Load()))
	now := c.elapsed() + slept
	c.heartbeat(now)
	c.suspended.Store(int64(slept)) // after the gap is known, so that nobody sees the time jump without it
}

// heartbeat takes now as a sign of life, and the time since the last one as a standstill where it is long. The caller holds
// the lock.
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
