package standstill

import "golang.org/x/sys/unix"

const clockBoottime, clockMonotonic = unix.CLOCK_MONOTONIC_RAW, unix.CLOCK_UPTIME_RAW
