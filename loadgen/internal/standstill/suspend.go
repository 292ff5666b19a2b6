//go:build linux || darwin

package standstill

import (
	"time"

	"golang.org/x/sys/unix"
)

// suspendedTotal is how long the machine has slept since it was started: what a clock that goes on meanwhile has more than the
// one that Go's time follows, which does not (clock_gettime(2)). Setting the wall clock moves neither. The one that
// goes on is read first, so that a delay between the two makes the sleep shorter, which the next look corrects, not
// longer.
func suspendedTotal() time.Duration {
	var always, awake unix.Timespec
	if unix.ClockGettime(clockBoottime, &always) != nil || unix.ClockGettime(clockMonotonic, &awake) != nil {
		return 0 // the kernel has no such clock
	}
	return max(0, time.Duration(always.Nano()-awake.Nano()))
}
