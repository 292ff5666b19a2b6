package routing

import (
	"time"

	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/outcome"
)

const (
	// patienceUnproven is how many hits without an accepted one fail a target that never accepted any, and how many in
	// a row that may have had a wrong token fail any (answer.Class.RisksLockout).
	patienceUnproven = 5
	// patienceProven is the same for a target that has accepted hits.
	patienceProven = 20
	// probeEvery is the longest wait between two probes of a failed target.
	probeEvery = time.Minute
	// silence is how long a target in doubt may leave a hit without an answer before visits go elsewhere: as long as a
	// hit waits for its turn.
	silence = 2 * time.Second
	// firstProbe is the wait before the first probe of a target that has worked; it doubles with every probe in vain.
	firstProbe = time.Second
)

// breaker keeps hits from a target that takes none. Until a target accepts a hit, and again after it failed, its
// hits go one at a time, the retries of each included.
type breaker struct {
	worked    bool // has ever accepted a hit
	proven    bool // accepted the hit before
	open      bool
	probing   bool // open, and the hit in flight was sent since
	inFlight  int
	streak    int // hits in a row that were not accepted
	lockOut   int // those of them that may have had a wrong token, in a row
	vain      int // probes in a row without success
	openUntil time.Time
	begun     time.Time // when a hit went out last
	hold      time.Time // when a hit that was not taken goes again
}

// Verdict says whether a hit may go to a target now.
type Verdict uint8

// The verdicts.
const (
	Go Verdict = iota
	// Single lets one hit go, alone: the target is in doubt, and none of its hits is without an answer still in its
	// time.
	Single
	Wait
	Refuse
)

func (b *breaker) verdict(now time.Time) Verdict {
	switch {
	case b.open && now.Before(b.openUntil):
		return Refuse
	case !b.proven && (b.inFlight > 0 || now.Before(b.hold)):
		return Wait
	case !b.proven:
		return Single
	default:
		return Go
	}
}

// doubtful says that the last hit was not accepted, or has no answer yet, and no later one has proven the target.
func (b *breaker) doubtful(now time.Time) bool {
	silent := b.inFlight > 0 && now.Sub(b.begun) >= silence
	return !b.proven && (b.streak > 0 || silent || now.Before(b.hold))
}

func (b *breaker) begin(now time.Time) {
	b.inFlight++
	b.begun = now
	b.probing = b.open
}

func (b *breaker) end(c answer.Class, retryAfter time.Duration, now time.Time) {
	b.inFlight--
	if c.Outcome() == outcome.Accepted {
		*b = breaker{worked: true, proven: true, inFlight: b.inFlight, begun: b.begun}
		return
	}
	b.streak++
	b.lockOut++
	if !c.RisksLockout() {
		b.lockOut = 0
	}
	switch {
	case b.open && !b.probing: // sent before it opened, says nothing new however late it comes
	case b.open:
		b.vain++
		b.openUntil = now.Add(max(b.wait(), retryAfter))
	case b.streak >= patienceProven, b.lockOut >= patienceUnproven, !b.worked && b.streak >= patienceUnproven:
		b.open, b.proven = true, false
		b.openUntil = now.Add(max(b.wait(), retryAfter))
	}
}

func (b *breaker) wait() time.Duration {
	if !b.worked || b.vain > 6 || b.lockOut >= patienceUnproven {
		return probeEvery
	}
	return min(probeEvery, firstProbe<<b.vain)
}
