package folder

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/controller/internal/setup/plan"
	"github.com/puttrix/trafficinator/controller/internal/store"
	"github.com/puttrix/trafficinator/shared/exchange"
)

// Writer holds the lock for writing the folder until Unlock.
type Writer struct {
	folder   *Folder
	Snapshot // when it was locked
}

// Lock waits for other writers.
func (f *Folder) Lock(ctx context.Context) (*Writer, error) {
	f.mu.Lock()
	l, err := f.Snapshot(ctx)
	if err != nil {
		f.mu.Unlock()
		return nil, err
	}
	return &Writer{f, l}, nil
}

// Unlock releases the folder to other writers.
func (t *Writer) Unlock() { t.folder.mu.Unlock() }

// RefuseEdits returns a *Conflict if one of files was edited by hand.
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

// RefuseOtherEdits returns a *Conflict if a file was edited by hand and differs from want.
func (t *Writer) RefuseOtherEdits(want plan.Files) error {
	var c Conflict
	edited := t.Edited()
	for _, name := range edited.Files {
		if have := t.Snapshot[name]; have.unreadable != nil || have.sum != have.sumOf(name, want[name]) {
			c.add(name, have.unreadable)
		}
	}
	return c.err()
}

// RunKeys returns the settings of the run in the folder; without any, the loadgen idles.
func (t *Writer) RunKeys() map[string]string {
	keys, err := plan.RunKeys(t.Data(exchange.EnvFile))
	if err != nil { // an edit made it invalid: Write handles that
		keys = map[string]string{}
	}
	if keys["AUTO_START"] == "" {
		keys["AUTO_START"] = "false"
	}
	return keys
}

// Write writes want to the folder and returns the resulting files. A file edited by hand is kept and the others are
// written; if strict, nothing is written and the error is a *Conflict. Files in force overwrite any edit.
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
	if err := f.putCopies(f.dir, want); err != nil { // before the files that refer to them
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

// AllFiles returns the names of all files, for a Write that overwrites every edit.
func AllFiles() map[string]bool {
	all := map[string]bool{}
	for _, name := range plan.Names {
		all[name] = true
	}
	return all
}

// Start is a strict Write of the files of a plan that is started.
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

// copiesOf returns the certificates and keys among the files of a plan, by their names in TLSFolder.
func copiesOf(files map[string][]byte) map[string][]byte {
	out := map[string][]byte{}
	for file, data := range files {
		if plan.IsCopy(file) {
			out[filepath.Base(file)] = data
		}
	}
	return out
}

// putCopies writes the missing certificates and keys of a plan below dir.
func (f *Folder) putCopies(dir string, files map[string][]byte) error {
	copies := copiesOf(files)
	dir = filepath.Join(dir, exchange.TLSFolder)
	maps.DeleteFunc(copies, func(name string, data []byte) bool {
		have, err := exchange.Read(f.fs, filepath.Join(dir, name))
		return err == nil && bytes.Equal(have, data)
	})
	if len(copies) == 0 {
		return nil
	}
	if err := f.fs.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make folder of certificates: %w", err)
	}
	return exchange.Publish(f.fs, dir, copies)
}

// sweepCopies removes certificates and keys below dir that neither belong to the plan nor are named in its files, such
// as in one that was edited by hand.
func (f *Folder) sweepCopies(dir string, files map[string][]byte) error {
	dir = filepath.Join(dir, exchange.TLSFolder)
	there, err := afero.ReadDir(f.fs, dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("list certificates: %w", err)
	}
	copies := copiesOf(files)
	for _, old := range there {
		_, kept := copies[old.Name()]
		if kept || bytes.Contains(files[exchange.EnvFile], []byte(old.Name())) ||
			bytes.Contains(files[exchange.TargetsFile], []byte(old.Name())) {
			continue
		}
		if err := f.fs.RemoveAll(filepath.Join(dir, old.Name())); err != nil {
			return fmt.Errorf("remove certificate: %w", err)
		}
	}
	return nil
}

// WriteJob writes the files of a job, tokens included, into its own folder, replacing those already there.
func (f *Folder) WriteJob(id string, files plan.Files) error {
	dir := f.jobFolder(id)
	if err := f.fs.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make folder of job %s: %w", id, err)
	}
	if err := f.putCopies(dir, files); err != nil {
		return err
	}
	present := plan.WithoutCopies(files)
	maps.DeleteFunc(present, func(_ string, data []byte) bool { return data == nil })
	if err := exchange.Publish(f.fs, dir, present); err != nil {
		return err
	}
	return f.sweepCopies(dir, files)
}

// JobFiles returns the files of a job; none if they were removed.
func (f *Folder) JobFiles(id string) (map[string][]byte, error) {
	return f.readAll(exchange.JobFolder(id), func(error) bool { return false })
}

// RemoveJob removes the files of a job, if there are any.
func (f *Folder) RemoveJob(id string) error {
	if err := f.fs.RemoveAll(f.jobFolder(id)); err != nil {
		return fmt.Errorf("remove files of job %s: %w", id, err)
	}
	return nil
}

func (f *Folder) jobFolder(id string) string { return filepath.Join(f.dir, exchange.JobFolder(id)) }
