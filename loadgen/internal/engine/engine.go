// Package engine owns the run in time: it lets visits arrive, keeps the open ones, hands hits that fall due to a
// bounded pool, books what became of them, and ends at a limit or when told to. It knows nothing of Matomo's
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
	// maxQueueTime is how long a hit that fell due may wait for a free request before it is shed. It rides out a target's
	// short pauses, and what cannot be kept up with shows within one line of progress.
	maxQueueTime = 2 * time.Second
	// drainTimeout is how long requests in flight may take to end after a stop.
	drainTimeout = 7 * time.Second
	// LateAnswerTimeout is how long a request whose time is over keeps its place and holds up its visitors' next hits, unless
	// the answer comes: Matomo may still be at work on it, and would record a second visit for hits that it is given
	// meanwhile. PHP gives a request 30 s as a rule (php.ini-production, max_execution_time).
	LateAnswerTimeout = 30 * time.Second
	// reserveRetryDelay is how long new visits pause when their reservation cannot be stored.
	reserveRetryDelay = 5 * time.Second
	// maxRetryAfter is how long a hit waits at most for a server that says when to come back; where that is longer
	// it has failed, because a visit does not last so long.
	maxRetryAfter = 30 * time.Second
)

// retryDelays are the pauses before a hit that surely was not taken is sent again.
var retryDelays = []time.Duration{500 * time.Millisecond, time.Second}

// Visits makes visits by number, in the memory of v.
type Visits interface {
	// Outline writes which hits visit n has and when.
	Outline(n uint64, v *visit.Visit)
	// Fill adds what the hits before until need to be sent.
	Fill(v *visit.Visit, until int)
}

// Sender is the way to the targets.
type Sender interface {
	// Request is called once for each goroutine of the pool.
	Request() Request
	// Abort ends all requests in flight at once.
	Abort()
}

// Request is one request at a time, in the making and sent: Begin, Add for each hit, Send.
type Request interface {
	// Begin forgets the request before. proven says that the target has accepted a hit.
	Begin(target int, proven bool)
	// Add adds hit i of v, recorded at at.
	Add(v *visit.Visit, i int, at time.Time)
	// Send returns with the answer.
	Send() tracking.Result
}

// Config of an Engine.
type Config struct {
	Visits Visits
	Sender Sender
	Router *routing.Router
	Ledger *ledger.Ledger
	Log    *slog.Logger
	// Alarm wakes the engine, which stops it at the end of the run.
	Alarm wakeup.Timer
	// Clock tells the time of the run and its standstills. Run watches it.
	Clock *standstill.Clock

	// Load is the rate of visits. Random draws their arrivals; nil keeps them even.
	Load   profile.Profile
	Random *rand.Rand
	// Concurrency is the most requests in flight, at least one for each target.
	Concurrency int
	// Batch is the most hits of a request, and BatchDelay how long a hit waits for others to go with. At 1 and 0 each
	// hit is a request of its own.
	Batch      int
	BatchDelay time.Duration
	// Live sends hits at their own moments; else visits lie in the recent past. Zone is that of the site's days.
	Live bool
	Zone *time.Location

	// FirstVisit is the number of the first visit. Reserve stores durably that all numbers below upTo may be used.
	FirstVisit uint64
	Reserve    func(upTo uint64) error
	// StopAfter ends the run at this visit number, AutoStop after this time; 0 is never. Cap may be nil.
	StopAfter uint64
	AutoStop  time.Duration
	Cap       *Cap
}

// Engine runs once.
type Engine struct {
	c         Config
	phase     atomic.Value
	pause     atomic.Value // a string, why new visits pause
	controls  controls
	rate      atomicFloat
	cutVisits atomic.Uint64
	// began is when Run was called, at base of the clock.
	began time.Time
	base  time.Duration
}

// New makes an engine; Run starts it.
func New(c Config) *Engine {
	e := &Engine{c: c, controls: newControls()}
	e.phase.Store(phase.Idle)
	e.pause.Store("")
	return e
}

// Phase is safe to call from any goroutine.
func (e *Engine) Phase() phase.Phase { return e.phase.Load().(phase.Phase) }

// PauseReason is why new visits pause, one of package metric; empty where they do not. It is safe to call from any
// goroutine.
func (e *Engine) PauseReason() string { return e.pause.Load().(string) }

// CutVisits is how many visits were ended with hits left to send. It is safe to call from any goroutine.
func (e *Engine) CutVisits() uint64 { return e.cutVisits.Load() }

// elapsed is the time since Run was called.
func (e *Engine) elapsed() time.Duration { return e.c.Clock.Elapsed() - e.base }

// Run sends traffic until a limit is reached, all targets have failed, or drain is done: then no visit begins,
// requests in flight may end, what is left is abandoned, and a Reason that is drain's cause is that of the end. Where
// abort is done requests are broken off at once.
func (e *Engine) Run(drain, abort context.Context) endreason.Reason {
	stopWatching := context.AfterFunc(abort, e.c.Sender.Abort)
	defer stopWatching()
	defer e.c.Clock.Watch()()
	e.began, e.base = time.Now(), e.c.Clock.Elapsed()
	jobs := make(chan *batch, e.c.Concurrency)
	answers := make(chan *batch, e.c.Concurrency)
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
