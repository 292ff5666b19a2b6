package backfill

import (
	"iter"
	"math"
	"slices"

	"github.com/puttrix/trafficinator/loadgen/internal/visit"
)

// The order of a job's visits is a pure function of its days and of what decides its visits, so that a killed job can
// be resumed with requests of any size. It takes two properties of Matomo into account:
//
// The first hit of a day writes options (core/Tracker/FingerprintSalt.php, core/Archive/ArchiveInvalidator.php): it
// locks the gap in which they are missing and then inserts (core/Option.php). Two requests that do so at the same time
// block each other until one is committed, or deadlock. So the first visit of each day is sent ahead, a day early and
// one at a time, and the others of the day after it.
//
// Matomo detects a device from its user agent once per request, which is a third of the work of a request with only
// different visitors (DeviceDetector). So visitors with the same device go together.

const (
	// sortWindow is how many visits of a day are sorted at once, which limits the memory for a day of millions.
	sortWindow = 20_000
	// smallDay is the number of visits up to which all visits of a day are sent ahead.
	smallDay = 8
)

// queue has visits of one day and target in order; position is that of the first among all of the target.
type queue struct {
	day, target int
	position    uint64
	visits      []plannedVisit
	opensDay    bool
}

// knownBatch is a batch in the journal.
type knownBatch struct {
	span
	batchResult
}

// cut removes the first batch of a queue: one that the journal knows, as it was sent then, or up to size hits.
func (q *queue) cut(size int, known *[]knownBatch) *batch {
	b := &batch{day: q.day, opensDay: q.opensDay}
	for len(*known) > 0 && (*known)[0].From < q.position { // does not fit the order
		*known = (*known)[1:]
	}
	n, limit := 0, len(q.visits)
	if k := *known; len(k) > 0 && k[0].From == q.position {
		b.known, limit, size = &k[0].batchResult, min(limit, k[0].Visits), math.MaxInt
		*known = k[1:]
	} else if len(k) > 0 {
		limit = min(limit, int(k[0].From-q.position))
	}
	for n < limit && (n == 0 || b.hits+q.visits[n].hits <= size) {
		b.hits += q.visits[n].hits
		n++
	}
	b.visits, b.span = q.visits[:n:n], span{q.target, q.position, n}
	q.visits, q.position = q.visits[n:], q.position+uint64(n)
	return b
}

// batchOrder generates the batches of a job one after the other.
type batchOrder struct {
	*Config
	// size returns the limit of hits per request to a target.
	size func(target int) int
	// known are the batches in the journal, by target and position.
	known [][]knownBatch
	// tooLong is called for visits that are longer than their day.
	tooLong func(day, target int, v *visit.Visit)

	positions []uint64 // by target, of the next visit
	visit     visit.Visit
}

// batches generates all batches. The first visits of each day come before the other visits of the previous day.
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

// hasKnown reports whether batches of the journal are left.
func (o *batchOrder) hasKnown() bool {
	return slices.ContainsFunc(o.known, func(of []knownBatch) bool { return len(of) > 0 })
}

// cutBatches generates batches from the queues of a day, of each target in turn.
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

// plan generates the visits of a day, whose first has the given number, with their targets.
func (o *batchOrder) plan(day int, first uint64, tooLong func(int, int, *visit.Visit)) iter.Seq2[int, plannedVisit] {
	return func(yield func(int, plannedVisit) bool) {
		d := o.Days[day]
		schedule, v := newDaySchedule(d, o.Curve, o.Seed), &o.visit
		for k := range d.Visits {
			n := first + k
			o.Visits.Outline(n, v)
			t := o.Router.Assign(n)
			at, fits := schedule.start(k, n, v.Length())
			if !fits {
				tooLong(day, t, v)
				continue
			}
			o.Visits.Fill(v, 1)
			if !yield(t, plannedVisit{number: n, at: at, hits: len(v.Hits), device: v.Visitor.Device.Index}) {
				return
			}
		}
	}
}

// queues returns empty queues of a day by target.
func (o *batchOrder) queues(day int, opensDay bool) []queue {
	queues := make([]queue, len(o.Targets))
	for t := range queues {
		queues[t] = queue{day: day, target: t, opensDay: opensDay}
	}
	return queues
}

// firstVisits returns the first visit of a day for each target, or all visits of a small day.
func (o *batchOrder) firstVisits(day int, number uint64) []queue {
	queues, left := o.queues(day, true), len(o.Targets)
	small := o.Days[day].Visits <= smallDay
	for t, v := range o.plan(day, number, func(int, int, *visit.Visit) {}) {
		if q := &queues[t]; small || len(q.visits) == 0 {
			q.visits = append(q.visits, v)
			left--
		}
		if left == 0 && !small {
			break
		}
	}
	return queues
}

// otherVisits generates the visits of a day that firstVisits leaves, one window at a time.
func (o *batchOrder) otherVisits(day int, number uint64) iter.Seq[[]queue] {
	return func(yield func([]queue) bool) {
		opened := make([]bool, len(o.Targets))
		queues, n := o.queues(day, false), 0
		flush := func() bool {
			for t := range queues {
				slices.SortStableFunc(queues[t].visits, func(a, b plannedVisit) int { return a.device - b.device })
			}
			full := queues
			queues, n = o.queues(day, false), 0
			return yield(full)
		}
		for t, v := range o.plan(day, number, o.tooLong) {
			if o.Days[day].Visits <= smallDay || !opened[t] {
				opened[t] = true
				continue
			}
			queues[t].visits = append(queues[t].visits, v)
			if n++; n == sortWindow && !flush() {
				return
			}
		}
		flush()
	}
}
