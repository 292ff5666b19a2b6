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

// steering is what a run is told on its way.
type steering struct {
	scale  float64 // of the profile's rate
	paused bool
	// finishBy is when open visits are cut off, zero where the run is not asked to end.
	finishBy time.Time
}

// wheel carries steering from any goroutine to the loop.
type wheel struct {
	mu      sync.Mutex
	wanted  steering
	changed chan struct{} // holds one token: look at wanted
}

func newWheel() wheel { return wheel{wanted: steering{scale: 1}, changed: make(chan struct{}, 1)} }

func (w *wheel) turn(change func(*steering)) {
	w.mu.Lock()
	change(&w.wanted)
	w.mu.Unlock()
	select {
	case w.changed <- struct{}{}:
	default:
	}
}

func (w *wheel) position() steering {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.wanted
}

// SetRate multiplies the rate of the load profile by scale, which is above 0, from now on. It may be called from any
// goroutine at any time.
func (e *Engine) SetRate(scale float64) { e.wheel.turn(func(s *steering) { s.scale = scale }) }

// Pause lets no visit begin until it is taken back; open ones go on. Visits of the pause are not due: stages stand
// still, the hours of a week pass. It may be called from any goroutine at any time.
func (e *Engine) Pause(paused bool) { e.wheel.turn(func(s *steering) { s.paused = paused }) }

// Finish ends the run with the reason Stopped: no visit begins any more, and open ones have until then to end. Those
// that have not are abandoned, as after a signal. It may be called from any goroutine at any time, also before Run; the
// last call counts.
func (e *Engine) Finish(within time.Duration) {
	by := time.Now().Add(within)
	e.wheel.turn(func(s *steering) { s.finishBy = by })
}

// FinishBy is when open visits are cut off, zero where the run was not asked to finish them. It is safe to call from
// any goroutine.
func (e *Engine) FinishBy() time.Time { return e.wheel.position().finishBy }

// Rate is at how many visits a second the schedule is, 0 while arrivals pause. It is safe to call from any goroutine.
func (e *Engine) Rate() float64 { return e.rate.Load() }

// steer follows what the run was told. Visits that are due by now begin as they would have.
func (l *loop) steer(elapsed time.Duration) {
	l.finishWhenAsked()
	now := l.began.Add(elapsed)
	for l.end == "" && l.arrives(now) {
		l.begin(elapsed)
	}
	if l.end == "" {
		l.follow(now)
	}
}

// finishWhenAsked lets no visit begin once the run was asked to finish, and takes over when open ones are cut off.
func (l *loop) finishWhenAsked() {
	by := l.wheel.position().finishBy
	if by.IsZero() || l.draining {
		return
	}
	l.cutAt = max(by.Sub(l.began), 1) // 0 is never
	if l.end == "" {
		l.finish(endreason.Stopped)
	}
}

func (l *loop) follow(now time.Time) {
	told := l.wheel.position()
	if told.scale != l.steered.scale {
		l.schedule.Scale(now, told.scale)
	}
	switch {
	case told.paused && !l.steered.paused:
		l.schedule.Hold(now)
		l.phase.Store(phase.Paused)
	case !told.paused && l.steered.paused && l.pause.IsZero():
		l.schedule.Release(now)
		l.phase.Store(phase.Running)
	}
	l.steered = told
	l.showPause()
}

// showPause tells others why new visits pause.
func (l *loop) showPause() {
	switch {
	case l.steered.paused:
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
	l.schedule.Hold(at)
	l.phase.Store(phase.Paused)
	l.showPause()
}

func (l *loop) resume(now time.Time) {
	l.pause = time.Time{}
	l.showPause()
	l.schedule.Release(now)
	l.phase.Store(phase.Running)
}

// float is a number that one goroutine writes and others read.
type float struct{ bits atomic.Uint64 }

func (f *float) Store(v float64) { f.bits.Store(math.Float64bits(v)) }

func (f *float) Load() float64 { return math.Float64frombits(f.bits.Load()) }
