package disk

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/shared/lifecycle"
)

// ProbeInterval is how often places are probed.
const ProbeInterval = time.Minute

// Monitor tracks whether the controller's files and folders can be written. It is safe for concurrent use.
type Monitor struct {
	probes  []func(context.Context) error
	changed func([]Fault)
	log     *slog.Logger

	probing sync.Mutex // held during a probe
	mu      sync.Mutex // guards faults
	faults  []Fault
}

// NewMonitor returns a monitor of the places that probes write to. changed is called with the new faults on each
// change.
func NewMonitor(log *slog.Logger, changed func([]Fault), probes ...func(context.Context) error) *Monitor {
	return &Monitor{probes: probes, changed: changed, log: log}
}

// Faults returns the faults of the last probe and of writes since.
func (w *Monitor) Faults() []Fault {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.faults)
}

// Run probes now and every ProbeInterval until ctx is done.
func (w *Monitor) Run(ctx context.Context) { lifecycle.Every(ctx, ProbeInterval, w.Probe) }

// Probe probes all places.
func (w *Monitor) Probe(ctx context.Context) {
	w.probing.Lock()
	defer w.probing.Unlock()
	faults := []Fault{}
	for _, probe := range w.probes {
		if f, found := FromError(probe(ctx)); found && !slices.Contains(faults, f) {
			faults = append(faults, f)
		}
	}
	if ctx.Err() == nil {
		w.set(faults)
	}
}

// Report is FromError, and adds the fault of a failed write to Faults before the next probe. The fault of a failed read
// is not added: a probe would not find it, and everything else can be stored.
func (w *Monitor) Report(err error) (Fault, bool) {
	f, found := FromError(err)
	if found && isOfWrite(err) {
		if faults := w.Faults(); !slices.Contains(faults, f) {
			w.set(append(faults, f))
		}
	}
	return f, found
}

func (w *Monitor) set(faults []Fault) {
	w.mu.Lock()
	before := w.faults
	w.faults = faults
	w.mu.Unlock()
	if slices.Equal(before, faults) {
		return
	}
	for _, f := range faults {
		if !slices.Contains(before, f) {
			w.log.Error("storage unavailable", "place", f.Place, "cause", f.Cause, "fix", f.Fix)
		}
	}
	if len(faults) == 0 {
		w.log.Info("storage available again")
	}
	w.changed(slices.Clone(faults))
}

// probeBytes is how much a probe writes: more than remains free on a disk that reports to be full.
const probeBytes = 64 << 10

// FolderProbe returns a probe that writes to a folder of fsys, creating it if missing, and leaves no file there.
func FolderProbe(fsys afero.Fs, dir string) func(context.Context) error {
	return func(context.Context) error {
		if err := fsys.MkdirAll(dir, 0o700); err != nil {
			return err
		}
		f, err := afero.TempFile(fsys, dir, ".probe.*")
		if err != nil {
			return err
		}
		_, err = f.Write(make([]byte, probeBytes))
		return cmp.Or(err, f.Close(), fsys.Remove(f.Name()))
	}
}
