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
	steered  steering  // what the schedule follows

	gaps    []standstill.Gap // standstills so far, in moments of the run
	resumed time.Duration    // when the last one ended; below 0 for none

	passed time.Duration // when due hits were looked for last
	alarm  time.Duration // when the alarm comes, 0 where none is set
	timers timers
	lanes  []lane // by target
	turn   int    // target that is served first
	open   int
	days   days
	visit  visit.Visit // made last
	spare  []*batch
	over   int // open visits that wait for a late answer alone
	booked []ledger.Answered

	end      endreason.Reason // set once no more visits begin
	cutAt    time.Duration    // when open visits are cut off, 0 is never
	draining bool
	giveUp   time.Duration // when requests in flight are broken off
	broken   bool

	waits       context.Context // of late answers
	stopWaiting context.CancelFunc
	waiters     sync.WaitGroup
}

// nap is the shortest time between two looks for hits that fall due, unless some wait for a request already: waking
// costs more than taking another hit along, so that at tens of thousands of hits a second those of one nap go together.
// It is less late than any network, and does not touch rates up to 2,000 hits a second.
const nap = 500 * time.Microsecond

func newLoop(e *Engine, jobs chan<- *batch, answers chan *batch) *loop {
	l := &loop{
		Engine: e, jobs: jobs, answers: answers, next: e.c.FirstVisit, reserved: e.c.FirstVisit,
		schedule: arrival.New(e.c.Load, e.began, e.c.FirstVisit, e.c.Random), steered: steering{scale: 1},
		resumed: -1, passed: -nap, lanes: newLanes(e.c.Router, e.c.Concurrency, e.c.Batch), days: days{zone: e.c.Zone},
	}
	l.waits, l.stopWaiting = context.WithCancel(context.Background())
	return l
}

func (l *loop) run(drain context.Context) endreason.Reason {
	l.phase.Store(phase.Running)
	l.follow(l.began)
	l.finishWhenAsked()
	defer l.c.Alarm.Stop()
	defer l.waiters.Wait()
	defer l.stopWaiting()
	stop := drain.Done()
	for {
		now := l.elapsed()
		l.notice()
		if l.cutAt > 0 && now >= l.cutAt {
			l.stop(l.end)
		}
		switch {
		case l.draining:
			l.clear(now)
		case now >= l.passed+nap, l.waiting():
			l.passed = now
			l.begin(now)
			l.release(now)
			l.dispatch(now)
		}
		if l.end != "" && l.open == 0 {
			return l.end
		}
		l.endWaits()
		l.setAlarm(max(l.wake(now), l.passed+nap))
		select {
		case <-l.c.Alarm.C():
			l.alarm = 0
		case b := <-l.answers:
			l.take(b)
			l.takeAll()
		case <-l.wheel.changed:
			l.steer(l.elapsed())
		case <-stop:
			stop = nil
			l.stop(endreason.Of(drain))
		}
	}
}

// release moves visits whose next hits are due to the lanes of their targets.
func (l *loop) release(now time.Duration) {
	for o, due := l.timers.next(now); due; o, due = l.timers.next(now) {
		if o.due <= l.resumed && o.attempts == 0 {
			l.miss(o, now)
			continue
		}
		o.due = now
		l.lanes[o.target].add(o)
	}
}

// dispatch hands due hits to the pool, a target at a time, and sheds those that waited too long or whose target
// takes none.
func (l *loop) dispatch(now time.Duration) {
	l.turn++
	at := l.began.Add(now)
	for i := range l.lanes {
		t := (l.turn + i) % len(l.lanes)
		n := &l.lanes[t]
		for n.waiting() {
			verdict := l.c.Router.Verdict(t, at)
			switch {
			case verdict == routing.Refuse && l.hopeless(): // its requests may still wait for late answers
				return
			case verdict == routing.Refuse:
				l.turnAway(n.pop(), answer.Breaker, now)
				continue
			case now >= n.oldest()+l.c.BatchDelay+maxWait:
				l.turnAway(n.popOldest(), answer.Late, now)
				continue
			}
			if verdict == routing.Wait || !l.free(n, verdict, at) || n.hits < n.size.Most &&
				now < n.oldest()+l.c.BatchDelay {
				break
			}
			l.send(t, now)
		}
	}
}

// free says that the target may have one more request in flight: of its own slots, or of those that targets which
// take no hits leave unused. Requests that a failed target left without an answer neither keep it from being tried, nor
// from taking hits once it works again: beside them one goes at a time.
func (l *loop) free(n *lane, verdict routing.Verdict, at time.Time) bool {
	if n.inFlight < n.slots {
		n.doubted = false
		return true
	}
	n.doubted = n.doubted || verdict == routing.Single
	if n.doubted && n.inFlight == n.pending {
		return true
	}
	unused := 0
	for t := range l.lanes {
		other := &l.lanes[t]
		if over := other.inFlight - other.slots; over >= 0 {
			unused -= over
		} else if l.c.Router.Verdict(t, at) == routing.Refuse {
			unused -= over + 1 // one is for its probe
		}
	}
	return unused > 0
}

