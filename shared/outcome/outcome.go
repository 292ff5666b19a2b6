// Package outcome owns what becomes of a hit: the six ends of which each planned hit has exactly one.
package outcome

import "fmt"

// Outcome is what became of a hit.
type Outcome uint8

// The outcomes. Matomo answers 400 even when its database is down (core/Tracker/Handler.php), so Rejected is no
// proof of absence.
const (
	// Accepted: Matomo said that it took the hit.
	Accepted Outcome = iota
	// Rejected: a clear no to this request.
	Rejected
	// Failed: surely not taken, after the retries.
	Failed
	// Unknown: it may have been taken; never sent again.
	Unknown
	// Shed: not sent, because it could not be in time or its target was failing.
	Shed
	// Abandoned: not sent, because the run was stopped first.
	Abandoned
	// Count is the number of outcomes.
	Count int = iota
)

// All are the outcomes in the order in which they are shown.
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
