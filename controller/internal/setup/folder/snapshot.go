package folder

import (
	"bytes"
	"context"

	"github.com/puttrix/trafficinator/controller/internal/setup/plan"
	"github.com/puttrix/trafficinator/controller/internal/store"
	"github.com/puttrix/trafficinator/shared/exchange"
)

// Snapshot is the content of the folder at one time, by file.
type Snapshot map[string]file

type file struct {
	data       []byte // nil if it does not exist
	sum        string // of data, empty if it does not exist
	unreadable error  // if something else is in place of the file
	known      store.Published
}

// Snapshot reads the files. During a write it can mistake a new file for an edit by hand, so callers that find edits
// check again with a Writer.
func (f *Folder) Snapshot(ctx context.Context) (Snapshot, error) {
	known, err := f.store.Published(ctx)
	if err != nil {
		return nil, err
	}
	f.state.Lock()
	before := f.state.seen
	f.state.Unlock()
	l := Snapshot{}
	for _, name := range plan.Names {
		data, err := f.read(name)
		if err != nil && !isUnreadable(err) {
			return nil, err
		}
		l[name] = file{data, before[name].sumOf(name, data), err, known[name]}
	}
	f.state.Lock()
	defer f.state.Unlock()
	f.state.seen = l
	return l, nil
}

// sumOf returns plan.Sum of data, which may be the content of f.
func (f file) sumOf(name string, data []byte) string {
	if same(f.data, data) {
		return f.sum
	}
	return plan.Sum(name, data)
}

func same(a, b []byte) bool { return (a == nil) == (b == nil) && bytes.Equal(a, b) }

// ours reports whether f has the content that the controller wrote, or was writing when it was killed.
func (f file) ours() bool { return f.sum == f.known.Base || f.sum == f.known.Next }

// Edited returns the files with content that the controller did not write.
func (l Snapshot) Edited() Conflict {
	var c Conflict
	for _, name := range plan.Names {
		if f := l[name]; f.unreadable != nil || f.data != nil && !f.ours() {
			c.add(name, f.unreadable)
		}
	}
	return c
}

// Data returns the content of a file, nil if it does not exist or cannot be read.
func (l Snapshot) Data(name string) []byte { return l[name].data }

// Merge is the planned result of a write.
type Merge struct {
	// Final are the resulting files, without copies of certificates and keys.
	Final plan.Files
	// Conflict are the files that are not written because of an edit by hand.
	Conflict Conflict

	touch plan.Files        // the files to change; nil removes one
	sums  map[string]string // of the files that become as wanted
}

// Merge compares the wanted files with the folder. Files in force overwrite any edit.
func (l Snapshot) Merge(want plan.Files, force map[string]bool) (Merge, error) {
	m := Merge{Final: plan.Files{}, touch: plan.Files{}, sums: map[string]string{}}
	for _, name := range plan.Names {
		have, data := l[name], want[name]
		sum := have.sumOf(name, data)
		next := have.data
		switch {
		case force[name], have.unreadable == nil && (have.data == nil || have.sum == sum || have.ours()):
			next, m.sums[name] = data, sum
		case have.unreadable != nil, sum != have.known.Base:
			m.Conflict.add(name, have.unreadable)
		case name == exchange.EnvFile: // edited by hand, and only the run changes
			keys, err := plan.RunKeys(data)
			if err != nil {
				return m, err
			}
			if patched, err := plan.Patch(have.data, keys); err == nil {
				next = patched
			} else { // it is invalid, so nothing can be started with it
				m.Conflict.add(name, nil)
			}
		}
		if next != nil {
			m.Final[name] = next
		}
		if have.unreadable != nil && force[name] || !same(next, have.data) {
			m.touch[name] = next
		}
	}
	return m, nil
}
