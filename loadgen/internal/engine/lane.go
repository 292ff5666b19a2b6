package engine

import (
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/routing"
)

// lane is what waits for one target and how much of the pool it may use: a target that hangs fills its own lane and
// holds up no other. Visits that have begun go before new ones, so that in an overload some visits do not happen
// rather than all losing hits.
type lane struct {
	begun, fresh queue
	hits         int // of both
	slots        int // requests in flight that it may have
	inFlight     int
	pending      int // of those, whose time is over
	// doubted says that the target was in doubt since a slot was free last.
	doubted bool
	size    Size // of a request
	// split are by number the visits whose request was too large, and how many hits the next may have in which they go.
	split map[uint64]int
}

// newLanes deals the pool out in proportion to the traffic that each target gets, one slot at least.
func newLanes(r *routing.Router, concurrency, most int) []lane {
	lanes := make([]lane, r.Targets())
	left := concurrency
	for t := range lanes {
		lanes[t].size.Most, lanes[t].split = most, map[uint64]int{}
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

func (n *lane) waiting() bool { return n.hits > 0 }

// add lets a visit wait. One whose hits were tried before goes first: an unproven target takes no other meanwhile.
func (n *lane) add(o openVisit) {
	switch {
	case o.attempts > 0:
		n.addFirst(o)
		return
	case o.sent:
		n.begun.push(o)
	default:
		n.fresh.push(o)
	}
	n.hits += o.hits()
}

// addFirst lets a visit wait before all others.
func (n *lane) addFirst(o openVisit) {
	n.begun.pushFront(o)
	n.hits += o.hits()
}

// turn is the queue that is served next.
func (n *lane) turn() *queue {
	if n.begun.n > 0 {
		return &n.begun
	}
	return &n.fresh
}

// elder is the queue with the visit that has waited longest.
func (n *lane) elder() *queue {
	if n.begun.n == 0 || n.fresh.n > 0 && n.fresh.head().due < n.begun.head().due {
		return &n.fresh
	}
	return &n.begun
}

func (n *lane) head() *openVisit { return n.turn().head() }

func (n *lane) oldest() time.Duration { return n.elder().head().due }

func (n *lane) pop() openVisit { return n.take(n.turn()) }

func (n *lane) popOldest() openVisit { return n.take(n.elder()) }

func (n *lane) take(q *queue) openVisit {
	o := q.pop()
	n.hits -= o.hits()
	return o
}
