package engine

import (
	"context"
	"sync"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/arrival"
	"github.com/puttrix/trafficinator/loadgen/internal/ledger"
	"github.com/puttrix/trafficinator/loadgen/internal/routing"
	"github.com/puttrix/trafficinator/loadgen/internal/standstill"
	"github.com/puttrix/trafficinator/loadgen/internal/visit"
	"github.com/puttrix/trafficinator/shared/answer"
	"github.com/puttrix/trafficinator/shared/endreason"
	"github.com/puttrix/trafficinator/shared/hit"
	"github.com/puttrix/trafficinator/shared/outcome"
	"github.com/puttrix/trafficinator/shared/phase"
)

// loop is the state of a run; one goroutine owns it. Moments are durations since began.
type loop struct {
	*Engine
	jobs    chan<- *batch
	answers chan *batch // of the pool, and of batches whose late answer was waited for

	schedule *arrival.Schedule
	next     uint64    // number of the next visit
	reserved uint64    // numbers below may be used
	pause    time.Time // when arrivals go on, zero for no pause but that of steered
	pauseFor string    // why they pause until then
	applied  overrides // what the schedule follows

	gaps      []standstill.Gap // standstills so far, in moments of the run
	resumedAt time.Duration    // when the last one ended; below 0 for none

	lastPoll     time.Duration // when due hits were looked for last
	wakeAt       time.Duration // when the alarm comes, 0 where none is set
	scheduled    visitHeap
	queues       []targetQueue // by target
	firstTarget  int           // target that is served first
	open         int
	days         days
	visit        visit.Visit // made last
	spare        []*batch
	awaitingOnly int // open visits that wait for a late answer alone
	answered     []ledger.Answered

	end      endreason.Reason // set once no more visits begin
	cutAt    time.Duration    // when open visits are cut off, 0 is never
	draining bool
	abortAt  time.Duration // when requests in flight are broken off
	aborted  bool

	waitCtx     context.Context // of late answers
	stopWaiting context.CancelFunc
	waiters     sync.WaitGroup
}

// pollInterval is the shortest time between two looks for hits that fall due, unless some wait for a request already: waking
// costs more than taking another hit along, so that at tens of thousands of hits a second those of one nap go together.
// It is less late than any network, and does not touch rates up to 2,000 hits a second.
const pollInterval = 500 * time.Microsecond

func newLoop(e *Engine, jobs chan<- *batch, answers chan *batch) *loop {
	l := &loop{
		Engine:    e,
		jobs:      jobs,
		answers:   answers,
		next:      e.c.FirstVisit,
		reserved:  e.c.FirstVisit,
		schedule:  arrival.New(e.c.Load, e.began, e.c.FirstVisit, e.c.Random),
		applied:   overrides{scale: 1},
		resumedAt: -1,
		lastPoll:  -pollInterval,
		queues:    newTargetQueues(e.c.Router, e.c.Concurrency, e.c.Batch),
		days:      days{zone: e.c.Zone},
	}
	l.waitCtx, l.stopWaiting = context.WithCancel(context.Background())
	return l
}

func (l *loop) run(drain context.Context) endreason.Reason {
	l.phase.Store(phase.Running)
	l.applyOverrides(l.began)
	l.applyFinish()
	defer l.c.Alarm.Stop()
	defer l.waiters.Wait()
	defer l.stopWaiting()
	stop := drain.Done()
	for {
		now := l.elapsed()
		l.checkStandstills()
		if l.cutAt > 0 && now >= l.cutAt {
			l.stop(l.end)
		}
		switch {
		case l.draining:
			l.abandonSome(now)
		case now >= l.lastPoll+pollInterval, l.hasWaiting():
			l.lastPoll = now
			l.processArrivals(now)
			l.enqueueDue(now)
			l.dispatch(now)
		}
		if l.end != "" && l.open == 0 {
			return l.end
		}
		l.cancelWaits()
		l.setWakeup(max(l.nextWakeup(now), l.lastPoll+pollInterval))
		select {
		case <-l.c.Alarm.C():
			l.wakeAt = 0
		case b := <-l.answers:
			l.handleAnswer(b)
			l.handleAnswers()
		case <-l.controls.changed:
			l.applyControls(l.elapsed())
		case <-stop:
			stop = nil
			l.stop(endreason.FromContext(drain))
		}
	}
}

