package standstill

import "golang.org/x/sys/unix"

const throughSleep, withoutSleep = unix.CLOCK_BOOTTIME, unix.CLOCK_MONOTONIC
