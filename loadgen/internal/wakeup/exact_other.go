//go:build !linux

package wakeup

// Exact is Timer: the runtime waits in nanoseconds here (kqueue).
func Exact() Alarm { return Timer() }
