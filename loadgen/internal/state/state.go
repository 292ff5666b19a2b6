// Package state owns the state folder, which survives restarts: the run summary of each run, which only one process at
// a time may send, the daily cap, and the last start. It does not depend on the meaning of a summary.
package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

// Folder is the state folder.
type Folder struct {
	fs  afero.Fs
	dir string
}

// Open creates the folder if necessary and checks that it is writable. An empty dir opens a folder in memory.
func Open(fsys afero.Fs, dir string) (Folder, error) {
	if dir == "" {
		fsys, dir = afero.NewMemMapFs(), "/"
	}
	f := Folder{fsys, dir}
	if err := fsys.MkdirAll(dir, 0o700); err != nil {
		return f, fmt.Errorf("make folder: %w", err)
	}
	return f, CheckWritable(fsys, dir)
}

// CheckWritable checks that a folder is writable, and leaves no file. It may run concurrently: jobs and live traffic
// share a state folder.
func CheckWritable(fsys afero.Fs, dir string) error {
	const probe = ".write-test"
	if err := exchange.Publish(fsys, dir, map[string][]byte{probe: []byte("ok")}); err != nil {
		return fmt.Errorf("write to folder: %w", err)
	}
	if err := fsys.Remove(filepath.Join(dir, probe)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove from folder: %w", err)
	}
	return nil
}

// Cap returns the stored daily cap, or zero.
func (f Folder) Cap() (runsummary.Cap, error) {
	var c runsummary.Cap
	err := f.read(filepath.Join(f.dir, runsummary.CapFile), &c)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	return c, err
}

// SaveCap stores the daily cap.
func (f Folder) SaveCap(c runsummary.Cap) error {
	data, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("encode daily cap: %w", err)
	}
	return exchange.Publish(f.fs, f.dir, map[string][]byte{runsummary.CapFile: data})
}

const startFile = "last.start"

// AlreadyStarted reports whether id was the last start recorded.
func (f Folder) AlreadyStarted(id string) (bool, error) {
	data, err := exchange.Read(f.fs, filepath.Join(f.dir, startFile))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read the last start: %w", err)
	}
	return strings.TrimSpace(string(data)) == id, nil
}

// RecordStart records a start.
func (f Folder) RecordStart(id string) error {
	return exchange.Publish(f.fs, f.dir, map[string][]byte{startFile: []byte(id + "\n")})
}
