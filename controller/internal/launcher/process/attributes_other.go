//go:build !linux

package process

import "syscall"

// attributes keep a terminal's Ctrl-C for the controller, which drains the child. Where the controller is killed the
// child goes on.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
