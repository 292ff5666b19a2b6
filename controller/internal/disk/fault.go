// Package disk turns errors of full, read-only or foreign disks into faults with a fix, and probes the folders of the
// controller. It does not know what is stored in them.
package disk

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"

	"github.com/spf13/afero"
)

// Fault is a reason why something cannot be stored.
type Fault struct {
	// Place is the folder or the file that cannot be used.
	Place string `json:"place"`
	Cause string `json:"cause"`
	Fix   string `json:"fix"`
}

// Error implements error.
func (f Fault) Error() string { return f.Place + " " + f.Cause + "; " + f.Fix }

// FromError returns the fault of a disk that caused err; false if the cause is something else.
func FromError(err error) (Fault, bool) {
	var f Fault
	switch {
	case errors.Is(err, syscall.ENOSPC):
		f = Fault{Cause: "cannot be written: its disk is full", Fix: "free space there"}
	case errors.Is(err, syscall.EDQUOT):
		f = Fault{Cause: "cannot be written: its owner's disk quota is exceeded",
			Fix: "free space there or raise the quota"}
	case errors.Is(err, syscall.EROFS):
		f = Fault{Cause: "cannot be written: it is read-only",
			Fix: "mount it writable and give the controller's user write access"}
	case errors.Is(err, syscall.EACCES), errors.Is(err, syscall.EPERM):
		f = Fault{
			Cause: "is not accessible to the controller's user",
			Fix:   "make that user its owner (chown), or set TRAFFICINATOR_UID and TRAFFICINATOR_GID in .env to its owner",
		}
	case errors.Is(err, syscall.EIO):
		f = Fault{Cause: "cannot be used: its disk reports an input/output error", Fix: "check the disk"}
	default:
		return Fault{}, false
	}
	f.Place = place(err)
	return f, f.Place != ""
}

// isOfWrite reports whether an error with a Fault is that of a write. An error of opening does not show that, except
// for temporary files, which are never opened for reading.
func isOfWrite(err error) bool {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EROFS) {
		return true
	}
	failed, ok := errors.AsType[*fs.PathError](err)
	if !ok {
		return true // of a link or a rename
	}
	switch failed.Op {
	case "open", "openat":
		return isTemporary(failed.Path)
	case "read", "pread", "seek", "stat", "lstat", "fstatat", "readlink", "readdir", "readdirent", "getdents":
		return false
	default:
		return true
	}
}

// isTemporary reports whether a file is one that is renamed when it is complete.
func isTemporary(path string) bool { return strings.HasPrefix(filepath.Base(path), ".") }

// place returns the file or folder of a file system error; empty for others, such as those of a socket.
func place(err error) string {
	var path string
	if failed, ok := errors.AsType[*fs.PathError](err); ok {
		path = failed.Path
	} else if failed, ok := errors.AsType[*os.LinkError](err); ok {
		path = failed.New
	}
	if path != "" && isTemporary(path) {
		return filepath.Dir(path)
	}
	return path
}

// tempFile matches the temporary names of incomplete files: those of afero.TempFile, which end in nine digits, for
// published files and probes, and copies of the database with SQLite's own files.
var tempFile = regexp.MustCompile(`^\.(.+\.[0-9]{9}|backup-[0-9]{9}\.db(-journal|-wal|-shm)?)$`)

// RemoveTempFiles removes the temporary files that killed processes left in dir, and returns their names. No process
// may be writing there. A missing folder has none. The error names every file that could not be removed.
func RemoveTempFiles(fsys afero.Fs, dir string) (removed []string, err error) {
	files, err := afero.ReadDir(fsys, dir)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	for _, info := range files {
		if !info.Mode().IsRegular() || !tempFile.MatchString(info.Name()) {
			continue
		}
		if failed := fsys.Remove(filepath.Join(dir, info.Name())); failed != nil {
			err = errors.Join(err, failed)
		} else {
			removed = append(removed, info.Name())
		}
	}
	return removed, err
}
