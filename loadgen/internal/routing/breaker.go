package routing

import (
	"time"

	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/outcome"
)

const (
	// maxFailuresUnconfirmed is how many hits without an accepted one fail a target that never accepted any, and how many in
	// a row that may have had a wrong token fail any (answer.Class.RisksLockout).
	maxFailuresUnconfirmed = 5
	// maxFailures is the same for a target that has accepted hits.
	maxFailures = 20
	// maxProbeWait is the longest wait between two probes of a failed target.
	maxProbeWait = time.Minute
	// suspectAfter is how long a target in doubt may leave a hit without an answer before visits go elsewhere: as long as a
	// hit waits for its turn.
	suspectAfter = 2 * time.Second
	// minProbeWait is the wait before the first probe of a target that has worked; it doubles with every probe in vain.
	minProbeWait = time.Second
)

// breaker keeps hits from a target that takes none. Until a target accepts a hit, and again after it failed, its
// hits go one at a time, the retries of each included.
type breaker struct {
	everWorked   bool // has ever accepted a hit
	confirmed    bool // accepted the hit before
	open         bool
	probing      bool // open, and the hit in flight was sent since
	inFlight     int
	failures     int // hits in a row that were not accepted
	lockOuts     int // those of them that may have had a wrong token, in a row
	failedProbes int // probes in a row without success
	openUntil    time.Time
	lastSent     time.Time // when a hit went out last
	retryAt      time.Time // when a hit that was not taken goes again
}

// Admission says whether a hit may go to a target now.
type Admission uint8

// The verdicts.
const (
	Admit Admission = iota
	// AdmitOne lets one hit go, alone: the target is in doubt, and none of its hits is without an answer still in its
	// time.
	AdmitOne
	Wait
	Deny
)

func (b *breaker) admission(now time.Time) Admission {
	switch {
	case b.open && now.Before(b.openUntil):
		return Deny
	case !b.confirmed && (b.inFlight > 0 || now.Before(b.retryAt)):
		return Wait
	case !b.confirmed:
		return AdmitOne
	default:
		return Admit
	}
}

// suspect says that the last hit was not accepted, or has no answer yet, and no later one has proven the target.
func (b *breaker) suspect(now time.Time) bool {
	silent := b.inFlight > 0 && now.Sub(b.lastSent) >= suspectAfter
	return !b.confirmed && (b.failures > 0 || silent || now.Before(b.retryAt))
}

func (b *breaker) begin(now time.Time) {
	b.inFlight++
	b.lastSent = now
	b.probing = b.open
}

func (b *breaker) end(c answer.Class, retryAfter time.Duration, now time.Time) {
	b.inFlight--
	if c.Outcome() == outcome.Accepted {
		*b = breaker{everWorked: true, confirmed: true, inFlight: b.inFlight, lastSent: b.lastSent}
		return
	}
	b.failures++
	b.lockOuts++
	if !c.RisksLockout() {
		b.lockOuts = 0
	}
	switch {
	case b.open && !b.probing: // sent before it opened, says nothing new however late it comes
	case b.open:
		b.failedProbes++
		b.openUntil = now.Add(max(b.probeWait(), retryAfter))
	case b.failures >= maxFailures,
		b.lockOuts >= maxFailuresUnconfirmed,
		!b.everWorked && b.failures >= maxFailuresUnconfirmed:
		b.open, b.confirmed = true, false
		b.openUntil = now.Add(max(b.probeWait(), retryAfter))
	}
}

func (b *breaker) probeWait() time.Duration {
	if !b.everWorked || b.failedProbes > 6 || b.lockOuts >= maxFailuresUnconfirmed {
		return maxProbeWait
	}
	return min(maxProbeWait, minProbeWait<<b.failedProbes)
}
