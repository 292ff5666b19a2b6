// Package statedir owns where the ledgers of runs lie in a state folder: the loadgen writes them there, the controller
// reads them. It does not know what they say.
//
// In a state folder:
//
//	<RUN_ID>.json                               the ledger of a run that is open
//	<RUN_ID>.lock                               held by the run as long as it lives; left behind by one that was killed
//	<RUN_ID>.batches                            the journal of a backfill
//	ended/<YYYY-MM>/<RUN_ID>.json               the ledger of a run that has ended, by the month of its end
//	ended/<YYYY-MM>/<RUN_ID>/<first visit>.json what a run did before it was started again under the same RUN_ID
//	jobs/<RUN_ID>/                              the state folder of a backfill that the controller started
package statedir

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/shared/exchange"
)

const (
	// Ended is the folder of the ledgers of runs that have ended.
	Ended = "ended"
	// month names the folders below it.
	month = "2006-01"
)

// OpenFile is the ledger of a run that has not ended.
func OpenFile(runID string) string { return runID + ".json" }

// LockFile is what a run locks as long as it lives.
func LockFile(runID string) string { return runID + ".lock" }

// JournalFile tells which requests of a backfill may have been sent.
func JournalFile(runID string) string { return runID + ".batches" }

// EndedFile is the ledger of a run that has ended at at.
func EndedFile(runID string, at time.Time) string {
	return filepath.Join(Ended, at.UTC().Format(month), runID+".json")
}

// LifeFile is the ledger of an earlier life of a run: one that began with the visit first and ended at at.
func LifeFile(runID string, first uint64, at time.Time) string {
	return filepath.Join(Ended, at.UTC().Format(month), runID, strconv.FormatUint(first, 10)+".json")
}

// Find is the path of the ledger of a run's last life, in the state folder dir; fs.ErrNotExist where there is none.
func Find(fsys afero.Fs, dir, runID string) (string, error) {
	months, err := months(fsys, dir)
	if err != nil {
		return "", err
	}
	for _, in := range append([]string{dir}, months...) {
		path := filepath.Join(in, OpenFile(runID))
		if _, err := fsys.Stat(path); err == nil {
			return path, nil
		} else if !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("look for the ledger of %s: %w", runID, err)
		}
	}
	return "", fmt.Errorf("look for the ledger of %s: %w", runID, fs.ErrNotExist)
}

// Read is the ledger of a run's last life; fs.ErrNotExist where there is none.
func Read(fsys afero.Fs, dir, runID string) ([]byte, error) {
	for again := false; ; again = true {
		path, err := Find(fsys, dir, runID)
		if err != nil {
			return nil, err
		}
		data, err := exchange.Read(fsys, path)
		if again || !errors.Is(err, fs.ErrNotExist) { // else it was moved meanwhile, because the run has ended
			return data, err
		}
	}
}

// Lives are the paths of the ledgers of a run's earlier lives, in no order.
func Lives(fsys afero.Fs, dir, runID string) ([]string, error) {
	// Earlier versions kept them beside the ledger, under a name with their start; a run id has no dot.
	lives, err := afero.Glob(fsys, filepath.Join(dir, runID+".*.json"))
	if err != nil {
		return nil, fmt.Errorf("look for earlier ledgers of %s: %w", runID, err)
	}
	months, err := months(fsys, dir)
	if err != nil {
		return nil, err
	}
	for _, in := range months {
		files, err := afero.ReadDir(fsys, filepath.Join(in, runID))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("look for earlier ledgers of %s: %w", runID, err)
		}
		for _, f := range files {
			if filepath.Ext(f.Name()) == ".json" {
				lives = append(lives, filepath.Join(in, runID, f.Name()))
			}
		}
	}
	return lives, nil
}

// months are the folders of ended ledgers, the latest first.
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
