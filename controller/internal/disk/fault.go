// Package disk owns what a disk that is full, read-only or not ours means to a person: which place cannot be used, why,
// and what puts it right. It watches the folders of the controller. It does not know what is stored in them.
package disk

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Fault is why something cannot be stored.
type Fault struct {
	// Place is the folder or the file that cannot be used.
	Place string `json:"place"`
	// Cause says what is wrong with it, Fix what puts it right.
	Cause string `json:"cause"`
	Fix   string `json:"fix"`
}

// Error implements error.
func (f Fault) Error() string { return f.Place + " " + f.Cause + "; " + f.Fix }

// FromError finds what is wrong with a disk in an error; false where its cause is something else.
func FromError(err error) (Fault, bool) {
	var f Fault
	switch {
	case errors.Is(err, syscall.ENOSPC):
		f = Fault{Cause: "cannot be written: its disk is full", Fix: "free space there"}
	case errors.Is(err, syscall.EDQUOT):
		f = Fault{Cause: "cannot be written: the quota of its owner is used up",
			Fix: "free space there or raise the quota"}
	case errors.Is(err, syscall.EROFS):
		f = Fault{Cause: "cannot be written: it is read-only",
			Fix: "mount it writable and give the controller's user write access"}
	case errors.Is(err, syscall.EACCES), errors.Is(err, syscall.EPERM):
		f = Fault{
			Cause: "may not be used by the controller's user",
			Fix: "make that user its owner (chown), or set TRAFFICINATOR_UID and TRAFFICINATOR_GID in " +
				".env to its owner",
		}
	case errors.Is(err, syscall.EIO):
		f = Fault{Cause: "cannot be used: its disk reports an input/output error", Fix: "check the disk"}
	default:
		return Fault{}, false
	}
	f.Place = place(err)
	return f, f.Place != ""
}

// written tells whether an error of a file system, of which Of finds a fault, is that of a write. An error of opening
// does not tell what for; only files that nobody is to see, which a write makes and renames, are never opened to be
// read.
func written(err error) bool {
	for _, only := range []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT, syscall.EROFS} {
		if errors.Is(err, only) {
			return true
		}
	}
	var one *fs.PathError
	if !errors.As(err, &one) {
		return true // of a link or a rename
	}
	switch one.Op {
	case "open", "openat":
		return hidden(one.Path)
	case "read", "pread", "seek", "stat", "lstat", "fstatat", "readlink", "readdir", "readdirent", "getdents":
		return false
	default:
		return true
	}
}

// hidden tells whether a file is one that nobody is to see, such as one that is written before it is renamed.
func hidden(path string) bool { return strings.HasPrefix(filepath.Base(path), ".") }

// place is what an error of a file system is about; empty for errors of something else, such as a socket.
func place(err error) string {
	var path string
	var one *fs.PathError
	var two *os.LinkError
	switch {
	case errors.As(err, &one):
		path = one.Path
	case errors.As(err, &two):
		path = two.New
	default:
		return ""
	}
	if hidden(path) {
		return filepath.Dir(path)
	}
	return path
}
