package process

import "syscall"

// attributes keep a terminal's Ctrl-C for the controller, which drains the child, and let the kernel ask the child to
// end where the controller is killed.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}
