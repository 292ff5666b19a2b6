// Package summaries reads the ledgers in the loadgens' state folders, and adds up the lives of a run. It writes
// nothing, and does not depend on the database. Nothing else in the controller reads ledgers.
package summaries

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/runsummary"
	"github.com/puttrix/trafficinator/shared/statedir"
)

// Reader reads the ledgers in a state folder, and those of jobs in folders below it. It is safe for concurrent use.
type Reader struct {
	fs  afero.Fs
	dir string

	mu    sync.Mutex // guards what follows
	cache map[string]cached
}

// cached is a ledger and the file that it was read from.
type cached struct {
	path    string
	size    int64
	changed time.Time
	summary *runsummary.Summary
}

// maxCached allows for the ledgers of the current run, of a job and of runs that a person views.
const maxCached = 8

// New returns a Reader of a state folder.
func New(fsys afero.Fs, dir string) *Reader {
	return &Reader{fs: fsys, dir: dir, cache: map[string]cached{}}
}

// Read returns the ledger of a run, with the lives of a restarted loadgen added up. A file that did not change is not
// read again, so the summary is shared and must not be changed. Without a ledger, the error wraps fs.ErrNotExist.
func (r *Reader) Read(runID string) (*runsummary.Summary, error) {
	dir, path, err := r.find(runID)
	if err != nil {
		return nil, err
	}
	file, err := r.fs.Stat(path)
	if err == nil {
		r.mu.Lock()
		last := r.cache[runID]
		r.mu.Unlock()
		if last.path == path && last.size == file.Size() && last.changed.Equal(file.ModTime()) {
			return last.summary, nil
		}
	}
	var s *runsummary.Summary
	if err == nil || errors.Is(err, fs.ErrNotExist) { // it was moved because the run has ended
		s, err = r.read(dir, runID)
	}
	if err != nil {
		return nil, fmt.Errorf("read ledger of run %s: %w", runID, err)
	}
	if file != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		if len(r.cache) >= maxCached {
			clear(r.cache)
		}
		r.cache[runID] = cached{path, file.Size(), file.ModTime(), s}
	}
	return s, nil
}

// Has reports whether a run has a ledger.
func (r *Reader) Has(runID string) (bool, error) {
	_, _, err := r.find(runID)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// Cap returns the state of the cap on visits. Without one, the error wraps fs.ErrNotExist.
func (r *Reader) Cap() (c runsummary.Cap, err error) {
	data, err := exchange.Read(r.fs, filepath.Join(r.dir, runsummary.CapFile))
	if err == nil {
		err = json.Unmarshal(data, &c)
	}
	return c, err
}

// find returns the path of a run's ledger, and its state folder.
func (r *Reader) find(runID string) (dir, path string, err error) {
	for _, dir = range []string{r.dir, filepath.Join(r.dir, exchange.JobFolder(runID))} {
		if path, err = statedir.Find(r.fs, dir, runID); !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	return dir, path, err
}

// read adds up the lives of a run.
func (r *Reader) read(dir, runID string) (*runsummary.Summary, error) {
	data, err := statedir.Read(r.fs, dir, runID)
	if err != nil {
		return nil, err
	}
	last, err := Decode(data)
	if err != nil {
		return nil, err
	}
	earlier, err := statedir.Lives(r.fs, dir, runID)
	if err != nil || len(earlier) == 0 {
		return last, err
	}
	var lives []runsummary.Summary
	for _, path := range earlier {
		data, err := exchange.Read(r.fs, path)
		if err != nil {
			return nil, err
		}
		s, err := Decode(data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		// Until a life has written its ledger, the one before has both names.
		if !s.Started.Equal(last.Started) {
			lives = append(lives, *s)
		}
	}
	slices.SortFunc(lives, func(a, b runsummary.Summary) int { return cmp.Compare(a.FirstVisit, b.FirstVisit) })
	all := runsummary.Merge(append(lives, *last))
	return &all, nil
}

// Decode decodes a ledger. If it is empty, the error is fs.ErrNotExist.
func Decode(data []byte) (*runsummary.Summary, error) {
	if len(data) == 0 {
		return nil, fs.ErrNotExist
	}
	s := new(runsummary.Summary)
	if err := json.Unmarshal(data, s); err != nil {
		return nil, fmt.Errorf("decode ledger: %w", err)
	}
	return s, nil
}

// CloseKilled returns a copy of a ledger that a killed loadgen left open, closed at a time as the loadgen's next start
// would close it; or s if it is closed.
func CloseKilled(s *runsummary.Summary, at time.Time) *runsummary.Summary {
	if s == nil || !s.Ended.IsZero() {
		return s
	}
	data, err := s.Encode()
	own, decodeErr := Decode(data) // s is shared
	if err != nil || decodeErr != nil {
		return s
	}
	own.CloseKilled(at)
	return own
}
