// Package phase owns the phases of a loadgen, as its health and metrics show them and the controller reads them. It
// does not know what leads from one to the next.
package phase

// Phase is what a loadgen is doing.
type Phase string

// The phases of a loadgen, in the order in which a run has them; it may pause more than once.
const (
	// Idle waits for a start.
	Idle Phase = "idle"
	// Starting prepares a run, such as by reading the state folder and the clocks of the targets.
	Starting Phase = "starting"
	Running  Phase = "running"
	// Paused begins no visits; open ones continue.
	Paused Phase = "paused"
	// Draining begins no visits and waits for those that are open.
	Draining Phase = "draining"
	Ended    Phase = "ended"
)

// All are the phases in their order.
func All() []Phase { return []Phase{Idle, Starting, Running, Paused, Draining, Ended} }

// Sending says that a run is under way and may still send hits.
func (p Phase) Sending() bool { return p == Running || p == Paused || p == Draining }
