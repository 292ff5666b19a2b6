package disk

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/spf13/afero"
)

// ProbeInterval is how often the places are tried.
const ProbeInterval = time.Minute

// Monitor knows whether the places of a controller can be written. It is safe for concurrent use.
type Monitor struct {
	probes  []func(context.Context) error
	changed func([]Fault)
	log     *slog.Logger

	probing sync.Mutex // held while the places are tried
	mu      sync.Mutex // guards what follows
	faults  []Fault
}

// NewMonitor watches the places that probes write to. changed is called with the new faults whenever they change.
func NewMonitor(log *slog.Logger, changed func([]Fault), probes ...func(context.Context) error) *Monitor {
	return &Monitor{probes: probes, changed: changed, log: log}
}

// Faults are what was wrong when the places were tried last, or what a write has failed of since; none where all is
// well.
func (w *Monitor) Faults() []Fault {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.faults)
}

// Run tries the places now and each minute until ctx is done.
func (w *Monitor) Run(ctx context.Context) {
	tick := time.NewTicker(ProbeInterval)
	defer tick.Stop()
	for {
		w.Probe(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Probe tries the places.
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

// Report is Of, and takes the fault over where a write has failed, so that it is known before the next probe. What
// could not be read is told and not remembered: a probe would not find it, and everything else can be stored.
func (w *Monitor) Report(err error) (Fault, bool) {
	f, found := FromError(err)
	if found && written(err) {
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
			w.log.Error("a place cannot be used", "place", f.Place, "cause", f.Cause, "fix", f.Fix)
		}
	}
	if len(faults) == 0 {
		w.log.Info("all places can be used again")
	}
	w.changed(slices.Clone(faults))
}

// probeBytes is how much a probe of a folder writes: more than is left of a disk that is called full.
const probeBytes = 64 << 10

// FolderProbe tries to write to a folder of fsys, made where it is missing, and leaves nothing there.
func FolderProbe(fsys afero.Fs, dir string) func(context.Context) error {
	return func(context.Context) (err error) {
		if err := fsys.MkdirAll(dir, 0o700); err != nil {
			return err
		}
		f, err := afero.TempFile(fsys, dir, ".probe.*")
		if err != nil {
			return err
		}
		_, err = f.Write(make([]byte, probeBytes))
		if closed := f.Close(); err == nil {
			err = closed
		}
		if removed := fsys.Remove(f.Name()); err == nil {
			err = removed
		}
		return err
	}
}
