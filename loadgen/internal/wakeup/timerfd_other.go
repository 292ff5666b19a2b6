//go:build !linux

package wakeup

// NewHighRes is NewTimer: the runtime waits in nanoseconds here (kqueue).
func NewHighRes() Timer { return NewTimer() }
