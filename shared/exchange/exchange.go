// Package exchange owns the folder through which the controller hands settings and data to the loadgen: its file
// names and how files get in and out whole. It does not know what they mean.
package exchange

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/spf13/afero"
)

// The files of the exchange folder.
const (
	EnvFile     = "loadgen.env"
	URLsFile    = "urls.txt"
	FunnelsFile = "funnels.json"
	EventsFile  = "events.json"
	TargetsFile = "targets.json"
)

// TLSFolder is where the controller puts copies of the certificates and keys that the files name, below their own
// folder.
const TLSFolder = "tls"

// JobFolder is where the files of a job lie below the exchange folder, and its state below the state folder.
func JobFolder(runID string) string { return filepath.Join("jobs", runID) }

// MaxBytes is the largest file that is read.
const MaxBytes = 32 << 20

// What is wrong with a file that is not read.
var (
	ErrTooLarge   = errors.New("is larger than 32 MiB")
	ErrNotRegular = errors.New("is not a regular file")
)

// Read reads a regular file of at most MaxBytes. It never waits: a pipe or a device that somebody put in a file's place
// is ErrNoFile.
func Read(fsys afero.Fs, path string) ([]byte, error) {
	f, err := fsys.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // only read
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, fmt.Errorf("read %s: %w", path, err)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s %w", path, ErrNotRegular)
	}
	data, err := io.ReadAll(io.LimitReader(f, MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	if len(data) > MaxBytes {
		return nil, fmt.Errorf("%s %w", path, ErrTooLarge)
	}
	return data, nil
}

// ReadStream is Read for a file that a person names on the command line. It may be a pipe too, as <(…) of a shell is,
// and is read to its end.
func ReadStream(fsys afero.Fs, path string) ([]byte, error) {
	f, err := fsys.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // only read
	data, err := io.ReadAll(io.LimitReader(f, MaxBytes+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read %s: %w", path, err)
	case len(data) > MaxBytes:
		return nil, fmt.Errorf("%s %w", path, ErrTooLarge)
	}
	return data, nil
}

// Publish puts files into dir, each whole: a reader sees the old file or the new one. Files are readable for their
// owner alone. Where one fails those before it are there.
func Publish(fsys afero.Fs, dir string, files map[string][]byte) error {
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := publish(fsys, dir, name, files[name]); err != nil {
			return fmt.Errorf("publish %s: %w", name, err)
		}
	}
	return syncDir(fsys, dir)
}

func publish(fsys afero.Fs, dir, name string, data []byte) (err error) {
	// CreateTemp's files have mode 0600.
	f, err := afero.TempFile(fsys, dir, "."+name+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = fsys.Remove(f.Name()) // the first error counts
		}
	}()
	if _, err = f.Write(data); err != nil {
		_ = f.Close() // the first error counts
		return err
	}
	if err = f.Sync(); err != nil {
		_ = f.Close() // the first error counts
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	return fsys.Rename(f.Name(), filepath.Join(dir, name))
}

// syncDir makes the renames durable.
func syncDir(fsys afero.Fs, dir string) error {
	d, err := fsys.Open(dir)
	if err != nil {
		return fmt.Errorf("open folder: %w", err)
	}
	defer d.Close() //nolint:errcheck // nothing was written through it
	if err := d.Sync(); err != nil {
		return fmt.Errorf("sync folder: %w", err)
	}
	return nil
}
