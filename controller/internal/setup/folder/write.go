package folder

import (
	"context"
	"slices"

	"github.com/puttrix/trafficinator/controller/internal/setup/plan"
	"github.com/puttrix/trafficinator/controller/internal/store"
	"github.com/puttrix/trafficinator/shared/exchange"
)

// Writer is somebody's turn at writing the folder, until End. Others wait for theirs.
type Writer struct {
	folder   *Folder
	Snapshot // when it began
}

// Begin waits for a w.
func (f *Folder) Lock(ctx context.Context) (*Writer, error) {
	f.mu.Lock()
	l, err := f.Snapshot(ctx)
	if err != nil {
		f.mu.Unlock()
		return nil, err
	}
	return &Writer{f, l}, nil
}

// End gives the turn to the next.
func (t *Writer) Unlock() { t.folder.mu.Unlock() }

// Refuse is a *Conflict where one of files was edited by hand.
func (t *Writer) RefuseEdits(files ...string) error {
	var c Conflict
	edited := t.Edited()
	for _, name := range files {
		if slices.Contains(edited.Files, name) {
			c.add(name, edited.Unreadable[name])
		}
	}
	return c.err()
}

// RefuseOtherEdits is a *Conflict where a file was edited by hand to something else than what is wanted.
func (t *Writer) RefuseOtherEdits(want plan.Files) error {
	var c Conflict
	edited := t.Edited()
	for _, name := range edited.Files {
		if have := t.Snapshot[name]; have.odd != nil || have.sum != have.sumOf(name, want[name]) {
			c.add(name, have.odd)
		}
	}
	return c.err()
}

// RunKeys are what the folder says of the run; a loadgen that finds nothing there shall idle.
func (t *Writer) RunKeys() map[string]string {
	keys, err := plan.RunKeys(t.Data(exchange.EnvFile))
	if err != nil { // unreadable by an edit: the write decides what becomes of it
		keys = map[string]string{}
	}
	if keys["AUTO_START"] == "" {
		keys["AUTO_START"] = "false"
	}
	return keys
}

// Write brings want into the folder and returns what is there then. Where an edit by hand stands in the way nothing is
// written if strict, and the error is a *Conflict; else the other files are. Files in force are written over any edit.
func (t *Writer) Write(ctx context.Context, want plan.Files, force map[string]bool, strict bool) (plan.Files, error) {
	m, err := t.Merge(want, force)
	if err != nil {
		return nil, err
	}
	if err := m.Conflict.err(); strict && err != nil {
		return nil, err
	}
	f := t.folder
	before, after := map[string]store.Published{}, map[string]store.Published{}
	for name, sum := range m.sums {
		if old := t.Snapshot[name].known; old.Base != sum || old.Next != sum {
			before[name] = store.Published{Base: old.Base, Next: sum}
			after[name] = store.Published{Base: sum, Next: sum}
		}
	}
	if err := f.store.SavePublished(ctx, before); err != nil {
		return nil, err
	}
	if err := f.putCopies(f.dir, want); err != nil { // before the files that name them
		return nil, err
	}
	if err := f.put(m.touch); err != nil {
		return nil, err
	}
	if err := f.store.SavePublished(ctx, after); err != nil {
		return nil, err
	}
	for name, data := range want {
		if plan.IsCopy(name) {
			m.Final[name] = data
		}
	}
	if err := f.sweepCopies(f.dir, m.Final); err != nil {
		return nil, err
	}
	f.SetUnpublished(nil)
	return m.Final, nil
}

// All are the names of all files, for a Write that overwrites every edit.
func AllFiles() map[string]bool {
	all := map[string]bool{}
	for _, name := range plan.Names {
		all[name] = true
	}
	return all
}

// Start is Write, strict, of the files of a plan that is started.
func (t *Writer) Start(ctx context.Context, want plan.Files, force map[string]bool) error {
	files, err := t.Write(ctx, want, force, true)
	if err != nil {
		return err
	}
	f := t.folder
	f.planMu.Lock()
	defer f.planMu.Unlock()
	f.plan = files
	return f.store.SavePlan(ctx, files)
}
