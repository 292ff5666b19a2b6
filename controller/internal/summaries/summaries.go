// Package summaries is the controller's only reader of the ledgers that the loadgen keeps in its state folder. It knows
// where they lie and how the lives of one run are added up; it writes nothing there, and knows nothing of the database.
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

// Reader reads ledgers in a state folder, and those of jobs in their folders below it. It is safe for concurrent use.
type Reader struct {
	fs  afero.Fs
	dir string

	mu    sync.Mutex // guards what follows
	cache map[string]cached
}

// reading is a ledger as it was read last, and the file of which it was made.
type cached struct {
	path    string
	size    int64
	changed time.Time
	summary *runsummary.Summary
}

// kept is how many readings are kept: those of a run, of a job and of what a person looks at.
const maxCached = 8

// New makes a Reader of a state folder.
func New(fsys afero.Fs, dir string) *Reader {
	return &Reader{fs: fsys, dir: dir, cache: map[string]cached{}}
}

// Read is the ledger of a run, in which the lives of a loadgen that was started again are added up. A file that has not
// changed since is not read again, so the summary is shared: it must not be changed. The error wraps fs.ErrNotExist
// where there is no ledger.
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
	} else if !errors.Is(err, fs.ErrNotExist) { // else it was moved meanwhile, because the run has ended
		return nil, fmt.Errorf("read ledger of run %s: %w", runID, err)
	}
	s, err := r.read(dir, runID)
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

// Has tells whether the loadgen keeps anything of a run.
func (r *Reader) Has(runID string) (bool, error) {
	_, _, err := r.find(runID)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// Cap is what the loadgen keeps of the cap on visits. The error wraps fs.ErrNotExist where there is none.
func (r *Reader) Cap() (c runsummary.Cap, err error) {
	data, err := exchange.Read(r.fs, filepath.Join(r.dir, runsummary.CapFile))
	if err == nil {
		err = json.Unmarshal(data, &c)
	}
	return c, err
}

// find is the ledger of a run, and the state folder in which it lies.
func (r *Reader) find(runID string) (dir, path string, err error) {
	for _, dir = range []string{r.dir, filepath.Join(r.dir, exchange.JobFolder(runID))} {
		if path, err = statedir.Find(r.fs, dir, runID); !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	return dir, path, err
}

// whole adds up the lives of a run.
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
		// Until a life has written its own ledger the one before stands under both names.
		if !s.Started.Equal(last.Started) {
			lives = append(lives, *s)
		}
	}
	slices.SortFunc(lives, func(a, b runsummary.Summary) int { return cmp.Compare(a.FirstVisit, b.FirstVisit) })
	all := runsummary.Merge(append(lives, *last))
	return &all, nil
}

// Decode reads a ledger. The error wraps fs.ErrNotExist where it is empty.
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

// Closed is a ledger that its loadgen left open because it was killed, closed at a moment as the loadgen's next start
// would close it, and s itself where it is closed.
func CloseKilled(s *runsummary.Summary, at time.Time) *runsummary.Summary {
	if s == nil || !s.Ended.IsZero() {
		return s
	}
	data, err := s.Encode()
	if err != nil { // it was read from such a form
		return s
	}
	own, err := Decode(data) // s is shared
	if err != nil {
		return s
	}
	own.CloseKilled(at)
	return own
}
