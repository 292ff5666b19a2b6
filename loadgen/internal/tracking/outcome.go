package tracking

import "fmt"

// Outcome is what became of a hit. Every planned hit ends in exactly one.
type Outcome uint8

// The outcomes. Matomo answers 400 even when its database is down (core/Tracker/Handler.php), so Rejected is no
// proof of absence.
const (
	// Accepted: 204, or 200 with Matomo's own answer.
	Accepted Outcome = iota
	// Rejected: 3xx, 4xx, or any other 200.
	Rejected
	// Failed: surely not taken: no connection, no TLS, or 503, after the retries.
	Failed
	// Unknown: timeout or break after the request had a connection, or any other 5xx; never resent.
	Unknown
	// Shed: could not be sent in time, or the target's breaker is open.
	Shed
	// Abandoned: the run was stopped first.
	Abandoned
	Outcomes int = iota
)

var outcomes = [Outcomes]string{"accepted", "rejected", "failed", "unknown", "shed", "abandoned"}

// String is the outcome's name in ledgers and metrics.
func (o Outcome) String() string { return outcomes[o] }

// MarshalText implements encoding.TextMarshaler.
func (o Outcome) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (o *Outcome) UnmarshalText(text []byte) error {
	for i, name := range outcomes {
		if name == string(text) {
			*o = Outcome(i)
			return nil
		}
	}
	return fmt.Errorf("%q is no outcome of a hit", text)
}
