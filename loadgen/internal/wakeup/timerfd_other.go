//go:build !linux

package wakeup

// NewHighRes returns NewTimer's: here the runtime waits in nanoseconds (kqueue).
func NewHighRes() Timer { return NewTimer() }
