// Package engine runs the traffic: it starts visits as they arrive, tracks the open ones, passes due hits to a bounded
// pool of workers, records their outcomes, and ends at a limit or on request. It does not depend on Matomo's
// parameters, files or settings.
package engine

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/ledger"
	"github.com/puttrix/trafficinator/loadgen/internal/routing"
	"github.com/puttrix/trafficinator/loadgen/internal/standstill"
	"github.com/puttrix/trafficinator/loadgen/internal/tracking"
	"github.com/puttrix/trafficinator/loadgen/internal/visit"
	"github.com/puttrix/trafficinator/loadgen/internal/wakeup"
	"github.com/puttrix/trafficinator/shared/endreason"
	"github.com/puttrix/trafficinator/shared/phase"
	"github.com/puttrix/trafficinator/shared/profile"
)

const (
	// maxQueueTime is how long a due hit may wait for a free request slot before it is shed: long enough for a target's
	// short pauses, short enough that an overload shows within one line of progress.
	maxQueueTime = 2 * time.Second
	// drainTimeout is how long requests in flight may take to end after a stop.
	drainTimeout = 7 * time.Second
	// LateAnswerTimeout is how long a timed-out request without an answer keeps its slot and delays its visits: Matomo
	// may still be working on it and would record a second visit for hits sent meanwhile. PHP usually allows a request
	// 30 s (php.ini-production, max_execution_time).
	LateAnswerTimeout = 30 * time.Second
	// reserveRetryDelay is how long arrivals pause when their reservation cannot be stored.
	reserveRetryDelay = 5 * time.Second
	// maxRetryAfter is the longest Retry-After that is honoured; a hit that would have to wait longer has failed.
	maxRetryAfter = 30 * time.Second
)

// retryDelays are the delays before a hit that was certainly not accepted is sent again.
var retryDelays = []time.Duration{500 * time.Millisecond, time.Second}

// Visits generates visits by number, reusing the memory of v.
type Visits interface {
	// Outline sets which hits visit n has and when they are sent.
	Outline(n uint64, v *visit.Visit)
	// Fill adds what is needed to send the hits before until.
	Fill(v *visit.Visit, until int)
}

// Sender sends requests to targets.
type Sender interface {
	// Request is called once by each worker.
	Request() Request
	// Abort ends all requests in flight at once.
	Abort()
}

// Request builds and sends one request at a time: Begin, Add for each hit, Send.
type Request interface {
	// Begin starts a new request. proven means that the target has accepted a hit before.
	Begin(target int, proven bool)
	// Add adds hit i of v with its recorded time.
	Add(v *visit.Visit, i int, at time.Time)
	// Send sends the request and waits for the answer.
	Send() tracking.Result
}

// Config configures an Engine.
type Config struct {
	Visits Visits
	Sender Sender
	Router *routing.Router
	Ledger *ledger.Ledger
	Log    *slog.Logger
	// Timer wakes the engine, which stops it at the end of the run.
	Timer wakeup.Timer
	// Clock measures the time of the run and detects standstills, while Run is running.
	Clock *standstill.Clock

	// Load is the arrival rate. Random draws the arrivals; nil means evenly spaced ones.
	Load   profile.Profile
	Random *rand.Rand
	// Concurrency limits the requests in flight; it is at least the number of targets.
	Concurrency int
	// Batch limits the hits of a request, and BatchDelay how long a hit waits for others. With 1 and 0 each hit is a
	// request of its own.
	Batch      int
	BatchDelay time.Duration
	// Live sends hits at their recorded times; otherwise visits lie in the recent past. Zone is the site's.
	Live bool
	Zone *time.Location

	// FirstVisit is the number of the first visit. Reserve durably reserves all numbers below upTo.
	FirstVisit uint64
	Reserve    func(upTo uint64) error
	// StopAfter ends the run at this visit number, AutoStop after this time; 0 means never. Cap may be nil.
	StopAfter uint64
	AutoStop  time.Duration
	Cap       *Cap
}

// Engine runs once. All methods but Run are safe for concurrent use.
type Engine struct {
	c         Config
	phase     atomic.Value
	pause     atomic.Value // string, see PauseReason
	controls  controls
	rate      atomic.Uint64 // bits of a float64
	cutVisits atomic.Uint64
	startedAt time.Time     // when Run was called
	base      time.Duration // the same by the clock
}

// New returns an engine; Run starts it.
func New(c Config) *Engine {
	e := &Engine{c: c, controls: controls{wanted: overrides{scale: 1}, changed: make(chan struct{}, 1)}}
	e.phase.Store(phase.Idle)
	e.pause.Store("")
	return e
}

// Phase returns the phase of the run.
func (e *Engine) Phase() phase.Phase { return e.phase.Load().(phase.Phase) }

// PauseReason returns why arrivals are paused, as one of package metric's constants, or "".
func (e *Engine) PauseReason() string { return e.pause.Load().(string) }

// CutVisits returns how many visits ended with hits left to send.
func (e *Engine) CutVisits() uint64 { return e.cutVisits.Load() }

// elapsed returns the time since Run was called.
func (e *Engine) elapsed() time.Duration { return e.c.Clock.Elapsed() - e.base }

// Run sends traffic until a limit is reached, all targets have failed, or drain is done; then requests in flight may
// end, and the rest is abandoned. It returns why the run ended, for drain its cause. When abort is done, requests in
// flight end at once.
func (e *Engine) Run(drain, abort context.Context) endreason.Reason {
	defer context.AfterFunc(abort, e.c.Sender.Abort)()
	defer e.c.Clock.Watch()()
	e.startedAt, e.base = time.Now(), e.c.Clock.Elapsed()
	jobs, answers := make(chan *batch, e.c.Concurrency), make(chan *batch, e.c.Concurrency)
	var pool sync.WaitGroup
	for range e.c.Concurrency {
		w := worker{Engine: e, request: e.c.Sender.Request()}
		pool.Go(func() {
			for b := range jobs {
				w.serve(b)
				answers <- b
			}
		})
	}
	reason := newLoop(e, jobs, answers).run(drain)
	close(jobs)
	pool.Wait()
	e.phase.Store(phase.Ended)
	return reason
}
