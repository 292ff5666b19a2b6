package folder

import (
	"context"
	"errors"
	"maps"

	"github.com/puttrix/trafficinator/controller/internal/setup/plan"
	"github.com/puttrix/trafficinator/controller/internal/store"
	"github.com/puttrix/trafficinator/shared/exchange"
)

// Started are the files of the plan that was started last, nil where none was.
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

// Published are the files of the plan that was started last, by name, or where none was those of the folder. A file
// that is not there is absent.
func (f *Folder) Published(ctx context.Context) (map[string][]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	files, err := f.Started(ctx)
	if err != nil || files != nil {
		return files, err
	}
	out := map[string][]byte{}
	for _, name := range plan.Names {
		data, err := f.read(name)
		if err != nil && !isUnreadable(err) {
			return nil, err
		}
		if data != nil {
			out[name] = data
		}
	}
	return out, nil
}

// StartAgain publishes that the run of the folder is started once more, such as after a crash.
func (f *Folder) StartAgain(context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	have, err := f.read(exchange.EnvFile)
	if err != nil || have == nil {
		return err
	}
	patched, err := plan.Patch(have, plan.Restarted())
	if err != nil {
		return err
	}
	return f.put(plan.Files{exchange.EnvFile: patched})
}

// Stop publishes that the loadgen shall idle when it is started; everything else stays, edits by hand too. One that
// cannot be read stays whole: no loadgen sends with it. So does what is no file at all.
func (f *Folder) Stop(context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	have, err := f.read(exchange.EnvFile)
	if isUnreadable(err) {
		return nil
	}
	if err != nil || have == nil {
		return err
	}
	patched, err := plan.Patch(have, map[string]string{"AUTO_START": "false"})
	if err != nil {
		return nil //nolint:nilerr // see above
	}
	return f.put(plan.Files{exchange.EnvFile: patched})
}

// Restore writes what Published gave, over edits by hand too, as the plan that is started: it counts as a start of its
// own.
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