// enqueueDue moves visits whose next hits are due to the lanes of their targets.
func (l *loop) enqueueDue(now time.Duration) {
	for o, due := l.scheduled.popDue(now); due; o, due = l.scheduled.popDue(now) {
		if o.due <= l.resumedAt && o.attempts == 0 {
			l.miss(o, now)
			continue
		}
		o.due = now
		l.queues[o.target].add(o)
	}
}

// dispatch hands due hits to the pool, a target at a time, and sheds those that waited too long or whose target
// takes none.
func (l *loop) dispatch(now time.Duration) {
	l.firstTarget++
	at := l.began.Add(now)
	for i := range l.queues {
		t := (l.firstTarget + i) % len(l.queues)
		n := &l.queues[t]
		for n.hasWaiting() {
			verdict := l.c.Router.Admission(t, at)
			switch {
			case verdict == routing.Deny && l.stopIfAllFailed(): // its requests may still wait for late answers
				return
			case verdict == routing.Deny:
				l.rerouteOrShed(n.pop(), answer.Breaker, now)
				continue
			case now >= n.oldestDue()+l.c.BatchDelay+maxQueueTime:
				l.rerouteOrShed(n.popOldest(), answer.Late, now)
				continue
			}
			if verdict == routing.Wait || !l.hasSlot(n, verdict, at) || n.hits < n.size.Max &&
				now < n.oldestDue()+l.c.BatchDelay {
				break
			}
			l.send(t, now)
		}
	}
}

// hasSlot says that the target may have one more request in flight: of its own slots, or of those that targets which
// take no hits leave unused. Requests that a failed target left without an answer neither keep it from being tried, nor
// from taking hits once it works again: beside them one goes at a time.
func (l *loop) hasSlot(n *targetQueue, verdict routing.Admission, at time.Time) bool {
	if n.inFlight < n.slots {
		n.suspect = false
		return true
	}
	n.suspect = n.suspect || verdict == routing.AdmitOne
	if n.suspect && n.inFlight == n.pending {
		return true
	}
	unused := 0
	for t := range l.queues {
		other := &l.queues[t]
		if over := other.inFlight - other.slots; over >= 0 {
			unused -= over
		} else if l.c.Router.Admission(t, at) == routing.Deny {
			unused -= over + 1 // one is for its probe
		}
	}
	return unused > 0
}

// send makes a batch of the first visits of a lane. A target in doubt gets a single hit, because every hit with a
// wrong token counts where Matomo locks addresses out.
func (l *loop) send(t int, now time.Duration) {
	n, b := &l.queues[t], l.newBatch()
	b.target, b.sent, b.maxHits = t, now, n.size.Max
	b.proven = l.c.Router.Begin(t, l.began.Add(now))
	n.inFlight++
	for hits := 0; n.hasWaiting(); {
		if most, ok := n.split[n.head().number]; ok {
			b.maxHits = min(b.maxHits, most)
		}
		if hits > 0 && hits+n.head().groupSize() > b.maxHits {
			break
		}
		o := n.pop()
		o.upTo = o.hit + uint16(min(o.groupSize(), b.maxHits))
		if !b.proven {
			o.upTo = o.hit + 1
		}
		o.sent = true
		hits += o.groupSize()
		b.visits = append(b.visits, o)
		if !b.proven {
			break
		}
	}
	l.jobs <- b
}

func (l *loop) newBatch() *batch {
	if len(l.spare) == 0 {
		return &batch{}
	}
	b := l.spare[len(l.spare)-1]
	l.spare = l.spare[:len(l.spare)-1]
	return b
}

