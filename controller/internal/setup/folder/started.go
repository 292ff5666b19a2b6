package folder

import (
	"context"
	"errors"
	"maps"
	"path/filepath"
	"time"

	"github.com/puttrix/trafficinator/controller/internal/setup/plan"
	"github.com/puttrix/trafficinator/controller/internal/store"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/problem"
)

// Started returns the files of the plan that was started last, nil if there is none.
func (f *Folder) Started(ctx context.Context) (plan.Files, error) {
	f.planMu.Lock()
	defer f.planMu.Unlock()
	if f.plan == nil {
		files, err := f.store.Plan(ctx)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return nil, err
		}
		f.plan = files
	}
	return f.plan, nil
}

// Published returns the files of the plan that was started last, or those of the folder if there is none. Missing files
// are absent.
func (f *Folder) Published(ctx context.Context) (map[string][]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	files, err := f.Started(ctx)
	if err != nil || files != nil {
		return files, err
	}
	return f.readAll(".", isUnreadable)
}

// readAll returns the files of a plan in a folder below f. Errors that ignored matches count as a missing file.
func (f *Folder) readAll(dir string, ignored func(error) bool) (plan.Files, error) {
	files := plan.Files{}
	for _, name := range plan.Names {
		data, err := f.read(filepath.Join(dir, name))
		if err != nil && !ignored(err) {
			return nil, err
		}
		if data != nil {
			files[name] = data
		}
	}
	return files, nil
}

// StartAgain publishes another start of the run of the folder, such as after a crash.
func (f *Folder) StartAgain(context.Context) error {
	return f.patch(plan.Restarted())
}

// Stop publishes that the loadgen idles when it is started; everything else stays, including edits by hand. No loadgen
// sends with a file that cannot be read or parsed, so that stays unchanged.
func (f *Folder) Stop(context.Context) error {
	err := f.patch(map[string]string{"AUTO_START": "false"})
	if _, invalid := errors.AsType[problem.List](err); invalid || isUnreadable(err) {
		return nil
	}
	return err
}

// patch changes settings of loadgen.env, if there is one.
func (f *Folder) patch(keys map[string]string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	have, err := f.read(exchange.EnvFile)
	if err != nil || have == nil {
		return err
	}
	patched, err := plan.Patch(have, keys)
	if err != nil {
		return err
	}
	return f.put(plan.Files{exchange.EnvFile: patched})
}

// Restore writes files from Published, overwriting edits by hand, as the plan of a new start.
func (f *Folder) Restore(ctx context.Context, files map[string][]byte) error {
	t, err := f.Lock(ctx)
	if err != nil {
		return err
	}
	defer t.Unlock()
	want := maps.Clone(files)
	if env := want[exchange.EnvFile]; env != nil {
		if want[exchange.EnvFile], err = plan.Patch(env, plan.Restarted()); err != nil {
			return err
		}
	}
	return t.Start(ctx, want, AllFiles())
}

// Steer writes the control file of a run in progress. It does not wait for other writers, so that a run can be stopped
// while one of them hangs.
func (f *Folder) Steer(c exchange.Control) error {
	data, err := c.Encode()
	if err != nil {
		return err
	}
	return f.put(map[string][]byte{exchange.ControlFile: data})
}

// Steering returns the control file of a run, which users may write too. As in the loadgen, one that is unreadable or
// for another run has no effect.
func (f *Folder) Steering(runID string) exchange.Control {
	data, err := f.read(exchange.ControlFile)
	if err == nil && data != nil {
		if c, problems := exchange.ParseControl(data); problems.Err() == nil && c.RunID == runID {
			return c
		}
	}
	return exchange.NoOverride(runID)
}

// Delete lists deleted runs, with the times of their deletion, for the loadgen, which deletes their ledgers at its next
// start. Runs without a ledger, as kept reports, are left out.
func (f *Folder) Delete(runs map[string]time.Time, kept func(runID string) (bool, error)) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	data, err := f.read(exchange.DeletedFile)
	if err != nil && !isUnreadable(err) {
		return err
	}
	err = nil
	var list exchange.DeletedRuns
	if data != nil {
		// One that cannot be parsed was edited by hand; its list is lost.
		list, _ = exchange.ParseDeleted(data)
	}
	all := exchange.DeletedRuns{Runs: map[string]time.Time{}}
	maps.Copy(all.Runs, list.Runs)
	maps.Copy(all.Runs, runs)
	maps.DeleteFunc(all.Runs, func(id string, _ time.Time) bool {
		isKept, failed := kept(id)
		err = errors.Join(err, failed)
		return failed == nil && !isKept
	})
	if err != nil {
		return err
	}
	if data, err = all.Encode(); err != nil {
		return err
	}
	return f.put(map[string][]byte{exchange.DeletedFile: data})
}
