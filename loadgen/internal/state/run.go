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

// Run is the exclusive access to one run in the folder, until Close or Release.
type Run struct {
	folder Folder
	id     string
	lock   *lock
}

// Acquire returns exclusive access to a run, or ErrRunning if another process has it.
func (f Folder) Acquire(runID string) (*Run, error) {
	l, err := f.lock(runID)
	if err != nil {
		return nil, err
	}
	return &Run{folder: f, id: runID, lock: l}, nil
}

// LastSummary returns the summary of the run's last process, if any.
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

// Reopen moves the summary of an ended run back to the open ones.
func (r *Run) Reopen() error {
	path, err := statedir.Find(r.folder.fs, r.folder.dir, r.id)
	if errors.Is(err, fs.ErrNotExist) || path == r.path() {
		return nil
	}
	if err == nil {
		err = r.folder.fs.Rename(path, r.path())
	}
	if err != nil {
		return fmt.Errorf("reopen the ledger of %s: %w", r.id, err)
	}
	return nil
}

// Resume returns the first visit number that the run may use. If the run was executed before, its summary is archived
// as a previous life, and closed if its process was killed.
func (r *Run) Resume(now time.Time) (next uint64, killed bool, err error) {
	s, found, err := r.LastSummary()
	if err != nil || !found {
		return 0, false, err
	}
	if killed = s.Ended.IsZero(); killed {
		s.CloseKilled(now)
		// Before it is archived, so that its end stays the same if this process is killed in between.
		if err := r.folder.save(statedir.OpenFile(r.id), &s); err != nil {
			return 0, false, fmt.Errorf("close ledger of %s: %w", r.id, err)
		}
	}
	// A copy: until the new summary is written, the old one has the next visit number.
	if err := r.folder.save(statedir.LifeFile(r.id, s.FirstVisit, s.Ended), &s); err != nil {
		return 0, false, fmt.Errorf("archive ledger of %s: %w", r.id, err)
	}
	return s.NextVisit, killed, r.Reopen()
}

// Save writes the current summary, and reserves disk space for the final one.
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

// End writes the final summary and moves it to the ended ones. If that fails, the next start moves it.
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

// Close releases the run.
func (r *Run) Close() error { return r.lock.close() }

// Release releases a run that sent nothing. It removes the lock unless a previous process left an open summary.
func (r *Run) Release() error {
	if _, err := r.folder.fs.Stat(r.path()); errors.Is(err, fs.ErrNotExist) {
		return errors.Join(r.lock.remove(), r.lock.close())
	}
	return r.lock.close()
}

func (r *Run) path() string { return filepath.Join(r.folder.dir, statedir.OpenFile(r.id)) }

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