// handleAnswer books an answer and goes on with its visits.
func (l *loop) handleAnswer(b *batch) {
	l.checkStandstills()
	if b.result.Pending != nil {
		l.awaitLateAnswer(b)
		return
	}
	if b.pending {
		l.lateAnswerDone(b)
	}
	l.queues[b.target].inFlight--
	tries := uint8(0)
	for i := range b.visits {
		tries = max(tries, b.visits[i].attempts)
	}
	switch {
	case b.result.Class.Splittable() && len(b.hits) > 1 && !l.draining:
		l.splitBatch(b)
	case b.result.Class.Retryable() && b.result.RetryAfter <= maxRetryAfter && int(tries) < len(retryDelays) && !l.draining:
		l.retry(b, tries)
	default:
		l.informRouter(b, 0)
		l.recordOutcomes(b)
	}
	b.visits = b.visits[:0]
	l.spare = append(l.spare, b)
}

// informRouter tells the router what the answer says of the target. again is when the batch goes once more, 0 is never.
func (l *loop) informRouter(b *batch, again time.Duration) {
	if b.reported {
		return
	}
	// What went wrong is not the target's: no connection was left here, the run was stopped before the request went
	// out, or nobody looked for the answer in time.
	if b.result.LocalFault || b.result.Class == answer.Stopped || b.result.Class.Outcome() == outcome.Unknown &&
		l.stoodStill(b.sent, b.answered) {
		l.c.Router.Ignore(b.target)
		return
	}
	retry := time.Time{}
	if again > 0 {
		retry = l.began.Add(again)
	}
	l.c.Router.End(b.target, b.result, len(b.hits), l.began.Add(b.answered), retry)
}

// recordOutcomes books the outcomes of a batch and lets its visits go on.
func (l *loop) recordOutcomes(b *batch) {
	if b.result.Class.Outcome() == outcome.Accepted {
		l.queues[b.target].size.Accepted(len(b.hits))
	}
	if r := b.result.Receipt; r.Tracked+r.Invalid > 0 {
		l.c.Ledger.AddReceipt(len(b.hits), r.Tracked, r.Invalid)
	}
	l.answered = l.answered[:0]
	for i := range b.hits {
		h := &b.hits[i]
		h.Class, h.Latency = b.class(i), b.answered-h.intended
		if l.stoodStill(h.intended, b.answered) {
			h.Latency = ledger.NoLatency
		}
		l.answered = append(l.answered, h.Answered)
	}
	l.c.Ledger.Answer(b.target, &b.result.Answer, l.answered)
	i := 0
	for v := range b.visits {
		o, rest := b.visits[v], b.remainders[v]
		unopened, action, before := o.LastAction == 0, false, o.VisitState
		for range o.groupSize() {
			action = action || hit.Rows[b.hits[i].Kind].Opens
			o.record(&b.hits[i], &l.days)
			if unopened && o.LastAction > 0 {
				unopened = false
				l.c.Ledger.OpenVisit(
					b.target,
					ledger.Dimensions{
						Day:        l.days.midnight(int64(o.LastAction)),
						Visitor:    b.visitors[v],
						SourceLost: o.hit > 1,
					},
				)
			}
			i++
		}
		if o.Splits > before.Splits || o.Repeats > before.Repeats {
			l.c.Ledger.AddSplits(b.target, o.Splits-before.Splits, o.Repeats-before.Repeats)
		}
		if action && b.atWork {
			o.AddPending()
		}
		o.attempts = 0
		switch {
		case int(o.hit) == rest.hits:
			l.closeVisit(&o, rest.hits)
		case l.draining:
			l.abandon(o)
		default:
			delete(l.queues[b.target].split, o.number)
			o.due, o.upTo = rest.due, rest.upTo
			l.scheduled.push(o)
		}
	}
	if b.result.Class.Outcome() != outcome.Accepted || b.result.Receipt.Invalid > 0 {
		l.c.Log.Debug("request not accepted", "visit", b.visits[0].number, "hits", len(b.hits), "class",
			b.result.Class.String(),
			"invalid", b.result.Receipt.Invalid, "reason", b.result.String())
		l.stopIfAllFailed()
	}
}

// stopIfAllFailed ends the run where no target has ever taken a hit and all have failed.
func (l *loop) stopIfAllFailed() bool {
	_, all := l.c.Router.AllFailed()
	if all {
		l.stop(endreason.NoTarget)
	}
	return all
}
