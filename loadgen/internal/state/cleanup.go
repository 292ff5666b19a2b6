package state

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/runid"
	"github.com/puttrix/trafficinator/shared/runsummary"
	"github.com/puttrix/trafficinator/shared/statedir"
)

// maxOpenLegacy is how many ledgers of an earlier version, the last written ones, are looked at. It kept all of them in one
// folder, and each of its starts closed those that were open, so that only the last ones can be.
const maxOpenLegacy = 64

// CleanUp closes the ledgers of runs that were killed and moves what has ended out of the way. It reads the ledgers of
// killed runs alone, however many have ended. own is the run that is about to begin, which is left alone. What is no
// ledger is left where it is, with a warning.
func (f Folder) CleanUp(own string, now time.Time, log *slog.Logger) error {
	files, err := afero.ReadDir(f.fs, f.dir)
	if err != nil {
		return fmt.Errorf("list state: %w", err)
	}
	locked := map[string]bool{own: true}
	for _, file := range files {
		id, is := strings.CutSuffix(file.Name(), ".lock")
		if is && id != own && runid.Valid(id) {
			locked[id] = true
			f.closeIfDead(id, files, now, log)
		}
	}
	f.migrate(files, locked, now, log)
	return nil
}

// closeIfDead closes the ledger of a run, unless it is alive. files are those of the folder.
func (f Folder) closeIfDead(id string, files []fs.FileInfo, now time.Time, log *slog.Logger) {
	l, err := f.lock(id)
	if errors.Is(err, ErrRunning) {
		return
	}
	if err != nil {
		log.Warn("the ledger of another run is not looked at", "run_id", id, "err", err)
		return
	}
	defer l.close() //nolint:errcheck // nothing was written through it
	if !l.shared {
		f.removeTempFiles(id, files)
	}
	if err := f.closeLedger(id, l.shared, now, log); err != nil {
		log.Warn("the ledger of another run cannot be closed", "run_id", id, "err", err)
		return
	}
	if err := l.remove(); err != nil {
		log.Warn("the lock of another run is left behind", "run_id", id, "err", err)
	}
}

// removeTempFiles removes what a kill left of ledgers that were being written.
func (f Folder) removeTempFiles(id string, files []fs.FileInfo) {
	for _, file := range files {
		if strings.HasPrefix(file.Name(), "."+statedir.OpenFile(id)+".") {
			_ = f.fs.Remove(filepath.Join(f.dir, file.Name())) // it is in nobody's way
		}
	}
}

// errMayBeRunning means that nobody can tell whether a run is alive.
var errMayBeRunning = errors.New("the file system knows no locks, so that the run may be alive; start it again to " +
	"close its ledger")

// closeLedger closes the ledger of a run that is not alive and moves it to those that have ended. Where the run may be alive,
// only a ledger that has ended is moved.
func (f Folder) closeLedger(id string, mayRun bool, now time.Time, log *slog.Logger) error {
	path := filepath.Join(f.dir, statedir.OpenFile(id))
	var s runsummary.Summary
	if err := f.read(path, &s); err != nil {
		if errors.Is(err, fs.ErrNotExist) { // it was killed before it sent anything, or its ledger is moved already
			return nil
		}
		return err
	}
	if s.RunID != id {
		return fmt.Errorf("%s is no ledger of this run", path)
	}
	if s.Ended.IsZero() && mayRun {
		return errMayBeRunning
	}
	if s.Ended.IsZero() {
		s.CloseKilled(now)
		if err := f.save(statedir.OpenFile(id), &s); err != nil {
			return err
		}
		log.Warn("closed the ledger of a killed run", "run_id", id)
	}
	return f.archive(path, statedir.EndedFile(id, s.Ended))
}

// closeLegacy is end for a ledger without a lock, which may be that of a run that has begun since the folder was listed.
func (f Folder) closeLegacy(id string, now time.Time, log *slog.Logger) error {
	l, err := f.lock(id)
	if errors.Is(err, ErrRunning) {
		return nil
	}
	if err != nil {
		return err
	}
	defer l.close() //nolint:errcheck // nothing was written through it
	return errors.Join(f.closeLedger(id, l.shared, now, log), l.remove())
}

// migrate moves the ledgers that an earlier version left in the folder, which has no locks.
func (f Folder) migrate(files []fs.FileInfo, locked map[string]bool, now time.Time, log *slog.Logger) {
	files = slices.DeleteFunc(files, func(file fs.FileInfo) bool {
		name, is := strings.CutSuffix(file.Name(), ".json")
		id, _, _ := strings.Cut(name, ".")
		if !is || file.Name() == runsummary.CapFile || name == id && locked[id] || strings.HasPrefix(name, ".") {
			return true
		}
		if !file.Mode().IsRegular() || !runid.Valid(id) {
			log.Warn("what is no ledger is left alone", "file", filepath.Join(f.dir, file.Name()))
			return true
		}
		return false
	})
	slices.SortFunc(files, func(a, b fs.FileInfo) int { return b.ModTime().Compare(a.ModTime()) })
	for i, file := range files {
		name := strings.TrimSuffix(file.Name(), ".json")
		id, life, isLife := strings.Cut(name, ".")
		var err error
		switch {
		case isLife:
			err = f.archive(filepath.Join(f.dir, file.Name()),
				filepath.Join(filepath.Dir(statedir.EndedFile(id, file.ModTime())), id, life+".json"))
		case i < maxOpenLegacy:
			err = f.closeLegacy(id, now, log)
		default:
			err = f.archive(filepath.Join(f.dir, file.Name()), statedir.EndedFile(id, file.ModTime()))
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // else another start has moved it
			log.Warn("a ledger of an earlier version stays where it is", "file", file.Name(), "err", err)
		}
	}
}

// DeleteRuns removes what is kept of runs that were deleted, other than own: their ledgers, and the folders of backfills
// that the controller started. A run that is alive, or of which something was written after its deletion, is left
// alone.
func (f Folder) DeleteRuns(own string, runs exchange.DeletedRuns, log *slog.Logger) {
	for id, at := range runs.Runs {
		if id == own {
			continue
		}
		if err := f.deleteRun(id, at); err != nil && !errors.Is(err, ErrRunning) {
			log.Warn("a deleted run cannot be removed from the state folder", "run_id", id, "err", err)
		}
	}
}

func (f Folder) deleteRun(id string, at time.Time) error {
	for _, dir := range []string{f.dir, filepath.Join(f.dir, exchange.JobFolder(id))} {
		path, err := statedir.Find(f.fs, dir, id)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		info, err := f.fs.Stat(path)
		if err != nil || info.ModTime().After(at) {
			return err
		}
		if err := (Folder{f.fs, dir}).remove(id, path); err != nil {
			return err
		}
		if dir != f.dir {
			return f.fs.RemoveAll(dir)
		}
	}
	return nil
}

// remove removes the ledgers of a run whose last one is path.
func (f Folder) remove(id, path string) error {
	l, err := f.lock(id)
	if err != nil {
		return err
	}
	defer l.close() //nolint:errcheck // nothing was written through it
	lives, err := statedir.Lives(f.fs, f.dir, id)
	if err != nil {
		return err
	}
	for _, life := range lives {
		if err := f.fs.Remove(life); err != nil {
			return fmt.Errorf("remove ledger: %w", err)
		}
		_ = f.fs.Remove(filepath.Dir(life)) // fails until it is empty
	}
	for _, file := range []string{path, filepath.Join(f.dir, statedir.JournalFile(id))} {
		if err := f.fs.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove ledger: %w", err)
		}
	}
	return l.remove()
}
