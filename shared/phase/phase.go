// Package phase owns the phases of a loadgen, as shown by its health endpoint and metrics.
package phase

// Phase is what a loadgen is doing.
type Phase string

// The phases, in the order of a run; it may pause more than once.
const (
	Idle     Phase = "idle"     // waits for a start
	Starting Phase = "starting" // reads the state folder, targets' clocks and the like
	Running  Phase = "running"
	Paused   Phase = "paused"   // starts no visits; open ones continue
	Draining Phase = "draining" // starts no visits and waits for open ones
	Ended    Phase = "ended"
)

// All returns the phases in order.
func All() []Phase { return []Phase{Idle, Starting, Running, Paused, Draining, Ended} }

// Sending reports whether a run may still send hits.
func (p Phase) Sending() bool { return p == Running || p == Paused || p == Draining }
