package engine

import (
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/puttrix/trafficinator/shared/endreason"
	"github.com/puttrix/trafficinator/shared/metric"
	"github.com/puttrix/trafficinator/shared/phase"
)

// overrides is what a run is told on its way.
type overrides struct {
	scale  float64 // of the profile's rate
	paused bool
	// finishBy is when open visits are cut off, zero where the run is not asked to end.
	finishBy time.Time
}

// controls carries steering from any goroutine to the loop.
type controls struct {
	mu      sync.Mutex
	wanted  overrides
	changed chan struct{} // holds one token: look at wanted
}

func newControls() controls {
	return controls{wanted: overrides{scale: 1}, changed: make(chan struct{}, 1)}
}

func (w *controls) set(change func(*overrides)) {
	w.mu.Lock()
	change(&w.wanted)
	w.mu.Unlock()
	select {
	case w.changed <- struct{}{}:
	default:
	}
}

func (w *controls) get() overrides {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.wanted
}

// SetRate multiplies the rate of the load profile by scale, which is above 0, from now on. It may be called from any
// goroutine at any time.
func (e *Engine) SetRate(scale float64) { e.controls.set(func(s *overrides) { s.scale = scale }) }

// Pause lets no visit begin until it is taken back; open ones go on. Visits of the pause are not due: stages stand
// still, the hours of a week pass. It may be called from any goroutine at any time.
func (e *Engine) Pause(paused bool) { e.controls.set(func(s *overrides) { s.paused = paused }) }

// Finish ends the run with the reason Stopped: no visit begins any more, and open ones have until then to end. Those
// that have not are abandoned, as after a signal. It may be called from any goroutine at any time, also before Run; the
// last call counts.
func (e *Engine) Finish(within time.Duration) {
	by := time.Now().Add(within)
	e.controls.set(func(s *overrides) { s.finishBy = by })
}

// FinishBy is when open visits are cut off, zero where the run was not asked to finish them. It is safe to call from
// any goroutine.
func (e *Engine) FinishBy() time.Time { return e.controls.get().finishBy }

// Rate is at how many visits a second the schedule is, 0 while arrivals pause. It is safe to call from any goroutine.
func (e *Engine) Rate() float64 { return e.rate.Load() }

// applyControls follows what the run was told. Visits that are due by now begin as they would have.
func (l *loop) applyControls(elapsed time.Duration) {
	l.applyFinish()
	now := l.began.Add(elapsed)
	for l.end == "" && l.arrivalDue(now) {
		l.processArrivals(elapsed)
	}
	if l.end == "" {
		l.applyOverrides(now)
	}
}

// applyFinish lets no visit begin once the run was asked to finish, and takes over when open ones are cut off.
func (l *loop) applyFinish() {
	by := l.controls.get().finishBy
	if by.IsZero() || l.draining {
		return
	}
	l.cutAt = max(by.Sub(l.began), 1) // 0 is never
	if l.end == "" {
		l.finish(endreason.Stopped)
	}
}

func (l *loop) applyOverrides(now time.Time) {
	told := l.controls.get()
	if told.scale != l.applied.scale {
		l.schedule.Scale(now, told.scale)
	}
	switch {
	case told.paused && !l.applied.paused:
		l.schedule.Pause(now)
		l.phase.Store(phase.Paused)
	case !told.paused && l.applied.paused && l.pause.IsZero():
		l.schedule.Resume(now)
		l.phase.Store(phase.Running)
	}
	l.applied = told
	l.publishPause()
}

// publishPause tells others why new visits pause.
func (l *loop) publishPause() {
	switch {
	case l.applied.paused:
		l.Engine.pause.Store(metric.PauseAsked)
	case !l.pause.IsZero():
		l.Engine.pause.Store(l.pauseFor)
	default:
		l.Engine.pause.Store("")
	}
}

// pauseUntil lets the visit that arrives at at, and all later ones, wait until t: those of the meantime never come.
func (l *loop) pauseUntil(t, at time.Time, why string) {
	l.pause, l.pauseFor = t, why
	l.schedule.Pause(at)
	l.phase.Store(phase.Paused)
	l.publishPause()
}

func (l *loop) resume(now time.Time) {
	l.pause = time.Time{}
	l.publishPause()
	l.schedule.Resume(now)
	l.phase.Store(phase.Running)
}

// atomicFloat is a number that one goroutine writes and others read.
type atomicFloat struct{ bits atomic.Uint64 }

func (f *atomicFloat) Store(v float64) { f.bits.Store(math.Float64bits(v)) }

func (f *atomicFloat) Load() float64 { return math.Float64frombits(f.bits.Load()) }
