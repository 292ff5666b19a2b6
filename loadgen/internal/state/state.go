// Package state owns what the loadgen keeps across restarts in its state folder: the ledger of each run, which no two
// processes send at a time, the daily cap, and the last start. It knows neither what a ledger means nor when it is
// written.
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

// Open makes the folder where it is missing and tries to write to it. An empty dir is one in memory,
// which is gone with the process.
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

// CheckWritable tries to write to a folder and leaves nothing there. Others may do the same meanwhile: jobs and live traffic
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

// Cap reads the daily cap; one that was never stored is zero.
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

// startFile names the last start that was made.
const startFile = "last.start"

// AlreadyStarted says that the start id was made before, as far as SaveStart was told.
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

// RecordStart stores that the start id is made now.
func (f Folder) RecordStart(id string) error {
	return exchange.Publish(f.fs, f.dir, map[string][]byte{startFile: []byte(id + "\n")})
}
