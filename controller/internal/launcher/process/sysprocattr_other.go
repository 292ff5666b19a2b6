//go:build !linux

package process

import "syscall"

// sysProcAttr lets only the controller receive a terminal's Ctrl-C, which then drains the child. If the controller is
// killed, the child keeps running.
func sysProcAttr() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
