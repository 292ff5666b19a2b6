// Package state owns what the loadgen keeps across restarts in its state folder: the ledger of each run and the
// daily cap. It knows neither what a ledger means nor when it is written.
package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/loadgen/internal/engine"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/record"
)

// Folder is the state folder. The zero value keeps nothing.
type Folder struct {
	fs  afero.Fs
	dir string
}

// Open makes the folder where it is missing and tries to write to it. An empty dir keeps nothing.
func Open(fsys afero.Fs, dir string) (Folder, error) {
	if dir == "" {
		return Folder{}, nil
	}
	f := Folder{fsys, dir}
	if err := fsys.MkdirAll(dir, 0o700); err != nil {
		return f, fmt.Errorf("make folder: %w", err)
	}
	return f, Probe(fsys, dir)
}

// Probe tries to write to a folder and leaves nothing there. Others may do the same meanwhile: jobs and live traffic share
// a state folder.
func Probe(fsys afero.Fs, dir string) error {
	const probe = ".write-test"
	if err := exchange.Publish(fsys, dir, map[string][]byte{probe: []byte("ok")}); err != nil {
		return fmt.Errorf("write to folder: %w", err)
	}
	if err := fsys.Remove(filepath.Join(dir, probe)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove from folder: %w", err)
	}
	return nil
}

// Save writes the summary of a run.
func (f Folder) Save(s *record.Summary) error {
	if f.fs == nil {
		return nil
	}
	data, err := s.Encode()
	if err != nil {
		return err
	}
	return exchange.Publish(f.fs, f.dir, map[string][]byte{s.RunID + ".json": data})
}

// Find reads the summary of a run; false where there is none.
func (f Folder) Find(runID string) (s record.Summary, found bool, err error) {
	if f.fs == nil {
		return s, false, nil
	}
	err = f.read(runID+".json", &s)
	if errors.Is(err, fs.ErrNotExist) {
		return s, false, nil
	}
	return s, err == nil, err
}

// Resume closes the ledgers of runs that were killed and returns the first visit number that runID may use. The
// closed ledger of runID itself is kept under a name with its start. Backfills are left alone: they go on beside, and
// after a kill.
func (f Folder) Resume(runID string, now time.Time) (next uint64, closed []string, err error) {
	if f.fs == nil {
		return 0, nil, nil
	}
	files, err := afero.ReadDir(f.fs, f.dir)
	if err != nil {
		return 0, nil, fmt.Errorf("list state: %w", err)
	}
	for _, file := range files {
		name := file.Name()
		if !strings.HasSuffix(name, ".json") || name == record.CapFile {
			continue
		}
		var s record.Summary
		if err := f.read(name, &s); err != nil {
			return 0, nil, err
		}
		if s.Kind == record.BackfillJob && name != runID+".json" {
			continue
		}
		if s.Ended.IsZero() {
			s.CloseKilled(now)
			closed = append(closed, s.RunID)
			if err := f.Save(&s); err != nil {
				return 0, nil, fmt.Errorf("close ledger of %s: %w", s.RunID, err)
			}
		}
		if name == runID+".json" {
			next = s.NextVisit
			kept := fmt.Sprintf("%s.%s.json", runID, s.Started.UTC().Format("20060102T150405"))
			// A copy: until the new ledger is written the old one tells where to go on.
			data, err := s.Encode()
			if err != nil {
				return 0, nil, err
			}
			if err := exchange.Publish(f.fs, f.dir, map[string][]byte{kept: data}); err != nil {
				return 0, nil, fmt.Errorf("keep ledger of %s: %w", runID, err)
			}
		}
	}
	return next, closed, nil
}

// Cap reads the daily cap; one that was never stored is zero.
func (f Folder) Cap() (engine.CapState, error) {
	var c engine.CapState
	if f.fs == nil {
		return c, nil
	}
	err := f.read(record.CapFile, &c)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	return c, err
}

// SaveCap stores the daily cap.
func (f Folder) SaveCap(c engine.CapState) error {
	if f.fs == nil {
		return nil
	}
	data, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("encode daily cap: %w", err)
	}
	return exchange.Publish(f.fs, f.dir, map[string][]byte{record.CapFile: data})
}

func (f Folder) read(name string, into any) error {
	path := filepath.Join(f.dir, name)
	data, err := afero.ReadFile(f.fs, path)
	if err != nil {
		return fmt.Errorf("read state: %w", err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("read %s: %w; move it away to begin anew", path, err)
	}
	return nil
}
