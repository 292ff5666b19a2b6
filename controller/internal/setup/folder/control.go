package folder

import (
	"github.com/puttrix/trafficinator/shared/exchange"
)

// Steer writes what a run that goes on is wanted to do. It does not wait for those that write other files, so that a
// run can be stopped while one of them hangs.
func (f *Folder) Steer(c exchange.Control) error {
	data, err := c.Encode()
	if err != nil {
		return err
	}
	return f.put(map[string][]byte{exchange.ControlFile: data})
}

// Steering is what the run is wanted to do by the file, which people may write too. The loadgen ignores a file that
// cannot be read or is for another run, so here as there the run follows its plan then.
func (f *Folder) Steering(runID string) exchange.Control {
	data, err := f.read(exchange.ControlFile)
	if err == nil && data != nil {
		if c, problems := exchange.ParseControl(data); problems.Err() == nil && c.RunID == runID {
			return c
		}
	}
	return exchange.NoOverride(runID)
}
