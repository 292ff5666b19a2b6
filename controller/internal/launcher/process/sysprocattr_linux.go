package process

import "syscall"

// sysProcAttr lets only the controller receive a terminal's Ctrl-C, which then drains the child, and has the kernel
// send SIGTERM to the child if the controller is killed.
func sysProcAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}
