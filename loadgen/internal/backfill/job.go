// Package backfill owns a job that sends past days: which visits go in which request, what is noted about each so that
// a job that was killed goes on without sending a visit twice, and when it gives up. It knows nothing of settings, of
// Matomo's parameters, or of where days come from.
package backfill

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/puttrix/trafficinator/loadgen/internal/engine"
	"github.com/puttrix/trafficinator/loadgen/internal/ledger"
	"github.com/puttrix/trafficinator/loadgen/internal/routing"
	"github.com/puttrix/trafficinator/loadgen/internal/standstill"
	"github.com/puttrix/trafficinator/loadgen/internal/visit"
	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/calendar"
	"github.com/puttrix/trafficinator/shared/endreason"
	"github.com/puttrix/trafficinator/shared/phase"
	"github.com/puttrix/trafficinator/shared/profile"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

const (
	// maxRefusedBatches batches in a row of which a target took nothing end the job: what is wrong is wrong with all.
	maxRefusedBatches = 5
	// maxRetryTime is how long a batch that is not taken is tried again, after pauses from firstPause to longestPause.
	maxRetryTime                 = 5 * time.Minute
	minRetryDelay, maxRetryDelay = time.Second, 30 * time.Second
	// drainTimeout is how long requests in flight may take to end after a stop.
	drainTimeout = 7 * time.Second
)

// Config of a Job.
type Config struct {
	Days []calendar.Day
	// Curve is the curve by which the visits of a day are dealt out over it.
	Curve profile.Profile
	Seed  uint64

	Visits engine.Visits
	Sender engine.Sender
	Router *routing.Router
	// Targets are the names of the router's targets.
	Targets []string
	Ledger  *ledger.Ledger
	Journal *Journal
	// StoreLedger stores the ledger. A batch is sent once it is stored as one that may have been.
	StoreLedger func() error
	Log         *slog.Logger
	// Clock notices standstills. Run watches it.
	Clock *standstill.Clock

	// BatchSize is the most hits of a request, less where a target does not take so many, Shards the most requests in
	// flight, and Rate the most a second, 0 for any.
	BatchSize, Concurrency int
	MaxRate                float64
}

// Job runs once.
type Job struct {
	c          Config
	limiter    *rate.Limiter // nil is none
	phase      atomic.Value
	planned    atomic.Uint64 // batches, 0 until they were counted
	unfinished atomic.Bool   // a batch is left to be sent
	stop       context.CancelCauseFunc
	numbered   atomic.Uint64 // batches
	gates      *dayGates

	mu            sync.Mutex // guards all below
	began         time.Time
	progress      runsummary.Backfill
	visitsEnded   uint64             // that ended since began, and not before it
	refusedInARow []int              // batches in a row of which nothing was taken, by target
	sizes         []engine.BatchSize // by target
	finished      bool
	message       string
}

// New makes a job; Run starts it.
func New(c Config) *Job {
	j := &Job{c: c, refusedInARow: make([]int, len(c.Targets)), sizes: make([]engine.BatchSize, len(c.Targets)),
		gates: newDayGates(len(c.Days), len(c.Targets))}
	for t := range j.sizes {
		j.sizes[t].Max = c.BatchSize
	}
	if c.MaxRate > 0 {
		j.limiter = rate.NewLimiter(rate.Limit(c.MaxRate), 1)
	}
	j.phase.Store(phase.Idle)
	j.progress.Visits = calendar.Total(c.Days)
	for _, d := range c.Days {
		j.progress.Days = append(j.progress.Days,
			runsummary.BackfillDay{Date: d.Date.String(), Planned: d.Visits, Skipped: d.Skipped})
	}
	j.progress.Unknown = []runsummary.Batch{}
	return j
}

// Phase is safe to call from any goroutine.
func (j *Job) Phase() phase.Phase { return j.phase.Load().(phase.Phase) }

