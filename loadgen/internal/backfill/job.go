// Package backfill sends past days: it decides which visits go in which request, records each request so that a killed
// job can be resumed without sending a visit twice, and gives up when a target fails. It does not depend on settings,
// Matomo's parameters, or the source of the days.
package backfill

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/puttrix/trafficinator/loadgen/internal/engine"
	"github.com/puttrix/trafficinator/loadgen/internal/ledger"
	"github.com/puttrix/trafficinator/loadgen/internal/routing"
	"github.com/puttrix/trafficinator/loadgen/internal/standstill"
	"github.com/puttrix/trafficinator/loadgen/internal/visit"
	"github.com/puttrix/trafficinator/loadgen/internal/wakeup"
	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/calendar"
	"github.com/puttrix/trafficinator/shared/endreason"
	"github.com/puttrix/trafficinator/shared/phase"
	"github.com/puttrix/trafficinator/shared/profile"
	"github.com/puttrix/trafficinator/shared/runsummary"
)

const (
	// maxRefusedBatches in a row of which a target accepted nothing end the job.
	maxRefusedBatches = 5
	// maxRetryTime is how long a batch that is not accepted is retried.
	maxRetryTime                 = 5 * time.Minute
	minRetryDelay, maxRetryDelay = time.Second, 30 * time.Second
	// drainTimeout is how long requests in flight may take to end after a stop.
	drainTimeout = 7 * time.Second
)

// Config configures a Job.
type Config struct {
	Days []calendar.Day
	// Curve distributes the visits of a day over its hours.
	Curve profile.Profile
	Seed  uint64

	Visits  engine.Visits
	Sender  engine.Sender
	Router  *routing.Router
	Ledger  *ledger.Ledger
	Journal *Journal
	// StoreLedger stores the ledger durably. It is called before each request.
	StoreLedger func() error
	Log         *slog.Logger
	// Clock detects standstills while Run is running.
	Clock *standstill.Clock

	// BatchSize limits the hits per request; a target that does not accept as many gets fewer. Concurrency limits the
	// requests in flight, and MaxRate the requests per second, 0 for no limit.
	BatchSize, Concurrency int
	MaxRate                float64
}

// Job runs once.
type Job struct {
	c          Config
	limiter    *rate.Limiter // nil for no limit
	phase      atomic.Value
	planned    atomic.Uint64 // batches, 0 until they are counted
	numbered   atomic.Uint64 // batches
	unfinished atomic.Bool   // a batch was not sent
	stop       context.CancelCauseFunc
	gates      *dayGates

	mu            sync.Mutex // guards all below
	startedAt     time.Time
	progress      runsummary.Backfill
	visitsEnded   uint64             // since startedAt
	refusedInARow []int              // batches of which nothing was accepted, by target
	sizes         []engine.BatchSize // by target
	finished      bool
	message       string
}

// New returns a job; Run starts it.
func New(c Config) *Job {
	n := c.Router.Targets()
	j := &Job{c: c, refusedInARow: make([]int, n), sizes: slices.Repeat([]engine.BatchSize{{Max: c.BatchSize}}, n),
		gates: newDayGates(len(c.Days), n)}
	if c.MaxRate > 0 {
		j.limiter = rate.NewLimiter(rate.Limit(c.MaxRate), 1)
	}
	j.phase.Store(phase.Idle)
	j.progress.Visits, j.progress.Unknown = calendar.Total(c.Days), []runsummary.Batch{}
	for _, d := range c.Days {
		j.progress.Days = append(j.progress.Days,
			runsummary.BackfillDay{Date: d.Date.String(), Planned: d.Visits, Skipped: d.Skipped})
	}
	return j
}

// Phase returns the phase of the job. It is safe for concurrent use.
func (j *Job) Phase() phase.Phase { return j.phase.Load().(phase.Phase) }

