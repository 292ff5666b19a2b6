// Package exchange owns the exchange folder, through which the controller configures a loadgen: file names, and
// complete reads and writes. It does not depend on the files' contents.
package exchange

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/runid"
	"github.com/puttrix/trafficinator/shared/strictjson"
)

// The files of the exchange folder.
const (
	EnvFile     = "loadgen.env"
	URLsFile    = "urls.txt"
	FunnelsFile = "funnels.json"
	EventsFile  = "events.json"
	TargetsFile = "targets.json"
)

// TLSFolder is the folder of copies of certificates and keys, below that of the files that name them.
const TLSFolder = "tls"

// JobFolder is the folder of a job below the exchange folder, and of its state below the state folder.
func JobFolder(runID string) string { return filepath.Join("jobs", runID) }

// MaxBytes is the maximum size of a file.
const MaxBytes = 32 << 20

// Errors of unreadable files.
var (
	ErrTooLarge   = errors.New("is larger than 32 MiB")
	ErrNotRegular = errors.New("is not a regular file")
)

// Read reads a regular file of at most MaxBytes. It never blocks: a pipe or a device is ErrNotRegular.
func Read(fsys afero.Fs, path string) ([]byte, error) {
	f, err := fsys.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // only read
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, fmt.Errorf("read %s: %w", path, err)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s %w", path, ErrNotRegular)
	}
	return readAll(f, path)
}

// ReadStream is Read for a file that a person names on the command line, which may be a pipe, like <(…) of a shell.
func ReadStream(fsys afero.Fs, path string) ([]byte, error) {
	f, err := fsys.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // only read
	return readAll(f, path)
}

func readAll(f io.Reader, path string) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(f, MaxBytes+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read %s: %w", path, err)
	case len(data) > MaxBytes:
		return nil, fmt.Errorf("%s %w", path, ErrTooLarge)
	}
	return data, nil
}

// Publish writes files into dir atomically: a reader sees the old file or the new one. Only their owner may read them.
// If one fails, those before it are written.
func Publish(fsys afero.Fs, dir string, files map[string][]byte) error {
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := publish(fsys, dir, name, files[name]); err != nil {
			return fmt.Errorf("publish %s: %w", name, err)
		}
	}
	return syncDir(fsys, dir)
}

func publish(fsys afero.Fs, dir, name string, data []byte) (err error) {
	// CreateTemp's files have mode 0600.
	f, err := afero.TempFile(fsys, dir, "."+name+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = fsys.Remove(f.Name()) // the first error counts
		}
	}()
	if _, err = f.Write(data); err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	return fsys.Rename(f.Name(), filepath.Join(dir, name))
}

// syncDir makes the renames durable.
func syncDir(fsys afero.Fs, dir string) error {
	d, err := fsys.Open(dir)
	if err != nil {
		return fmt.Errorf("open folder: %w", err)
	}
	defer d.Close() //nolint:errcheck // nothing was written through it
	if err := d.Sync(); err != nil {
		return fmt.Errorf("sync folder: %w", err)
	}
	return nil
}

// ControlFile controls a run in progress. The loadgen reads it once a second.
const ControlFile = "control.json"

// The bounds of Control.Scale.
const (
	MinScale = 0.01
	MaxScale = 100
)

// MaxFinish is the maximum of Control.FinishSeconds.
const MaxFinish = 24 * 60 * 60

// Control is the desired state of a run. Without a file, and for every other run, it is NoOverride.
type Control struct {
	RunID string `json:"run_id"`
	// Paused starts no visits; open ones continue.
	Paused bool    `json:"paused"`
	Scale  float64 `json:"scale"` // multiplies the planned rate
	// FinishSeconds, if above 0, ends the run: no visits start, and open ones have this long to end.
	FinishSeconds float64 `json:"finish_seconds,omitempty"`
}

// NoOverride lets a run follow its plan.
func NoOverride(runID string) Control { return Control{RunID: runID, Scale: 1} }

// Encode returns the file.
func (c Control) Encode() ([]byte, error) { return encode(ControlFile, c) }

func encode(name string, v any) ([]byte, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", name, err)
	}
	return append(data, '\n'), nil
}

// ParseControl parses the file. What it leaves out is as planned, but it must name the run.
func ParseControl(data []byte) (Control, problem.List) {
	d := strictjson.Parse(ControlFile, data)
	c := NoOverride("")
	if d.Root == nil || !d.Root.Into(&c) {
		return Control{}, d.Problems
	}
	if c.RunID == "" && len(d.Problems) == 0 {
		d.Root.Refuse("run_id", "", "is missing", "set it to the RUN_ID of the run")
	}
	if c.Scale < MinScale || c.Scale > MaxScale {
		d.Root.Refuse("scale", fmt.Sprint(c.Scale), fmt.Sprintf("is not between %g and %d", MinScale, MaxScale),
			"use 1 for the planned rate")
	}
	if c.FinishSeconds < 0 || c.FinishSeconds > MaxFinish {
		d.Root.Refuse("finish_seconds", fmt.Sprint(c.FinishSeconds), fmt.Sprintf("is not between 0 and %d", MaxFinish),
			"use 0 to keep running")
	}
	return c, d.Problems
}

// DeletedFile lists deleted runs. The loadgen deletes their ledgers at its next start: the controller must not.
const DeletedFile = "deleted.json"

// DeletedRuns are deleted runs and when: what was written later belongs to another run of that name.
type DeletedRuns struct {
	Runs map[string]time.Time `json:"runs"`
}

// Encode returns the file.
func (d DeletedRuns) Encode() ([]byte, error) { return encode(DeletedFile, d) }

// ParseDeleted parses the file. It refuses invalid IDs, which could lead out of the folder.
func ParseDeleted(data []byte) (DeletedRuns, error) {
	var d DeletedRuns
	if err := json.Unmarshal(data, &d); err != nil {
		return DeletedRuns{}, fmt.Errorf("read %s: %w", DeletedFile, err)
	}
	for id := range d.Runs {
		if !runid.Valid(id) {
			return DeletedRuns{}, fmt.Errorf("read %s: invalid RUN_ID %q", DeletedFile, id)
		}
	}
	return d, nil
}
