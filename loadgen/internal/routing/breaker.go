package routing

import (
	"time"

	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/outcome"
)

const (
	// maxFailures consecutive failed hits open the breaker of a target that has accepted hits before.
	maxFailures = 20
	// maxFailuresUnconfirmed open that of a target that never has, and of any if the token may have been wrong
	// (answer.Class.RisksLockout).
	maxFailuresUnconfirmed = 5
	// The first probe of a target that has worked before comes after minProbeWait; each failed probe doubles the wait.
	minProbeWait, maxProbeWait = time.Second, time.Minute
	// suspectAfter is how long an unconfirmed target may leave a hit unanswered before visits go elsewhere: as long as
	// a hit may wait for a free request (package engine).
	suspectAfter = 2 * time.Second
)

// breaker is a circuit breaker. Until a target accepts a hit, and again after it failed, it gets one hit at a time,
// with all its retries.
type breaker struct {
	everWorked   bool // has accepted a hit
	confirmed    bool // accepted the last hit
	open         bool
	probing      bool // open, and the hit in flight was sent since
	inFlight     int
	failures     int // consecutive hits not accepted
	lockOuts     int // consecutive failures that may be due to a wrong token
	failedProbes int // consecutive
	openUntil    time.Time
	lastSent     time.Time
	retryAt      time.Time // of the hit that was not accepted
}

// Admission is whether a hit may be sent to a target now.
type Admission uint8

// The values of Admission.
const (
	Admit    Admission = iota
	AdmitOne           // a single hit: the target is unconfirmed and has none in flight
	Wait
	Deny // the breaker is open
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

// suspect reports whether the target failed or left its last hit unanswered, and has not been confirmed since.
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
	case b.open && !b.probing: // sent before it opened
	case b.open:
		b.failedProbes++
		b.openUntil = now.Add(max(b.probeWait(), retryAfter))
	case b.failures >= maxFailures, b.lockOuts >= maxFailuresUnconfirmed,
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

// windowSeconds is the window of the health of a target.
const windowSeconds = 60

// Health is the state of a target over the last minute.
type Health string

// The states, by the share of accepted answers.
const (
	Healthy       Health = "healthy"  // at least 95 %
	Degraded      Health = "degraded" // at least 70 %
	Failed        Health = "failed"
	Unknown       Health = "unknown" // no answers
	healthyShare         = 0.95
	degradedShare        = 0.70
)

// window counts answers per second.
type window struct {
	second    [windowSeconds]int64
	good, all [windowSeconds]uint64
}

func (m *window) add(now time.Time, good bool) {
	s := now.Unix()
	i := s % windowSeconds
	if m.second[i] != s {
		m.second[i], m.good[i], m.all[i] = s, 0, 0
	}
	m.all[i]++
	if good {
		m.good[i]++
	}
}

// health returns the state in the window and the share of accepted answers, 0 if there were none.
func (m *window) health(now time.Time) (Health, float64) {
	var good, all uint64
	for i, s := range m.second {
		if now.Unix()-s < windowSeconds {
			good += m.good[i]
			all += m.all[i]
		}
	}
	rate := float64(good) / float64(max(1, all))
	switch {
	case all == 0:
		return Unknown, 0
	case rate >= healthyShare:
		return Healthy, rate
	case rate >= degradedShare:
		return Degraded, rate
	default:
		return Failed, rate
	}
}