// Run sends what was not sent before, until all is or drain is done; then no request starts, and those in flight may
// end. When abort is done, they end at once. The message explains an end that was not requested.
func (j *Job) Run(drain, abort context.Context) (why endreason.Reason, message string) {
	defer j.c.Clock.Watch()()
	j.mu.Lock()
	j.startedAt = time.Now()
	j.mu.Unlock()
	ctx, stop := context.WithCancelCause(drain)
	defer stop(nil)
	j.stop = stop
	defer context.AfterFunc(abort, j.c.Sender.Abort)()
	running, over := context.WithCancel(context.Background())
	defer over()
	var background, workers sync.WaitGroup
	background.Go(func() { j.countBatches(running) })
	background.Go(func() { j.abortAfterDrain(ctx, running) })
	j.phase.Store(phase.Running)

	batches := make(chan *batch)
	for range j.c.Concurrency {
		w := worker{Job: j, request: j.c.Sender.Request()}
		workers.Go(func() {
			for b := range batches {
				w.serve(ctx, b)
			}
		})
	}
	order := batchOrder{Config: &j.c, known: j.c.Journal.known(j.c.Router.Targets()), tooLong: j.visitTooLong,
		size: j.batchSize}
	for b := range order.batches() {
		if b.known != nil { // is recorded even after a stop
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
		if !slices.ContainsFunc(order.known, func(of []knownBatch) bool { return len(of) > 0 }) {
			break
		}
	}
	close(batches)
	workers.Wait()
	over()
	background.Wait()
	j.phase.Store(phase.Ended)
	if j.unfinished.Load() || j.message != "" { // the last batch may fail with none left
		return endreason.FromContext(ctx), j.message
	}
	j.mu.Lock()
	j.finished = true
	j.mu.Unlock()
	return endreason.BackfillFinished, ""
}

// batchSize returns the current limit of hits per request to a target.
func (j *Job) batchSize(target int) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.sizes[target].Max
}

// abortAfterDrain aborts requests that exceed the drain timeout after a stop.
func (j *Job) abortAfterDrain(ctx, running context.Context) {
	select {
	case <-running.Done():
		return
	case <-ctx.Done():
	}
	j.phase.Store(phase.Draining)
	if wakeup.Sleep(running, drainTimeout) {
		j.c.Sender.Abort()
	}
}

// countBatches counts the batches by generating them, as if every target accepted BatchSize.
func (j *Job) countBatches(running context.Context) {
	n := uint64(0)
	order := batchOrder{Config: &j.c, known: make([][]knownBatch, j.c.Router.Targets()),
		tooLong: func(int, int, *visit.Visit) {}, size: func(int) int { return j.c.BatchSize }}
	for range order.batches() {
		if running.Err() != nil {
			return
		}
		n++
	}
	j.planned.Store(n)
}

// Progress returns the progress of the job.
func (j *Job) Progress() runsummary.Backfill {
	j.mu.Lock()
	defer j.mu.Unlock()
	p := j.progress
	p.Days, p.Unknown = slices.Clone(p.Days), slices.Clone(p.Unknown)
	p.Batches = max(j.planned.Load(), p.BatchesDone)
	if j.finished {
		p.Batches = p.BatchesDone
	}
	left := p.Visits
	for _, d := range p.Days {
		left -= d.Sent + d.Unknown + d.Rejected + d.Unsent
	}
	if j.visitsEnded > 0 && left > 0 && j.Phase() == phase.Running {
		each := float64(time.Since(j.startedAt)) / float64(j.visitsEnded)
		p.EstimatedEnd = time.Now().Add(time.Duration(each * float64(left))).UTC().Truncate(time.Second)
	}
	return p
}

// fail ends the job; the first call counts.
func (j *Job) fail(why endreason.Reason, message string) {
	j.mu.Lock()
	j.message = cmp.Or(j.message, message)
	j.mu.Unlock()
	j.stop(why)
}

// visitTooLong records a visit that is longer than its day.
func (j *Job) visitTooLong(day, target int, v *visit.Visit) {
	kinds := ledger.CountKinds(v.Hits)
	j.c.Ledger.PlanUnscheduled(target, kinds)
	j.c.Ledger.End(target, &answer.Answer{Class: answer.Late}, kinds)
	j.c.Ledger.CloseVisit(target, ledger.Unsent)
	j.mu.Lock()
	j.progress.Days[day].Unsent++
	j.mu.Unlock()
}
