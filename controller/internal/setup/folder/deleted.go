package folder

import (
	"errors"
	"maps"
	"time"

	"github.com/puttrix/trafficinator/shared/exchange"
)

// Delete lists runs, which were deleted at these moments, for the loadgen: it deletes their ledgers at its next start.
// Those of which it has no ledger any more, or never had, are left out; kept tells which it has.
func (f *Folder) Delete(runs map[string]time.Time, kept func(runID string) (bool, error)) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	data, err := f.read(exchange.DeletedFile)
	if err != nil && !isUnreadable(err) {
		return err
	}
	var list exchange.DeletedRuns
	if data != nil {
		// One that cannot be read was edited by hand; what it listed is lost.
		list, _ = exchange.ParseDeleted(data)
	}
	all := exchange.DeletedRuns{Runs: map[string]time.Time{}}
	maps.Copy(all.Runs, list.Runs)
	maps.Copy(all.Runs, runs)
	var faults []error
	maps.DeleteFunc(all.Runs, func(id string, _ time.Time) bool {
		there, err := kept(id)
		faults = append(faults, err)
		return err == nil && !there
	})
	if err := errors.Join(faults...); err != nil {
		return err
	}
	if data, err = all.Encode(); err != nil {
		return err
	}
	return f.put(map[string][]byte{exchange.DeletedFile: data})
}
