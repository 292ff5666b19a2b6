package tracking

import "github.com/puttrix/trafficinator/shared/outcome"

// Outcome is what became of a hit.
type Outcome = outcome.Outcome

// The outcomes.
const (
	Accepted  = outcome.Accepted
	Rejected  = outcome.Rejected
	Failed    = outcome.Failed
	Unknown   = outcome.Unknown
	Shed      = outcome.Shed
	Abandoned = outcome.Abandoned
	Outcomes  = outcome.Count
)
