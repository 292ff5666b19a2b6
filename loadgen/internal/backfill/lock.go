package backfill

import (
	"errors"
	"syscall"

	"github.com/spf13/afero"
)

// lock keeps other processes from a file until it is closed or this one has ended, however it ends. Where the file system
// knows no locks there is none.
func lock(f afero.File) error {
	file, ok := f.(interface{ Fd() uintptr })
	if ok && errors.Is(syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB), syscall.EWOULDBLOCK) {
		return errBusy
	}
	return nil
}
