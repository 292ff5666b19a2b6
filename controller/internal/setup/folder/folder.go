// Package folder reads and atomically writes the files of a plan in the exchange folder, and detects edits by hand. It
// does not depend on how a plan is made, on containers or on HTTP.
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

// Store records what was written.
type Store interface {
	Published(ctx context.Context) (map[string]store.Published, error)
	SavePublished(ctx context.Context, files map[string]store.Published) error
	Plan(ctx context.Context) (map[string][]byte, error)
	SavePlan(ctx context.Context, files map[string][]byte) error
}

// Folder is an exchange folder. It is safe for concurrent use; writers wait for each other.
type Folder struct {
	store Store
	fs    afero.Fs
	dir   string

	mu sync.Mutex // held by writers

	planMu sync.Mutex
	plan   plan.Files // of the last start, nil until read

	state struct {
		sync.Mutex
		unpublished error    // see Unpublished
		seen        Snapshot // the last one: unchanged files have the same sum
	}
}

// New returns the folder dir of fsys, which the first write creates.
func New(b Store, fsys afero.Fs, dir string) *Folder { return &Folder{store: b, fs: fsys, dir: dir} }

// Path returns the absolute path of the folder.
func (f *Folder) Path() (string, error) {
	dir, err := filepath.Abs(f.dir)
	if err != nil {
		return "", fmt.Errorf("find the exchange folder: %w", err)
	}
	return dir, nil
}

// Conflict is the error of a change that would overwrite files edited by hand.
type Conflict struct {
	// Files are names of package exchange.
	Files []string
	// Unreadable are the errors of those that cannot be read, such as a pipe or a folder in place of a file.
	Unreadable map[string]error
}

func (c *Conflict) add(file string, unreadable error) {
	c.Files = append(c.Files, file)
	if unreadable != nil {
		if c.Unreadable == nil {
			c.Unreadable = map[string]error{}
		}
		c.Unreadable[file] = unreadable
	}
}

// err returns c if it names a file.
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
	text := strings.Join(c.Files, ", ") + were + " edited by hand; import or overwrite the edit"
	for _, file := range slices.Sorted(maps.Keys(c.Unreadable)) {
		text += "; " + c.Unreadable[file].Error()
	}
	return text
}

// Unwrap returns its kind.
func (c *Conflict) Unwrap() error { return fault.Edited }

// Details list the fix for each file.
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

// Unwrap returns the cause.
func (u *Unpublished) Unwrap() error { return u.Err }

// Unpublished returns the *Unpublished error of the last change, nil if the folder is up to date.
func (f *Folder) Unpublished() error {
	f.state.Lock()
	defer f.state.Unlock()
	return f.state.unpublished
}

// SetUnpublished records why the saved set-up is not in the folder; nil if it is.
func (f *Folder) SetUnpublished(why error) {
	f.state.Lock()
	defer f.state.Unlock()
	if f.state.unpublished = nil; why != nil {
		f.state.unpublished = &Unpublished{why}
	}
}

// HasUnfinishedWrite reports whether a write was started and not finished. A difference from the saved set-up does not
// show that: a run may have been started with its own settings, which must stay.
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

// read returns a file of the folder, nil if it does not exist.
func (f *Folder) read(file string) ([]byte, error) {
	data, err := exchange.Read(f.fs, filepath.Join(f.dir, file))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if isUnreadable(err) { // names the file
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

// isUnreadable reports whether an error of read means that something else is in place of the file, or that it is too
// large: an edit by hand.
func isUnreadable(err error) bool {
	return errors.Is(err, exchange.ErrNotRegular) || errors.Is(err, exchange.ErrTooLarge) ||
		errors.Is(err, syscall.ELOOP) || errors.Is(err, syscall.ENXIO)
}

// IsFolder reports whether a folder, which cannot be overwritten, is in place of a file.
func (f *Folder) IsFolder(file string) bool {
	info, err := f.fs.Stat(filepath.Join(f.dir, file))
	return err == nil && info.IsDir()
}

// put writes files atomically and removes those that are nil.
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
