//go:build linux || darwin

package standstill

import (
	"time"

	"golang.org/x/sys/unix"
)

// suspendedTotal returns how long the machine has been suspended since boot: the difference between a clock that runs
// through a suspend and the one behind Go's monotonic time, which does not (clock_gettime(2)). Setting the wall clock
// changes neither. The former is read first, so that a delay in between makes the result too small, which the next
// call corrects, and never too large.
func suspendedTotal() time.Duration {
	var boottime, monotonic unix.Timespec
	if unix.ClockGettime(clockBoottime, &boottime) != nil || unix.ClockGettime(clockMonotonic, &monotonic) != nil {
		return 0 // not supported by the kernel
	}
	return max(0, time.Duration(boottime.Nano()-monotonic.Nano()))
}
