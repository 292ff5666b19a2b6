// Package outcome owns the outcomes of hits. Every planned hit gets exactly one.
package outcome

import "fmt"

// Outcome is what became of a hit.
type Outcome uint8

// The outcomes. Matomo also answers 400 when its database is down (core/Tracker/Handler.php), so Rejected does not
// prove that it was available.
const (
	Accepted  Outcome = iota // Matomo acknowledged the hit
	Rejected                 // refused
	Failed                   // certainly not recorded, after retries
	Unknown                  // may have been recorded; never sent again
	Shed                     // not sent: too late, or its target was failing
	Abandoned                // not sent: the run was stopped
	Count     int     = iota // number of outcomes
)

// All returns the outcomes in display order.
func All() []Outcome { return []Outcome{Accepted, Rejected, Failed, Unknown, Shed, Abandoned} }

var names = [Count]string{"accepted", "rejected", "failed", "unknown", "shed", "abandoned"}

// String is the outcome's name in ledgers and metrics.
func (o Outcome) String() string { return names[o] }

// MarshalText implements encoding.TextMarshaler.
func (o Outcome) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (o *Outcome) UnmarshalText(text []byte) error {
	for i, name := range names {
		if name == string(text) {
			*o = Outcome(i)
			return nil
		}
	}
	return fmt.Errorf("unknown outcome %q", text)
}
