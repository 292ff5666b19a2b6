package run

import (
	"sync"
	"sync/atomic"

	"github.com/puttrix/trafficinator/loadgen/internal/state"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

// recorder writes the run summary to the state folder, and reserves the numbers of visits in it before they start.
type recorder struct {
	place *state.Run
	// summary returns the current summary when visits below next may have started.
	summary func(next uint64) runsummary.Summary

	mu      sync.Mutex // guards next and serializes writes
	next    uint64
	granted atomic.Uint64 // next as last written
}

// reserve implements engine.Config.Reserve. It rarely waits for the disk, because numbers are reserved ahead.
func (r *recorder) reserve(upTo uint64) error {
	if upTo > 0 && upTo <= r.granted.Load() {
		return nil
	}
	_, err := r.save(upTo)
	return err
}

// save writes the summary with all visit numbers below upTo reserved, and all that were before.
func (r *recorder) save(upTo uint64) (runsummary.Summary, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	sum := r.summary(max(r.next, upTo))
	if err := r.place.Save(&sum); err != nil {
		return sum, err
	}
	r.next = max(r.next, upTo)
	r.granted.Store(r.next)
	return sum, nil
}

func (r *recorder) current() runsummary.Summary {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.summary(r.next)
}
