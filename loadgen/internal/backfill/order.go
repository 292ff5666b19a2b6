package backfill

import (
	"iter"
	"math"
	"slices"

	"github.com/puttrix/trafficinator/loadgen/internal/visit"
)

const (
	// sortWindow is how many visits of a day are ordered at once, which bounds the memory that a day of millions takes.
	sortWindow = 20_000
	// smallDay is up to how many visits a day goes at once, without one that goes ahead.
	smallDay = 8
)

// The order in which the visits of a job go is a pure function of its days and of what decides its visits, so that a
// job that was killed can be resumed, whatever the size of its requests. It serves two peculiarities of Matomo:
//
// The first hit of a day that has none yet writes options (core/Tracker/FingerprintSalt.php, core/Archive/
// ArchiveInvalidator.php): it locks the gap where they are missing and then inserts (core/Option.php). Two requests
// that do so at once wait for each other, until one is committed or both are a deadlock. So the first visit of each day
// goes ahead, a day early and one at a time, and the others of the day only after it.
//
// Matomo works out a device from its user agent once in a request, which is a third of the work of a request whose
// visitors are all different (DeviceDetector). So visitors with the same device go together.

// queue has visits of one day and one target, in order; place is that of the first among all of the target's.
type queue struct {
	day, target int
	position    uint64
	visits      []plannedVisit
	opens       bool
}

// knownBatch is what a journal has about a batch.
type knownBatch struct {
	span
	batchResult
}

// cut takes the first batch off a queue: what a job before has sent as it sent it, else up to size hits.
func (q *queue) cut(size int, known *[]knownBatch) *batch {
	b := &batch{day: q.day, opensDay: q.opens}
	for len(*known) > 0 && (*known)[0].From < q.position { // is in no order of ours
		*known = (*known)[1:]
	}
	n, most := 0, len(q.visits)
	if k := *known; len(k) > 0 && k[0].From == q.position {
		b.known, most, size = &k[0].batchResult, min(most, k[0].Visits), math.MaxInt
		*known = k[1:]
	} else if len(k) > 0 {
		most = min(most, int(k[0].From-q.position))
	}
	for n < most && (n == 0 || b.hits+q.visits[n].hits <= size) {
		b.hits += q.visits[n].hits
		n++
	}
	b.visits, b.span = q.visits[:n:n], span{q.target, q.position, n}
	q.visits, q.position = q.visits[n:], q.position+uint64(n)
	return b
}

// batchOrder makes the batches of a job, one after the other.
type batchOrder struct {
	*Config
	// size is the most hits of a request to a target.
	size func(target int) int
	// known are by target the batches that the journal has, by place.
	known [][]knownBatch
	// tooLong gets the visits that their day has no time for.
	tooLong func(day, target int, v *visit.Visit)

	positions []uint64 // by target, of the next visit
	visit     visit.Visit
}

// batches are those of the job. Each day's visits that go ahead come before the rest of the day before.
func (o *batchOrder) batches() iter.Seq[*batch] {
	return func(yield func(*batch) bool) {
		o.positions = make([]uint64, len(o.Targets))
		number := uint64(0)
		for day, d := range o.Days {
			if day == 0 && !o.cutBatches(o.firstVisits(0, 0), yield) {
				return
			}
			if next := day + 1; next < len(o.Days) && !o.cutBatches(o.firstVisits(next, number+d.Visits), yield) {
				return
			}
			for queues := range o.otherVisits(day, number) {
				if !o.cutBatches(queues, yield) {
					return
				}
			}
			number += d.Visits
		}
	}
}

// hasKnown says that a job before has sent batches that were not made yet.
func (o *batchOrder) hasKnown() bool {
	return slices.ContainsFunc(o.known, func(of []knownBatch) bool { return len(of) > 0 })
}

// cutBatches makes batches of the queues of a day, of each target in turn.
func (o *batchOrder) cutBatches(queues []queue, yield func(*batch) bool) bool {
	for t := range queues {
		queues[t].position = o.positions[t]
		o.positions[t] += uint64(len(queues[t].visits))
	}
	for more := true; more; {
		more = false
		for t := range queues {
			q := &queues[t]
			if len(q.visits) == 0 {
				continue
			}
			more = true
			if !yield(q.cut(o.size(t), &o.known[t])) {
				return false
			}
		}
	}
	return true
}

// starts are the visits of a day and their targets, from that of a number on.
func (o *batchOrder) starts(
	day int,
	number uint64,
	late func(day, target int, v *visit.Visit),
) iter.Seq2[int, plannedVisit] {
	return func(yield func(int, plannedVisit) bool) {
		d := o.Days[day]
		hours, v := newDayClock(d, o.Curve, o.Seed), &o.visit
		for k := range d.Visits {
			n := number + k
			o.Visits.Outline(n, v)
			t := o.Router.Assign(n)
			at, fits := hours.start(k, n, v.Length())
			if !fits {
				late(day, t, v)
				continue
			}
			o.Visits.Fill(v, 1)
			if !yield(t, plannedVisit{number: n, at: at, hits: len(v.Hits), device: v.Visitor.Device.Index}) {
				return
			}
		}
	}
}

// queues are empty ones of a day, by target.
func (o *batchOrder) queues(day int, opens bool) []queue {
	queues := make([]queue, len(o.Targets))
	for t := range queues {
		queues[t] = queue{day: day, target: t, opens: opens}
	}
	return queues
}

// firstVisits are the first visit of a day for each target, or all where they are few.
func (o *batchOrder) firstVisits(day int, number uint64) []queue {
	queues, left := o.queues(day, true), len(o.Targets)
	for t, s := range o.starts(day, number, func(int, int, *visit.Visit) {}) {
		few := o.Days[day].Visits <= smallDay
		if q := &queues[t]; few || len(q.visits) == 0 {
			q.visits = append(q.visits, s)
			left--
		}
		if left == 0 && !few {
			break
		}
	}
	return queues
}

// otherVisits are the visits of a day that do not go ahead, a window at a time.
func (o *batchOrder) otherVisits(day int, number uint64) iter.Seq[[]queue] {
	return func(yield func([]queue) bool) {
		gone := make([]bool, len(o.Targets)) // ahead
		queues, n := o.queues(day, false), 0
		flush := func() bool {
			for t := range queues {
				slices.SortStableFunc(queues[t].visits, func(a, b plannedVisit) int { return a.device - b.device })
			}
			full := queues
			queues, n = o.queues(day, false), 0
			return yield(full)
		}
		for t, s := range o.starts(day, number, o.tooLong) {
			if o.Days[day].Visits <= smallDay || !gone[t] {
				gone[t] = true
				continue
			}
			queues[t].visits = append(queues[t].visits, s)
			if n++; n == sortWindow && !flush() {
				return
			}
		}
		flush()
	}
}
