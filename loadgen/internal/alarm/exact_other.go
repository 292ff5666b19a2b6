//go:build !linux

package alarm

// Exact is Timer: the runtime waits in nanoseconds here (kqueue).
func Exact() Alarm { return Timer() }
