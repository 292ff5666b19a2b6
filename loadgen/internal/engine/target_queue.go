package engine

import (
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/routing"
)

// targetQueue is what waits for one target and how much of the pool it may use: a target that hangs fills its own lane and
// holds up no other. Visits that have begun go before new ones, so that in an overload some visits do not happen
// rather than all losing hits.
type targetQueue struct {
	started, unstarted queue
	hits               int // of both
	slots              int // requests in flight that it may have
	inFlight           int
	pending            int // of those, whose time is over
	// suspect says that the target was in doubt since a slot was free last.
	suspect bool
	size    BatchSize // of a request
	// split are by number the visits whose request was too large, and how many hits the next may have in which they go.
	split map[uint64]int
}

// newTargetQueues deals the pool out in proportion to the traffic that each target gets, one slot at least.
func newTargetQueues(r *routing.Router, concurrency, most int) []targetQueue {
	lanes := make([]targetQueue, r.Targets())
	left := concurrency
	for t := range lanes {
		lanes[t].size.Max, lanes[t].split = most, map[uint64]int{}
		lanes[t].slots = max(1, int(r.Share(t)*float64(concurrency)))
		left -= lanes[t].slots
	}
	for t := 0; left != 0; t = (t + 1) % len(lanes) {
		switch {
		case left > 0:
			lanes[t].slots++
			left--
		case lanes[t].slots > 1:
			lanes[t].slots--
			left++
		}
	}
	return lanes
}

func (n *targetQueue) hasWaiting() bool { return n.hits > 0 }

// add lets a visit wait. One whose hits were tried before goes first: an unproven target takes no other meanwhile.
func (n *targetQueue) add(o openVisit) {
	switch {
	case o.attempts > 0:
		n.addFirst(o)
		return
	case o.sent:
		n.started.push(o)
	default:
		n.unstarted.push(o)
	}
	n.hits += o.groupSize()
}

// addFirst lets a visit wait before all others.
func (n *targetQueue) addFirst(o openVisit) {
	n.started.pushFront(o)
	n.hits += o.groupSize()
}

// next is the queue that is served next.
func (n *targetQueue) next() *queue {
	if n.started.n > 0 {
		return &n.started
	}
	return &n.unstarted
}

// oldestQueue is the queue with the visit that has waited longest.
func (n *targetQueue) oldestQueue() *queue {
	if n.started.n == 0 || n.unstarted.n > 0 && n.unstarted.head().due < n.started.head().due {
		return &n.unstarted
	}
	return &n.started
}

func (n *targetQueue) head() *openVisit { return n.next().head() }

func (n *targetQueue) oldestDue() time.Duration { return n.oldestQueue().head().due }

func (n *targetQueue) pop() openVisit { return n.take(n.next()) }

func (n *targetQueue) popOldest() openVisit { return n.take(n.oldestQueue()) }

func (n *targetQueue) take(q *queue) openVisit {
	o := q.pop()
	n.hits -= o.groupSize()
	return o
}
