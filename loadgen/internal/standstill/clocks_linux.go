package standstill

import "golang.org/x/sys/unix"

const clockBoottime, clockMonotonic = unix.CLOCK_BOOTTIME, unix.CLOCK_MONOTONIC
