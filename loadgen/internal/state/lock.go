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

// ErrRunning means that another process holds a run's lock: two that send the same visits would make each of them
// twice.
var ErrRunning = errors.New("another loadgen is sending this run")

// lock is the file that a run holds locked as long as its process lives, however that ends. A run that ends in order
// removes it, so that one that is left behind tells of a run that was killed. It also holds the space of the run's last
// ledger, which must be written when the disk is full.
type lock struct {
	fs       afero.Fs
	path     string
	file     afero.File
	reserved int // bytes that the file has
	// shared says that the file system knows no locks, so that others may have this one too.
	shared bool
}

// lock takes the lock of a run, or fails with ErrRunning. What is not a regular file is refused. Where the file system
// knows no locks everybody gets it.
func (f Folder) lock(runID string) (*lock, error) {
	path := filepath.Join(f.dir, statedir.LockFile(runID))
	for {
		// Without O_NONBLOCK a pipe of that name would wait for its other end.
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

// checkRegular refuses what cannot hold the space of a ledger, as a pipe or a device.
func checkRegular(f afero.File) error {
	is, err := f.Stat()
	if err != nil {
		return fmt.Errorf("look at lock: %w", err)
	}
	if !is.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file; remove it", f.Name())
	}
	return nil
}

// flock locks a file; shared says that the file system knows no locks. A file in memory needs none: nobody else has it.
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

// exists says that a file which was locked has not been removed by the one who held it before.
func exists(fsys afero.Fs, f afero.File) (bool, error) {
	locked, err := f.Stat()
	if err != nil {
		return false, fmt.Errorf("look at lock: %w", err)
	}
	there, err := fsys.Stat(f.Name())
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look at lock: %w", err)
	}
	return os.SameFile(locked, there), nil
}

// reserve lets the file hold at least n bytes.
func (l *lock) reserve(n int) error {
	if n <= l.reserved {
		return nil
	}
	const block = 64 << 10
	room := (2*n/block + 1) * block // a ledger grows as the run goes on
	if _, err := l.file.WriteAt(bytes.Repeat([]byte{' '}, room), 0); err != nil {
		return fmt.Errorf("reserve space for the last ledger: %w", err)
	}
	if err := l.file.Sync(); err != nil {
		return fmt.Errorf("reserve space for the last ledger: %w", err)
	}
	l.reserved = room
	return nil
}

// replaceWith writes data into the space of the lock and lets it take the place of the file path. It needs no space of the
// disk.
func (l *lock) replaceWith(path string, data []byte) error {
	if len(data) > l.reserved {
		return fmt.Errorf("use the space reserved for the last ledger: %d bytes do not fit into %d", len(data),
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
		return fmt.Errorf("use the space reserved for the last ledger: %w", err)
	}
	return nil
}

// remove says that the run has ended in order. It must be called before close, so that nobody gets a lock that is
// removed.
func (l *lock) remove() error {
	if err := l.fs.Remove(l.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove lock: %w", err)
	}
	return nil
}

// close lets others have the lock.
func (l *lock) close() error {
	if err := l.file.Close(); err != nil {
		return fmt.Errorf("release lock: %w", err)
	}
	return nil
}
