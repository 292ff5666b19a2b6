package state

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/shared/statedir"
)

// ErrRunning means that another process holds a run's lock.
var ErrRunning = errors.New("another loadgen is sending this run")

// lock is a file that is locked while the process of a run lives. An orderly end removes it, so a remaining file means
// that the run was killed. It also reserves disk space for the final summary, which must be written even if the disk is
// full.
type lock struct {
	fs       afero.Fs
	path     string
	file     afero.File
	reserved int // size of the file in bytes
	// shared means that the file system has no locks, so other processes may hold this one too.
	shared bool
}

// lock acquires the lock of a run, or returns ErrRunning. It rejects files that are not regular. If the file system has
// no locks, it always succeeds.
func (f Folder) lock(runID string) (*lock, error) {
	path := filepath.Join(f.dir, statedir.LockFile(runID))
	for {
		// Without O_NONBLOCK opening a pipe would block.
		file, err := f.fs.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NONBLOCK, 0o600)
		if err != nil {
			return nil, fmt.Errorf("open lock: %w", err)
		}
		there, held, shared := true, false, false
		if err = checkRegular(file); err == nil {
			held, shared, err = flock(file)
		}
		if held {
			there, err = exists(f.fs, file)
		}
		if err == nil && there {
			return &lock{fs: f.fs, path: path, file: file, shared: shared}, nil
		}
		if err = errors.Join(err, file.Close()); err != nil {
			return nil, err
		}
	}
}

// checkRegular rejects pipes, devices and the like, which cannot reserve space.
func checkRegular(f afero.File) error {
	is, err := f.Stat()
	if err != nil {
		return fmt.Errorf("stat lock: %w", err)
	}
	if !is.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file; remove it", f.Name())
	}
	return nil
}

// flock locks a file. shared means that the file system has no locks. A file in memory needs no lock.
func flock(f afero.File) (held, shared bool, err error) {
	file, ok := f.(interface{ Fd() uintptr })
	if !ok {
		return false, false, nil
	}
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return false, false, ErrRunning
	}
	return err == nil, err != nil, nil
}

// exists reports whether a locked file was not removed by its previous holder.
func exists(fsys afero.Fs, f afero.File) (bool, error) {
	locked, err := f.Stat()
	if err != nil {
		return false, fmt.Errorf("stat lock: %w", err)
	}
	there, err := fsys.Stat(f.Name())
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("stat lock: %w", err)
	}
	return os.SameFile(locked, there), nil
}

// reserve grows the file to at least n bytes.
func (l *lock) reserve(n int) error {
	if n <= l.reserved {
		return nil
	}
	const block = 64 << 10
	room := (2*n/block + 1) * block // a summary grows with the run
	_, err := l.file.WriteAt(bytes.Repeat([]byte{' '}, room), 0)
	if err == nil {
		err = l.file.Sync()
	}
	if err != nil {
		return fmt.Errorf("reserve space for the final ledger: %w", err)
	}
	l.reserved = room
	return nil
}

// replaceWith writes data into the reserved space and renames the lock to path. It needs no free disk space.
func (l *lock) replaceWith(path string, data []byte) error {
	if len(data) > l.reserved {
		return fmt.Errorf("use the space reserved for the final ledger: %d bytes do not fit into %d", len(data),
			l.reserved)
	}
	_, err := l.file.WriteAt(data, 0)
	if err == nil {
		err = l.file.Truncate(int64(len(data)))
	}
	if err == nil {
		err = l.file.Sync()
	}
	if err == nil {
		err = l.fs.Rename(l.path, path)
	}
	if err != nil {
		return fmt.Errorf("use the space reserved for the final ledger: %w", err)
	}
	return nil
}

// remove marks the run as ended. Call it before close, so that no process acquires a removed lock.
func (l *lock) remove() error {
	if err := l.fs.Remove(l.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove lock: %w", err)
	}
	return nil
}

func (l *lock) close() error {
	if err := l.file.Close(); err != nil {
		return fmt.Errorf("release lock: %w", err)
	}
	return nil
}
