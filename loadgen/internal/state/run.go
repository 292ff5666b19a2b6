package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/runsummary"
	"github.com/puttrix/trafficinator/shared/statedir"
)

// Run is the place of one run in the folder, which no other process has until Close.
type Run struct {
	folder Folder
	id     string
	lock   *lock
}

// Acquire takes the place of a run. ErrRunning means that another process has it.
func (f Folder) Acquire(runID string) (*Run, error) {
	l, err := f.lock(runID)
	if err != nil {
		return nil, err
	}
	return &Run{folder: f, id: runID, lock: l}, nil
}

// LastSummary is the ledger of the run's last life; found is false where there is none.
func (r *Run) LastSummary() (s runsummary.Summary, found bool, err error) {
	path, err := statedir.Find(r.folder.fs, r.folder.dir, r.id)
	if errors.Is(err, fs.ErrNotExist) {
		return s, false, nil
	}
	if err == nil {
		err = r.folder.read(path, &s)
	}
	return s, err == nil, err
}

// Reopen makes the ledger of a run that has ended one that is open, to be written again.
func (r *Run) Reopen() error {
	path, err := statedir.Find(r.folder.fs, r.folder.dir, r.id)
	if errors.Is(err, fs.ErrNotExist) || path == r.path() {
		return nil
	}
	if err == nil {
		err = r.folder.fs.Rename(path, r.path())
	}
	if err != nil {
		return fmt.Errorf("open the ledger of %s again: %w", r.id, err)
	}
	return nil
}

// Resume returns the first visit number that the run may use: the next one where it ran before. What it did before is
// kept as a life of its own; where that was killed its ledger is closed.
func (r *Run) Resume(now time.Time) (next uint64, killed bool, err error) {
	s, found, err := r.LastSummary()
	if err != nil || !found {
		return 0, false, err
	}
	if killed = s.Ended.IsZero(); killed {
		s.CloseKilled(now)
		// Before it is kept as a life, so that its end is the same should this process be killed in between.
		if err := r.folder.save(statedir.OpenFile(r.id), &s); err != nil {
			return 0, false, fmt.Errorf("close ledger of %s: %w", r.id, err)
		}
	}
	// A copy: until the new ledger is written the old one tells where to go on.
	if err := r.folder.save(statedir.LifeFile(r.id, s.FirstVisit, s.Ended), &s); err != nil {
		return 0, false, fmt.Errorf("keep ledger of %s: %w", r.id, err)
	}
	return s.NextVisit, killed, r.Reopen()
}

// Save writes the ledger as it stands, and makes sure that its last state can be written on a disk that is full.
func (r *Run) Save(s *runsummary.Summary) error {
	data, err := s.Encode()
	if err != nil {
		return err
	}
	if err := r.folder.write(statedir.OpenFile(r.id), data); err != nil {
		return err
	}
	return r.lock.reserve(len(data))
}

// End writes the last state of the ledger and moves it to those of ended runs. One that cannot be moved is moved by the
// next start.
func (r *Run) End(s *runsummary.Summary) error {
	data, err := s.Encode()
	if err != nil {
		return err
	}
	if err := r.folder.write(statedir.OpenFile(r.id), data); err != nil {
		if full := r.lock.replaceWith(r.path(), data); full != nil {
			return errors.Join(err, full)
		}
	}
	if r.folder.archive(r.path(), statedir.EndedFile(r.id, s.Ended)) == nil {
		return r.lock.remove()
	}
	return nil
}

// Close gives the place of the run up.
func (r *Run) Close() error {
	return r.lock.close()
}

// Release gives the place up where nothing was sent: no lock is left behind, unless a life before left an open ledger.
func (r *Run) Release() error {
	if _, err := r.folder.fs.Stat(r.path()); errors.Is(err, fs.ErrNotExist) {
		return errors.Join(r.lock.remove(), r.lock.close())
	}
	return r.lock.close()
}

func (r *Run) path() string { return filepath.Join(r.folder.dir, statedir.OpenFile(r.id)) }

// save writes a summary to a file below the folder.
func (f Folder) save(name string, s *runsummary.Summary) error {
	data, err := s.Encode()
	if err != nil {
		return err
	}
	return f.write(name, data)
}

func (f Folder) write(name string, data []byte) error {
	dir, base := filepath.Split(filepath.Join(f.dir, name))
	if err := f.fs.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	return exchange.Publish(f.fs, filepath.Clean(dir), map[string][]byte{base: data})
}

// archive moves the file path to name below the folder.
func (f Folder) archive(path, name string) error {
	to := filepath.Join(f.dir, name)
	if err := f.fs.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	if err := f.fs.Rename(path, to); err != nil {
		return fmt.Errorf("move ledger: %w", err)
	}
	return nil
}

// read reads a file of JSON.
func (f Folder) read(path string, into any) error {
	data, err := exchange.Read(f.fs, path)
	if err != nil {
		return fmt.Errorf("read state: %w", err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("read %s: %w; move it away to start without it", path, err)
	}
	return nil
}
