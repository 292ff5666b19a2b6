package run

import (
	"sync"
	"sync/atomic"

	"github.com/puttrix/trafficinator/loadgen/internal/state"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

// recorder writes the ledger of record, and lets no visit begin whose number does not stand there.
type recorder struct {
	place *state.Run
	// summary makes the ledger as it stands where visits below next may have begun.
	summary func(next uint64) runsummary.Summary

	mu      sync.Mutex // guards next, and orders the writes
	next    uint64
	granted atomic.Uint64 // next as it was written last
}

// reserve implements engine.Config.Reserve. It seldom waits for the disk, because the run reserves ahead.
func (r *recorder) reserve(upTo uint64) error {
	if upTo > 0 && upTo <= r.granted.Load() {
		return nil
	}
	_, err := r.save(upTo)
	return err
}

// save writes the ledger with all visit numbers below upTo as used, and those that already were.
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

// current is the ledger as it stands, unwritten.
func (r *recorder) current() runsummary.Summary {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.summary(r.next)
}