// send makes a batch of the first visits of a lane. A target in doubt gets a single hit, because every hit with a
// wrong token counts where Matomo locks addresses out.
func (l *loop) send(t int, now time.Duration) {
	n, b := &l.lanes[t], l.batch()
	b.target, b.sent, b.most = t, now, n.size.Most
	b.proven = l.c.Router.Begin(t, l.began.Add(now))
	n.inFlight++
	for hits := 0; n.waiting(); {
		if most, ok := n.split[n.head().number]; ok {
			b.most = min(b.most, most)
		}
		if hits > 0 && hits+n.head().hits() > b.most {
			break
		}
		o := n.pop()
		o.upTo = o.hit + uint16(min(o.hits(), b.most))
		if !b.proven {
			o.upTo = o.hit + 1
		}
		o.sent = true
		hits += o.hits()
		b.visits = append(b.visits, o)
		if !b.proven {
			break
		}
	}
	l.jobs <- b
}

func (l *loop) batch() *batch {
	if len(l.spare) == 0 {
		return &batch{}
	}
	b := l.spare[len(l.spare)-1]
	l.spare = l.spare[:len(l.spare)-1]
	return b
}

// take books an answer and goes on with its visits.
func (l *loop) take(b *batch) {
	l.notice()
	if b.result.Pending != nil {
		l.await(b)
		return
	}
	if b.pending {
		l.awaited(b)
	}
	l.lanes[b.target].inFlight--
	tries := uint8(0)
	for i := range b.visits {
		tries = max(tries, b.visits[i].attempts)
	}
	switch {
	case b.result.Class.Split() && len(b.hits) > 1 && !l.draining:
		l.split(b)
	case b.result.Class.Retry() && b.result.RetryAfter <= longestRetryAfter && int(tries) < len(retries) && !l.draining:
		l.again(b, tries)
	default:
		l.judge(b, 0)
		l.settle(b)
	}
	b.visits = b.visits[:0]
	l.spare = append(l.spare, b)
}

// judge tells the router what the answer says of the target. again is when the batch goes once more, 0 is never.
func (l *loop) judge(b *batch, again time.Duration) {
	if b.reported {
		return
	}
	// What went wrong is not the target's: no connection was left here, the run was stopped before the request went
	// out, or nobody looked for the answer in time.
	if b.result.Own || b.result.Class == answer.Stopped || b.result.Class.Outcome() == outcome.Unknown &&
		l.stood(b.sent, b.answered) {
		l.c.Router.Ignore(b.target)
		return
	}
	retry := time.Time{}
	if again > 0 {
		retry = l.began.Add(again)
	}
	l.c.Router.End(b.target, b.result, len(b.hits), l.began.Add(b.answered), retry)
}

// settle books the outcomes of a batch and lets its visits go on.
func (l *loop) settle(b *batch) {
	if b.result.Class.Outcome() == outcome.Accepted {
		l.lanes[b.target].size.Take(len(b.hits))
	}
	if r := b.result.Receipt; r.Tracked+r.Invalid > 0 {
		l.c.Ledger.Receive(len(b.hits), r.Tracked, r.Invalid)
	}
	l.booked = l.booked[:0]
	for i := range b.hits {
		h := &b.hits[i]
		h.Class, h.Latency = b.class(i), b.answered-h.intended
		if l.stood(h.intended, b.answered) {
			h.Latency = ledger.NoLatency
		}
		l.booked = append(l.booked, h.Answered)
	}
	l.c.Ledger.Answer(b.target, &b.result.Answer, l.booked)
	i := 0
	for v := range b.visits {
		o, rest := b.visits[v], b.rest[v]
		unopened, action, before := o.Taken == 0, false, o.Course
		for range o.hits() {
			action = action || hit.Rows[b.hits[i].Kind].Opens
			o.book(&b.hits[i], &l.days)
			if unopened && o.Taken > 0 {
				unopened = false
				l.c.Ledger.Open(b.target,
					ledger.Origin{Day: l.days.begin(int64(o.Taken)), Visitor: b.who[v], Late: o.hit > 1})
			}
			i++
		}
		if o.Splits > before.Splits || o.Repeats > before.Repeats {
			l.c.Ledger.More(b.target, o.Splits-before.Splits, o.Repeats-before.Repeats)
		}
		if action && b.atWork {
			o.AtWork()
		}
		o.attempts = 0
		switch {
		case int(o.hit) == rest.hits:
			l.close(&o, rest.hits)
		case l.draining:
			l.abandon(o)
		default:
			delete(l.lanes[b.target].split, o.number)
			o.due, o.upTo = rest.due, rest.upTo
			l.timers.add(o)
		}
	}
	if b.result.Class.Outcome() != outcome.Accepted || b.result.Receipt.Invalid > 0 {
		l.c.Log.Debug("request not accepted", "visit", b.visits[0].number, "hits", len(b.hits), "class",
			b.result.Class.String(),
			"invalid", b.result.Receipt.Invalid, "reason", b.result.String())
		l.hopeless()
	}
}

// hopeless ends the run where no target has ever taken a hit and all have failed.
func (l *loop) hopeless() bool {
	_, all := l.c.Router.Hopeless()
	if all {
		l.stop(endreason.NoTarget)
	}
	return all
}
