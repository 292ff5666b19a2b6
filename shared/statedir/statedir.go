// Package statedir owns the layout of a state folder, which the loadgen writes and the controller reads:
//
//	<RUN_ID>.json                               the ledger of a run that is open
//	<RUN_ID>.lock                               locked by a running run; left behind if it was killed
//	<RUN_ID>.batches                            the journal of a backfill
//	ended/<YYYY-MM>/<RUN_ID>.json               the ledger of a run that has ended, by the month of its end
//	ended/<YYYY-MM>/<RUN_ID>/<first visit>.json an earlier life of a run that was started again under the same RUN_ID
//	jobs/<RUN_ID>/                              the state folder of a backfill that the controller started
package statedir

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/shared/exchange"
)

const (
	// Ended is the folder with the summaries of ended runs, and month the names of its folders.
	Ended = "ended"
	month = "2006-01"
)

// OpenFile is the ledger of a run in progress.
func OpenFile(runID string) string { return runID + ".json" }

// LockFile is locked by a run in progress.
func LockFile(runID string) string { return runID + ".lock" }

// JournalFile lists the requests of a backfill that may have been sent.
func JournalFile(runID string) string { return runID + ".batches" }

// EndedFile is the ledger of a run that ended at at.
func EndedFile(runID string, at time.Time) string {
	return filepath.Join(Ended, at.UTC().Format(month), runID+".json")
}

// LifeFile is the ledger of an earlier life of a run that started with the visit first and ended at at.
func LifeFile(runID string, first uint64, at time.Time) string {
	return filepath.Join(Ended, at.UTC().Format(month), runID, strconv.FormatUint(first, 10)+".json")
}

// Find returns the path of the ledger of a run's last life, in the state folder dir; fs.ErrNotExist if there is none.
func Find(fsys afero.Fs, dir, runID string) (string, error) {
	path := filepath.Join(dir, OpenFile(runID))
	_, err := fsys.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		var ended []string
		if ended, err = months(fsys, dir); err != nil {
			return "", err
		}
		err = fs.ErrNotExist
		for i := 0; i < len(ended) && errors.Is(err, fs.ErrNotExist); i++ {
			path = filepath.Join(ended[i], OpenFile(runID))
			_, err = fsys.Stat(path)
		}
	}
	if err != nil {
		return "", fmt.Errorf("look for the ledger of %s: %w", runID, err)
	}
	return path, nil
}

// Read returns the ledger of a run's last life; fs.ErrNotExist if there is none.
func Read(fsys afero.Fs, dir, runID string) ([]byte, error) {
	for again := false; ; again = true {
		path, err := Find(fsys, dir, runID)
		if err != nil {
			return nil, err
		}
		data, err := exchange.Read(fsys, path)
		if again || !errors.Is(err, fs.ErrNotExist) { // otherwise it was moved meanwhile, because the run ended
			return data, err
		}
	}
}

// Lives returns the paths of the ledgers of a run's earlier lives, unordered.
func Lives(fsys afero.Fs, dir, runID string) ([]string, error) {
	// Earlier versions kept them next to the ledger, with their start in the name; a run ID has no dot.
	lives, err := files(fsys, dir, runID+".", ".json")
	if err != nil {
		return nil, fmt.Errorf("look for earlier ledgers of %s: %w", runID, err)
	}
	lives = slices.DeleteFunc(lives, func(path string) bool { return filepath.Base(path) == OpenFile(runID) })
	months, err := months(fsys, dir)
	if err != nil {
		return nil, err
	}
	for _, in := range months {
		found, err := files(fsys, filepath.Join(in, runID), "", ".json")
		if err != nil {
			return nil, fmt.Errorf("look for earlier ledgers of %s: %w", runID, err)
		}
		lives = append(lives, found...)
	}
	return lives, nil
}

// files returns the paths in a folder whose names begin and end so; none if there is no folder.
func files(fsys afero.Fs, dir, begin, end string) (paths []string, err error) {
	all, err := afero.ReadDir(fsys, dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	for _, f := range all {
		if strings.HasPrefix(f.Name(), begin) && strings.HasSuffix(f.Name(), end) {
			paths = append(paths, filepath.Join(dir, f.Name()))
		}
	}
	return paths, err
}

func months(fsys afero.Fs, dir string) ([]string, error) {
	found, err := afero.ReadDir(fsys, filepath.Join(dir, Ended))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("look for ended ledgers: %w", err)
	}
	var out []string
	for _, f := range slices.Backward(found) { // ReadDir sorts by name
		if f.IsDir() {
			out = append(out, filepath.Join(dir, Ended, f.Name()))
		}
	}
	return out, nil
}
