package tracking

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

// String is the outcome's name in ledgers and metrics.
func (o Outcome) String() string {
	return [Outcomes]string{"accepted", "rejected", "failed", "unknown", "shed", "abandoned"}[o]
}