// Run sends what was not sent before, until all is, or drain is done: then no request begins and those in flight may
// end. Where abort is done they are broken off at once. The message explains an end that nobody asked for.
func (j *Job) Run(drain, abort context.Context) (why endreason.Reason, message string) {
	defer j.c.Clock.Watch()()
	j.mu.Lock()
	j.began = time.Now()
	j.mu.Unlock()
	ctx, stop := context.WithCancelCause(drain)
	defer stop(nil)
	j.stop = stop
	defer context.AfterFunc(abort, j.c.Sender.Abort)()
	giveUp := make(chan struct{})
	var background, shards sync.WaitGroup
	background.Go(func() { j.countBatches(giveUp) })
	background.Go(func() { j.abortAfterDrain(ctx, giveUp) })
	j.phase.Store(phase.Running)

	batches := make(chan *batch)
	for range j.c.Concurrency {
		s := worker{Job: j, to: j.c.Sender.Request()}
		shards.Go(func() {
			for b := range batches {
				s.serve(ctx, b)
			}
		})
	}
	visits := batchOrder{
		Config:  &j.c,
		known:   j.c.Journal.known(len(j.c.Targets)),
		tooLong: j.tooLate,
		size:    j.batchSize,
	}
	for b := range visits.batches() {
		if b.known != nil { // is booked, whatever else
			batches <- b
			continue
		}
		if ctx.Err() == nil {
			select {
			case batches <- b:
				continue
			case <-ctx.Done():
			}
		}
		j.unfinished.Store(true)
		if !visits.hasKnown() {
			break
		}
	}
	close(batches)
	shards.Wait()
	close(giveUp)
	background.Wait()
	j.phase.Store(phase.Ended)
	if j.unfinished.Load() || j.message != "" { // what went wrong with the last batch leaves none
		return endreason.FromContext(ctx), j.message
	}
	j.mu.Lock()
	j.finished = true
	j.mu.Unlock()
	return endreason.BackfillFinished, ""
}

// batchSize is the most hits of a request to a target.
func (j *Job) batchSize(target int) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.sizes[target].Max
}

// abortAfterDrain ends requests that do not end in time after a stop.
func (j *Job) abortAfterDrain(ctx context.Context, over <-chan struct{}) {
	select {
	case <-over:
		return
	case <-ctx.Done():
	}
	j.phase.Store(phase.Draining)
	wait := time.NewTimer(drainTimeout)
	defer wait.Stop()
	select {
	case <-over:
	case <-wait.C:
		j.c.Sender.Abort()
	}
}

// countBatches finds how many batches there are, which only making them does: as many as if every target took their size.
func (j *Job) countBatches(over <-chan struct{}) {
	n := uint64(0)
	visits := batchOrder{
		Config: &j.c, known: make([][]knownBatch, len(j.c.Targets)), tooLong: func(int, int, *visit.Visit) {},
		size: func(int) int { return j.c.BatchSize },
	}
	for range visits.batches() {
		select {
		case <-over:
			return
		default:
		}
		n++
	}
	j.planned.Store(n)
}

// Progress is what the job has done so far.
func (j *Job) Progress() runsummary.Backfill {
	j.mu.Lock()
	defer j.mu.Unlock()
	p := j.progress
	p.Days = append([]runsummary.BackfillDay(nil), p.Days...)
	p.Unknown = append([]runsummary.Batch{}, p.Unknown...)
	p.Batches = max(j.planned.Load(), p.BatchesDone)
	if j.finished {
		p.Batches = p.BatchesDone
	}
	left := p.Visits
	for _, d := range p.Days {
		left -= d.Sent + d.Unknown + d.Rejected + d.Unsent
	}
	if j.visitsEnded > 0 && left > 0 && j.Phase() == phase.Running {
		each := float64(time.Since(j.began)) / float64(j.visitsEnded)
		p.EstimatedEnd = time.Now().Add(time.Duration(each * float64(left))).UTC().Truncate(time.Second)
	}
	return p
}

// fail ends the job; the first reason counts.
func (j *Job) fail(why endreason.Reason, message string) {
	j.mu.Lock()
	if j.message == "" {
		j.message = message
	}
	j.mu.Unlock()
	j.stop(why)
}

// tooLate books a visit that its day has no time for.
func (j *Job) tooLate(day, target int, v *visit.Visit) {
	kinds := ledger.CountKinds(v.Hits)
	j.c.Ledger.PlanUnscheduled(target, kinds)
	j.c.Ledger.End(target, &answer.Answer{Class: answer.Late}, kinds)
	j.c.Ledger.CloseVisit(target, ledger.Unsent)
	j.mu.Lock()
	j.progress.Days[day].Unsent++
	j.mu.Unlock()
}
