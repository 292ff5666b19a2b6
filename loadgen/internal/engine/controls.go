package engine

import (
	"math"
	"sync"
	"time"

	"github.com/puttrix/trafficinator/shared/endreason"
	"github.com/puttrix/trafficinator/shared/metric"
	"github.com/puttrix/trafficinator/shared/phase"
)

// overrides are what can be changed during a run.
type overrides struct {
	scale    float64 // of the profile's rate
	paused   bool
	finishBy time.Time // when open visits are cut off, zero if the run has no deadline
}

// controls pass overrides from any goroutine to the loop.
type controls struct {
	mu      sync.Mutex
	wanted  overrides
	changed chan struct{} // has a token if wanted has changed
}

func (c *controls) set(change func(*overrides)) {
	c.mu.Lock()
	change(&c.wanted)
	c.mu.Unlock()
	select {
	case c.changed <- struct{}{}:
	default:
	}
}

func (c *controls) get() overrides {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.wanted
}

// SetRate sets the arrival rate to scale times that of the load profile; scale is above 0.
func (e *Engine) SetRate(scale float64) { e.controls.set(func(o *overrides) { o.scale = scale }) }

// Pause pauses or resumes arrivals; open visits continue. Visits are not due during a pause: stages stop, while the
// hours of a week pass.
func (e *Engine) Pause(paused bool) { e.controls.set(func(o *overrides) { o.paused = paused }) }

// Finish ends the run with the reason Stopped: arrivals end, and open visits have that long before they are abandoned,
// as after a signal. It may be called before Run; the last call counts.
func (e *Engine) Finish(within time.Duration) {
	by := time.Now().Add(within)
	e.controls.set(func(o *overrides) { o.finishBy = by })
}

// FinishBy returns when open visits are cut off, zero if the run has no deadline.
func (e *Engine) FinishBy() time.Time { return e.controls.get().finishBy }

// Rate returns the current arrival rate in visits per second, 0 during a pause.
func (e *Engine) Rate() float64 { return math.Float64frombits(e.rate.Load()) }

// applyControls applies changed overrides, after starting the visits that are due by now.
func (l *loop) applyControls(elapsed time.Duration) {
	l.applyFinish()
	now := l.startedAt.Add(elapsed)
	for l.end == "" && l.arrivalDue(now) {
		l.processArrivals(elapsed)
	}
	if l.end == "" {
		l.applyOverrides(now)
	}
}

// applyFinish ends the arrivals if Finish was called, and sets when open visits are cut off.
func (l *loop) applyFinish() {
	by := l.controls.get().finishBy
	if by.IsZero() || l.draining {
		return
	}
	l.cutAt = max(by.Sub(l.startedAt), 1) // 0 means never
	if l.end == "" {
		l.finish(endreason.Stopped)
	}
}

func (l *loop) applyOverrides(now time.Time) {
	wanted := l.controls.get()
	if wanted.scale != l.applied.scale {
		l.schedule.Scale(now, wanted.scale)
	}
	switch {
	case wanted.paused && !l.applied.paused:
		l.schedule.Pause(now)
		l.phase.Store(phase.Paused)
	case !wanted.paused && l.applied.paused && l.pause.IsZero():
		l.schedule.Resume(now)
		l.phase.Store(phase.Running)
	}
	l.applied = wanted
	l.publishPause()
}

// publishPause sets PauseReason.
func (l *loop) publishPause() {
	why := l.pauseFor
	if l.applied.paused {
		why = metric.PauseAsked
	}
	l.Engine.pause.Store(why)
}

// pauseUntil delays the visit that arrives at at, and all later ones, until t.
func (l *loop) pauseUntil(t, at time.Time, why string) {
	l.pause, l.pauseFor = t, why
	l.schedule.Pause(at)
	l.phase.Store(phase.Paused)
	l.publishPause()
}

func (l *loop) resume(now time.Time) {
	l.pause, l.pauseFor = time.Time{}, ""
	l.publishPause()
	l.schedule.Resume(now)
	l.phase.Store(phase.Running)
}
