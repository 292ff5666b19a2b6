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

// A place that is taken may be so for a moment alone, because another start closes the ledger of this run, which was
// killed.
const (
	claimTries      = 10
	claimRetryAfter = 50 * time.Millisecond
)

// errAlreadyStarted means that another process made this start since this one looked, and has ended.
var errAlreadyStarted = errors.New("this start was made before")

// CheckOutputs tries to write where a run will, because a run that cannot tell its end is lost. It leaves nothing behind but
// the state folder itself.
func CheckOutputs(fsys afero.Fs, f plan.Files) (problems problem.List) {
	if _, err := state.Open(fsys, f.State); err != nil {
		problems.Refuse("STATE_DIR", f.State, err.Error(), fixFor(err, "name a folder that this user may write to"))
	}
	if f.Summary != "" {
		checkWritable(fsys, "SUMMARY_FILE", f.Summary, &problems)
	}
	return problems
}

// checkWritable tries to write where a file will be, which a setting or flag names.
func checkWritable(fsys afero.Fs, where, path string, problems *problem.List) {
	if err := state.CheckWritable(fsys, filepath.Dir(path)); err != nil {
		problems.Refuse(where, path, err.Error(),
			fixFor(err, "name a file in a folder that exists and that this user may write to"))
	}
}

// fixFor is the cure of a place that cannot be written: that of a full disk is another.
func fixFor(err error, cure string) string {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return "make room there, or name a place on another disk"
	}
	return cure
}

// shouldStart says whether the run begins at once, and refuses places where it cannot write. Where it does not the log says
// what the loadgen waits for.
func (r *Run) shouldStart() (starts bool, faults problem.List) {
	p := r.plan
	if !p.AutoStart {
		r.log.Info("idle: AUTO_START is off")
		return false, nil
	}
	if faults = append(CheckOutputs(r.host.FS, p.Files), r.options.checkOutputs(r.host.FS)...); faults.Err() != nil ||
		p.StartID == "" {
		return true, faults
	}
	folder, err := state.Open(r.host.FS, p.Files.State)
	before := false
	if err == nil {
		before, err = folder.AlreadyStarted(p.StartID)
	}
	if err != nil {
		return false, r.stateProblem(err, "let this user read it")
	}
	if before {
		r.warnAlreadyStarted()
	}
	return !before, nil
}

func (r *Run) warnAlreadyStarted() {
	r.log.Warn("idle: this start was made before, and each counts once; start the run again to go on", "start_id",
		r.plan.StartID, "run_id", r.plan.RunID)
}

// claim takes the run's place in the state folder, and puts the folder in order. The error is errStarted or nil.
func (r *Run) claim(ctx context.Context) (problems problem.List, err error) {
	switch err := r.claimState(ctx); {
	case errors.Is(err, errAlreadyStarted):
		return nil, err
	case errors.Is(err, state.ErrRunning):
		problems.Refuse("RUN_ID", r.plan.RunID, err.Error()+" with the same STATE_DIR",
			"wait until it has ended, or choose another RUN_ID")
		return problems, nil
	case err != nil:
		return r.stateProblem(err, fixFor(err, "name a folder that this user may write to")), nil
	}
	return nil, nil
}

func (r *Run) claimState(ctx context.Context) (err error) {
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
		switch again, err := r.folder.AlreadyStarted(p.StartID); {
		case err != nil:
			return err
		case again:
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

// deletedRuns are the runs that the controller has deleted.
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
		r.log.Warn("the ledgers of deleted runs stay", "file", exchange.DeletedFile, "err", err)
	}
	return d
}

// close gives up what the run took.
func (r *Run) close() {
	if err := r.release(); err != nil {
		r.log.Error("the run is not closed well", "err", err)
	}
	if r.place == nil {
		return
	}
	leave := r.place.Release
	if r.summaryWritten {
		leave = r.place.Close
	}
	if err := leave(); err != nil {
		r.log.Warn("the run's lock is not released", "err", err)
	}
	r.place = nil
}
