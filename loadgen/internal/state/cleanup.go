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

// maxOpenLegacy is how many summaries of an earlier version, latest first, are checked for killed runs. That version
// kept all in one folder and closed open ones with each start, so only the latest can be open.
const maxOpenLegacy = 64

// CleanUp closes the summaries of killed runs and archives ended ones. It reads only those of killed runs. own is the
// run that is about to start, which is not touched. Unknown files are not touched and cause a warning.
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

// closeIfDead closes the summary of a run that is not running. files are those of the folder.
func (f Folder) closeIfDead(id string, files []fs.FileInfo, now time.Time, log *slog.Logger) {
	l, err := f.lock(id)
	if errors.Is(err, ErrRunning) {
		return
	}
	if err != nil {
		log.Warn("cannot lock the ledger of another run", "run_id", id, "err", err)
		return
	}
	defer l.close() //nolint:errcheck // nothing was written through it
	if !l.shared {
		f.removeTempFiles(id, files)
	}
	if err := f.closeLedger(id, l.shared, now, log); err != nil {
		log.Warn("cannot close the ledger of another run", "run_id", id, "err", err)
		return
	}
	if err := l.remove(); err != nil {
		log.Warn("cannot remove the lock of another run", "run_id", id, "err", err)
	}
}

func (f Folder) removeTempFiles(id string, files []fs.FileInfo) {
	for _, file := range files {
		if strings.HasPrefix(file.Name(), "."+statedir.OpenFile(id)+".") {
			_ = f.fs.Remove(filepath.Join(f.dir, file.Name())) // harmless otherwise
		}
	}
}

var errMayBeRunning = errors.New("the run may be running, because the file system has no locks; start it again to " +
	"close its ledger")

// closeLedger closes and archives the summary of a run that is not running. If it may be running, only an ended summary
// is archived.
func (f Folder) closeLedger(id string, mayBeRunning bool, now time.Time, log *slog.Logger) error {
	path := filepath.Join(f.dir, statedir.OpenFile(id))
	var s runsummary.Summary
	if err := f.read(path, &s); err != nil {
		if errors.Is(err, fs.ErrNotExist) { // killed before it sent anything, or already archived
			return nil
		}
		return err
	}
	if s.RunID != id {
		return fmt.Errorf("%s is not a ledger of this run", path)
	}
	if s.Ended.IsZero() && mayBeRunning {
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

// closeLegacy is closeLedger for a summary without a lock. Its run may have started since the folder was listed.
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

// migrate archives the summaries of an earlier version, which had no locks.
func (f Folder) migrate(files []fs.FileInfo, locked map[string]bool, now time.Time, log *slog.Logger) {
	files = slices.DeleteFunc(files, func(file fs.FileInfo) bool {
		name, is := strings.CutSuffix(file.Name(), ".json")
		id, _, _ := strings.Cut(name, ".")
		if !is || file.Name() == runsummary.CapFile || name == id && locked[id] || strings.HasPrefix(name, ".") {
			return true
		}
		if !file.Mode().IsRegular() || !runid.Valid(id) {
			log.Warn("unknown file ignored", "file", filepath.Join(f.dir, file.Name()))
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
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // else moved by another start
			log.Warn("cannot archive a ledger of an earlier version", "file", file.Name(), "err", err)
		}
	}
}

// DeleteRuns removes the summaries of deleted runs other than own, and the folders of the controller's backfills. It
// skips runs that are running or were written after their deletion.
func (f Folder) DeleteRuns(own string, runs exchange.DeletedRuns, log *slog.Logger) {
	for id, at := range runs.Runs {
		if id == own {
			continue
		}
		if err := f.deleteRun(id, at); err != nil && !errors.Is(err, ErrRunning) {
			log.Warn("cannot remove a deleted run from the state folder", "run_id", id, "err", err)
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

// remove removes the summaries of a run whose latest is path.
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
