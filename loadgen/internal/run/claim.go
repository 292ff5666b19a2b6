package run

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"syscall"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/loadgen/internal/plan"
	"github.com/puttrix/trafficinator/loadgen/internal/state"
	"github.com/puttrix/trafficinator/loadgen/internal/wakeup"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/problem"
)

// While another start closes the ledger of a killed run, the run's lock is held for a short time.
const (
	claimTries      = 10
	claimRetryAfter = 50 * time.Millisecond
)

var errAlreadyStarted = errors.New("this start was already executed")

// CheckOutputs checks that a run can write its files, because one that cannot is lost. It leaves nothing behind but the
// state folder itself.
func CheckOutputs(fsys afero.Fs, f plan.Files) (problems problem.List) {
	if _, err := state.Open(fsys, f.State); err != nil {
		problems.Refuse("STATE_DIR", f.State, err.Error(),
			fixFor(err, "set it to a folder that this user can write to"))
	}
	if f.Summary != "" {
		checkWritable(fsys, "SUMMARY_FILE", f.Summary, &problems)
	}
	return problems
}

// checkWritable checks that the file of a setting or flag can be written.
func checkWritable(fsys afero.Fs, where, path string, problems *problem.List) {
	if err := state.CheckWritable(fsys, filepath.Dir(path)); err != nil {
		problems.Refuse(where, path, err.Error(),
			fixFor(err, "set it to a file in an existing folder that this user can write to"))
	}
}

// fixFor returns the fix for a path that cannot be written, unless the disk is full.
func fixFor(err error, fix string) string {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return "free disk space, or use another disk"
	}
	return fix
}

// shouldStart reports whether the run starts now, and logs why not. Problems are output files that cannot be written.
func (r *Run) shouldStart() (starts bool, problems problem.List) {
	p := r.plan
	if !p.AutoStart {
		r.log.Info("idle: AUTO_START is off")
		return false, nil
	}
	problems = CheckOutputs(r.host.FS, p.Files)
	for _, f := range r.options.exports() {
		checkWritable(r.host.FS, f.flag, f.path, &problems)
	}
	if problems.Err() != nil || p.StartID == "" {
		return true, problems
	}
	folder, err := state.Open(r.host.FS, p.Files.State)
	started := false
	if err == nil {
		started, err = folder.AlreadyStarted(p.StartID)
	}
	if err != nil {
		return false, r.stateProblem(err, "make it readable for this user")
	}
	if started {
		r.warnAlreadyStarted()
	}
	return !started, nil
}

func (r *Run) warnAlreadyStarted() {
	r.log.Warn("idle: this start was already executed; start the run again", "start_id", r.plan.StartID, "run_id",
		r.plan.RunID)
}

// claim acquires the run's place in the state folder and cleans the folder up. The error may be errAlreadyStarted or
// state.ErrRunning.
func (r *Run) claim(ctx context.Context) (err error) {
	p := r.plan
	if r.folder, err = state.Open(r.host.FS, p.Files.State); err != nil {
		return err
	}
	for range claimTries {
		r.place, err = r.folder.Acquire(p.RunID)
		if !errors.Is(err, state.ErrRunning) || !wakeup.Sleep(ctx, claimRetryAfter) {
			break
		}
	}
	if err != nil {
		return err
	}
	if p.StartID != "" {
		switch started, err := r.folder.AlreadyStarted(p.StartID); {
		case err != nil:
			return err
		case started:
			return errAlreadyStarted
		}
		if err := r.folder.RecordStart(p.StartID); err != nil {
			return err
		}
	}
	if err := r.folder.CleanUp(p.RunID, time.Now().UTC(), r.log); err != nil {
		return err
	}
	r.folder.DeleteRuns(p.RunID, r.deletedRuns(), r.log)
	return nil
}

func (r *Run) deletedRuns() (d exchange.DeletedRuns) {
	if r.plan.Files.Exchange == "" {
		return d
	}
	data, err := exchange.Read(r.host.FS, filepath.Join(r.plan.Files.Exchange, exchange.DeletedFile))
	if errors.Is(err, fs.ErrNotExist) {
		return d
	}
	if err == nil {
		d, err = exchange.ParseDeleted(data)
	}
	if err != nil {
		r.log.Warn("cannot remove the ledgers of deleted runs", "file", exchange.DeletedFile, "err", err)
	}
	return d
}

func (r *Run) close() {
	if err := r.release(); err != nil {
		r.log.Error("cannot close the run", "err", err)
	}
	if r.place == nil {
		return
	}
	release := r.place.Release
	if r.summaryWritten {
		release = r.place.Close
	}
	if err := release(); err != nil {
		r.log.Warn("cannot release the run's lock", "err", err)
	}
	r.place = nil
}
