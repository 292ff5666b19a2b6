package folder

import (
	"bytes"
	"context"

	"github.com/puttrix/trafficinator/controller/internal/setup/plan"
	"github.com/puttrix/trafficinator/controller/internal/store"
	"github.com/puttrix/trafficinator/shared/exchange"
)

// Snapshot is what lay in the folder at one moment, by file.
type Snapshot map[string]file

// file is a file of the folder as it was read.
type file struct {
	// data is nil, and sum empty, where there is none.
	data []byte
	sum  string
	// odd is why it cannot be read, where something else is in its place.
	odd error
	// known is what the controller wrote.
	known store.Published
}

// Snapshot reads the files. In the middle of a write it can take the new file for an edit by hand, so who finds edits
// begins a Writer and looks again.
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

// sumOf is the plan.Sum of a content that may be that of f.
func (f file) sumOf(name string, data []byte) string {
	if same(f.data, data) {
		return f.sum
	}
	return plan.Sum(name, data)
}

func same(a, b []byte) bool { return (a == nil) == (b == nil) && bytes.Equal(a, b) }

// ours reports whether f is what the controller wrote, or was writing when it was killed.
func (f file) ours() bool { return f.sum == f.known.Base || f.sum == f.known.Next }

// Edited are the files that hold something the controller did not write.
func (l Snapshot) Edited() Conflict {
	var c Conflict
	for _, name := range plan.Names {
		if f := l[name]; f.odd != nil || f.data != nil && !f.ours() {
			c.add(name, f.odd)
		}
	}
	return c
}

// Data is the content of a file, nil where there is none or it cannot be read.
func (l Snapshot) Data(name string) []byte { return l[name].data }

// Merge is what a write makes of the folder.
type Merge struct {
	// Final are the files that are there afterwards, without copies of certificates and keys.
	Final plan.Files
	// Conflict are the files in whose way an edit by hand stands.
	Conflict Conflict

	// touch are the files that become otherwise, nil for none, and sums those of the ones that become as they are
	// wanted.
	touch plan.Files
	sums  map[string]string
}

// Merge compares what shall be in the folder with what was there. Files in force are written over any edit.
func (l Snapshot) Merge(want plan.Files, force map[string]bool) (Merge, error) {
	m := Merge{Final: plan.Files{}, touch: plan.Files{}, sums: map[string]string{}}
	for _, name := range plan.Names {
		have, data := l[name], want[name]
		sum := have.sumOf(name, data)
		next := have.data
		switch {
		case force[name], have.odd == nil && (have.data == nil || have.sum == sum || have.ours()):
			next, m.sums[name] = data, sum
		case have.odd != nil, sum != have.known.Base:
			m.Conflict.add(name, have.odd)
		case name == exchange.EnvFile: // edited by hand, and nothing new from here but the run
			keys, err := plan.RunKeys(data)
			if err != nil {
				return m, err
			}
			if patched, err := plan.Patch(have.data, keys); err == nil {
				next = patched
			} else { // it cannot be read, so nothing can be started with it
				m.Conflict.add(name, nil)
			}
		}
		if next != nil {
			m.Final[name] = next
		}
		if have.odd != nil && force[name] || !same(next, have.data) {
			m.touch[name] = next
		}
	}
	return m, nil
}
