// Package folder owns what lies in the exchange folder: it reads the files of a plan, writes them whole, and knows
// which of them a person has changed by hand. It knows neither what they are made of nor containers nor HTTP.
package folder

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/controller/internal/fault"
	"github.com/puttrix/trafficinator/controller/internal/setup/plan"
	"github.com/puttrix/trafficinator/controller/internal/store"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/problem"
)

// Store is where it is remembered what was written.
type Store interface {
	Published(ctx context.Context) (map[string]store.Published, error)
	SavePublished(ctx context.Context, files map[string]store.Published) error
	Plan(ctx context.Context) (map[string][]byte, error)
	SavePlan(ctx context.Context, files map[string][]byte) error
}

// Folder is one exchange folder. All its methods may be called at once; those that write wait for each other.
type Folder struct {
	store Store
	fs    afero.Fs
	dir   string

	mu sync.Mutex // held by who writes

	planMu sync.Mutex
	// plan are the files of the plan that was started last, nil until they are asked for.
	plan plan.Files

	state struct {
		sync.Mutex
		// behind is why the folder does not hold what is saved, nil where it does.
		behind *Unpublished
		// seen is the Snapshot before: what has not changed since has the same sum.
		seen Snapshot
	}
}

// New is the folder dir of fsys, which is made when it is first written.
func New(b Store, fsys afero.Fs, dir string) *Folder { return &Folder{store: b, fs: fsys, dir: dir} }

// Path is where the folder is.
func (f *Folder) Path() (string, error) {
	dir, err := filepath.Abs(f.dir)
	if err != nil {
		return "", fmt.Errorf("find the exchange folder: %w", err)
	}
	return dir, nil
}

// Conflict is the error of a change that would overwrite what a person has written into the files by hand.
type Conflict struct {
	// Files are names of package exchange.
	Files []string
	// Unreadable says of those of them that cannot be read why, such as of a pipe or a folder in a file's place.
	Unreadable map[string]error
}

func (c *Conflict) add(file string, odd error) {
	c.Files = append(c.Files, file)
	if odd != nil {
		if c.Unreadable == nil {
			c.Unreadable = map[string]error{}
		}
		c.Unreadable[file] = odd
	}
}

// err is c where it names a file.
func (c *Conflict) err() error {
	if len(c.Files) == 0 {
		return nil
	}
	return c
}

// Error implements error.
func (c *Conflict) Error() string {
	were := " was"
	if len(c.Files) > 1 {
		were = " were"
	}
	text := strings.Join(c.Files, ", ") + were + " edited by hand; import the edit or have it overwritten"
	for _, file := range slices.Sorted(maps.Keys(c.Unreadable)) {
		text += "; " + c.Unreadable[file].Error()
	}
	return text
}

// Unwrap is its kind.
func (c *Conflict) Unwrap() error { return fault.Edited }

// Details say of each file how to go on.
func (c *Conflict) Details() (string, problem.List) {
	var each problem.List
	for _, file := range c.Files {
		if why := c.Unreadable[file]; why != nil {
			each.Refuse(file, "", "cannot be read: "+why.Error(),
				"POST /api/exchange/resolve with overwrite, or put a file in its place")
		} else {
			each.Refuse(file, "", "was edited by hand", "POST /api/exchange/resolve with import or overwrite")
		}
	}
	return c.Error(), each
}

// Unpublished is the error of a change that is saved, but could not be written to the folder.
type Unpublished struct{ Err error }

// Error implements error.
func (u *Unpublished) Error() string { return "it is saved, but not published yet: " + u.Err.Error() }

// Unwrap is why.
func (u *Unpublished) Unwrap() error { return u.Err }

// Unpublished is why the folder does not hold what is saved, an *Unpublished; nil where it does.
func (f *Folder) Unpublished() error {
	f.state.Lock()
	defer f.state.Unlock()
	if f.state.behind == nil {
		return nil
	}
	return f.state.behind
}

// SetUnpublished notes why the folder does not hold what is saved; nil where it does.
func (f *Folder) SetUnpublished(why error) {
	f.state.Lock()
	defer f.state.Unlock()
	if f.state.behind = nil; why != nil {
		f.state.behind = &Unpublished{why}
	}
}

// HasUnfinishedWrite reports whether a write was begun that no controller has finished. That the folder differs from what is
// saved tells nothing: a run may have been started with settings of its own, which have to stay.
func (f *Folder) HasUnfinishedWrite(ctx context.Context) (bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	known, err := f.store.Published(ctx)
	for _, file := range known {
		if file.Base != file.Next {
			return true, err
		}
	}
	return false, err
}

// read is a file of the folder, nil where it is not there.
func (f *Folder) read(file string) ([]byte, error) {
	data, err := exchange.Read(f.fs, filepath.Join(f.dir, file))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if isUnreadable(err) { // it names the file
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	if data == nil {
		data = []byte{}
	}
	return data, nil
}

// odd reports whether the error of read is that something is in the file's place that is no file, or too large for one.
// Only a person can have put it there.
func isUnreadable(err error) bool {
	return errors.Is(err, exchange.ErrNotRegular) || errors.Is(err, exchange.ErrTooLarge) ||
		errors.Is(err, syscall.ELOOP) || errors.Is(err, syscall.ENXIO)
}

// IsFolder reports whether a folder is in a file's place, which cannot be overwritten.
func (f *Folder) IsFolder(file string) bool {
	info, err := f.fs.Stat(filepath.Join(f.dir, file))
	return err == nil && info.IsDir()
}

// put writes files whole and removes those that are nil.
func (f *Folder) put(files map[string][]byte) error {
	if err := f.fs.MkdirAll(f.dir, 0o700); err != nil {
		return fmt.Errorf("make exchange folder: %w", err)
	}
	present := map[string][]byte{}
	for file, data := range files {
		if data != nil {
			present[file] = data
			continue
		}
		if err := f.fs.Remove(filepath.Join(f.dir, file)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove %s: %w", file, err)
		}
	}
	return exchange.Publish(f.fs, f.dir, present)
}
