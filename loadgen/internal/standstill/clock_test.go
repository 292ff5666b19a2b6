package standstill

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestATimeWithoutASignOfLifeIsAStandstill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began, skipped := time.Now(), atomic.Int64{}
		c := NewAt(func() time.Duration { return time.Since(began) + time.Duration(skipped.Load()) })
		defer c.Watch()()
		time.Sleep(10*time.Second + time.Millisecond)
		skipped.Store(int64(90 * time.Second)) // as the process sees it: nothing was done, and it is later
		now := c.Elapsed()
		if now != 100*time.Second+time.Millisecond {
			t.Errorf("the clock shows %v", now)
		}
		want := Gap{10 * time.Second, now}
		if got := c.Gaps(0); c.GapCount() != 1 || len(got) != 1 || got[0] != want {
			t.Errorf("%d gaps: %v; want %v", c.GapCount(), got, want)
		}
		time.Sleep(time.Minute)
		if c.Elapsed(); c.GapCount() != 1 {
			t.Errorf("%v: more after the process continued", c.Gaps(1))
		}
	})
}

func TestABusyMachineIsNoStandstill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began, skipped := time.Now(), atomic.Int64{}
		c := NewAt(func() time.Duration { return time.Since(began) + time.Duration(skipped.Load()) })
		defer c.Watch()()
		for range 100 {
			time.Sleep(pollInterval)
			skipped.Add(int64(time.Second)) // for so long it did not have its turn
			_ = c.Elapsed()
		}
		if c.GapCount() != 0 {
			t.Errorf("%v", c.Gaps(0))
		}
	})
}

func TestTheSleepOfTheMachinePassesAndIsAStandstill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began, slept := time.Now(), atomic.Int64{}
		slept.Store(int64(7 * time.Hour)) // before the run
		c := newClock(func() time.Duration { return time.Since(began) }, func() time.Duration {
			return time.Duration(slept.Load())
		})
		defer c.Watch()()
		time.Sleep(10 * time.Second)
		synctest.Wait()
		slept.Add(int64(8 * time.Hour))
		time.Sleep(pollInterval) // Go's time continues where it stopped
		synctest.Wait()
		if got, want := c.Elapsed(), 10*time.Second+pollInterval+8*time.Hour; got != want {
			t.Errorf("the clock shows %v, want %v", got, want)
		}
		if got := c.Gaps(0); len(got) != 1 ||
			got[0] != (Gap{10 * time.Second, 10*time.Second + pollInterval + 8*time.Hour}) {
			t.Errorf("%v", got)
		}
	})
}

func TestAClockThatNobodyHasWatchedYetHasSeenNoStandstill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New(time.Now())
		time.Sleep(time.Minute) // the run is being prepared
		defer c.Watch()()
		if now := c.Elapsed(); now != time.Minute || c.GapCount() != 0 {
			t.Errorf("%v, %v", now, c.Gaps(0))
		}
	})
}

func TestTheMachineHasNotSleptMeanwhile(t *testing.T) {
	if before, after := suspendedTotal(), suspendedTotal(); before < 0 || after < before-time.Second {
		t.Errorf("asleep for %v, then for %v", before, after)
	}
}

func BenchmarkNow(b *testing.B) {
	c := New(time.Now())
	for b.Loop() {
		_ = c.Elapsed()
	}
}
