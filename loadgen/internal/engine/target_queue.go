package engine

import (
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/routing"
)

// targetQueue has the visits that wait for one target, and its share of the pool, so that a target that hangs delays no
// other. Started visits go before new ones: in an overload some visits do not take place rather than all losing hits.
type targetQueue struct {
	started, unstarted queue
	hits               int  // queued, of both
	slots              int  // its share of the pool, in requests
	inFlight           int  // requests
	pending            int  // of those, requests that have timed out
	suspect            bool // whether the target was suspect since a slot was last free
	size               BatchSize
	limits             map[uint64]int // hits per request of visits whose request was too large, by number
}

// newTargetQueues divides the pool in proportion to each target's share of the traffic, with at least one slot each.
func newTargetQueues(r *routing.Router, concurrency, batch int) []targetQueue {
	queues := make([]targetQueue, r.Targets())
	left := concurrency
	for t := range queues {
		queues[t].size.Max, queues[t].limits = batch, map[uint64]int{}
		queues[t].slots = max(1, int(r.Share(t)*float64(concurrency)))
		left -= queues[t].slots
	}
	for t := 0; left != 0; t = (t + 1) % len(queues) {
		switch {
		case left > 0:
			queues[t].slots++
			left--
		case queues[t].slots > 1:
			queues[t].slots--
			left++
		}
	}
	return queues
}

func (q *targetQueue) len() int { return q.started.n + q.unstarted.n }

// add queues a visit. One that is being retried goes first: an unproven target takes no other meanwhile.
func (q *targetQueue) add(o openVisit) {
	switch {
	case o.attempts > 0:
		q.addFirst(o)
		return
	case o.sent:
		q.started.push(o)
	default:
		q.unstarted.push(o)
	}
	q.hits += o.groupSize()
}

// addFirst queues a visit before all others.
func (q *targetQueue) addFirst(o openVisit) {
	q.started.pushFront(o)
	q.hits += o.groupSize()
}

// next returns the queue that is served next.
func (q *targetQueue) next() *queue {
	if q.started.n > 0 {
		return &q.started
	}
	return &q.unstarted
}

// oldest returns the queue whose first visit has waited longest.
func (q *targetQueue) oldest() *queue {
	if q.started.n == 0 || q.unstarted.n > 0 && q.unstarted.head().due < q.started.head().due {
		return &q.unstarted
	}
	return &q.started
}

func (q *targetQueue) head() *openVisit         { return q.next().head() }
func (q *targetQueue) oldestDue() time.Duration { return q.oldest().head().due }
func (q *targetQueue) pop() openVisit           { return q.take(q.next()) }
func (q *targetQueue) popOldest() openVisit     { return q.take(q.oldest()) }

func (q *targetQueue) take(from *queue) openVisit {
	o := from.pop()
	q.hits -= o.groupSize()
	return o
}

// queue is a first-in, first-out queue of visits: a ring whose size is a power of two.
type queue struct {
	ring     []openVisit
	first, n int
}

func (q *queue) at(i int) *openVisit { return &q.ring[(q.first+i)&(len(q.ring)-1)] }
func (q *queue) head() *openVisit    { return q.at(0) }

func (q *queue) push(o openVisit) {
	q.grow()
	*q.at(q.n) = o
	q.n++
}

func (q *queue) pushFront(o openVisit) {
	q.grow()
	q.first = (q.first - 1 + len(q.ring)) & (len(q.ring) - 1)
	*q.at(0) = o
	q.n++
}

func (q *queue) pop() openVisit {
	o := *q.head()
	q.first++
	q.n--
	return o
}

func (q *queue) grow() {
	if q.n < len(q.ring) {
		return
	}
	ring := make([]openVisit, max(16, 2*len(q.ring)))
	for i := range q.n {
		ring[i] = *q.at(i)
	}
	q.ring, q.first = ring, 0
}

// BatchSize limits the hits per request to a target to what it accepts. It is not safe for concurrent use.
type BatchSize struct {
	// Max is the current limit.
	Max     int
	largest int // request accepted so far; if one of this size is refused, its hits are unusually long
}

// Accepted records that a request of so many hits was accepted.
func (s *BatchSize) Accepted(hits int) { s.largest = max(s.largest, hits) }

// Refused records that a request of so many hits was too large. It halves the limit, but not below accepted sizes, and
// reports whether the limit has changed.
func (s *BatchSize) Refused(hits int) bool {
	before := s.Max
	s.Max = min(s.Max, max(1, hits/2, s.largest))
	return s.Max < before
}
