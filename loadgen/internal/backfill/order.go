package backfill

import (
	"iter"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/visit"
	"github.com/puttrix/trafficinator/shared/calendar"
	"github.com/puttrix/trafficinator/shared/profile"
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

// knownBatch is a batch in the journal.
type knownBatch struct {
	span
	batchResult
}

// cut removes the first batch of queued visits: one that the journal has, as it was sent then, or up to size hits.
func cut(queue *batch, size int, known *[]knownBatch) *batch {
	for len(*known) > 0 && (*known)[0].From < queue.From { // does not fit the order
		*known = (*known)[1:]
	}
	n, hits, limit := 0, 0, len(queue.visits)
	var result *batchResult
	if k := *known; len(k) > 0 && k[0].From == queue.From {
		result, limit, size = &k[0].batchResult, min(limit, k[0].Visits), math.MaxInt
		*known = k[1:]
	} else if len(k) > 0 {
		limit = min(limit, int(k[0].From-queue.From))
	}
	for n < limit && (n == 0 || hits+queue.visits[n].hits <= size) {
		hits += queue.visits[n].hits
		n++
	}
	b := queue.take(n)
	b.known = result
	return b
}

// batchOrder generates the batches of a job one after the other.
type batchOrder struct {
	*Config
	size    func(target int) int                  // limit of hits per request
	known   [][]knownBatch                        // in the journal, by target and position
	tooLong func(day, target int, v *visit.Visit) // is called for visits that are longer than their day

	positions []uint64 // by target, of the next visit
	visit     visit.Visit
}

// batches generates all batches, those of each target in turn.
func (o *batchOrder) batches() iter.Seq[*batch] {
	return func(yield func(*batch) bool) {
		o.positions = make([]uint64, o.Router.Targets())
		for queues := range o.windows() {
			for t := range queues {
				queues[t].From = o.positions[t]
				o.positions[t] += uint64(len(queues[t].visits))
			}
			for more := true; more; {
				more = false
				for t := range queues {
					if q := &queues[t]; len(q.visits) > 0 {
						more = true
						if !yield(cut(q, o.size(t), &o.known[t])) {
							return
						}
					}
				}
			}
		}
	}
}

// windows generates the visits of each day in queues by target. The first visits of each day come before the other
// visits of the previous day.
func (o *batchOrder) windows() iter.Seq[[]batch] {
	return func(yield func([]batch) bool) {
		number := uint64(0)
		for day, d := range o.Days {
			if day == 0 && !yield(o.firstVisits(0, 0)) {
				return
			}
			if next := day + 1; next < len(o.Days) && !yield(o.firstVisits(next, number+d.Visits)) {
				return
			}
			if !o.otherVisits(day, number, yield) {
				return
			}
			number += d.Visits
		}
	}
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
func (o *batchOrder) queues(day int, opensDay bool) []batch {
	queues := make([]batch, o.Router.Targets())
	for t := range queues {
		queues[t] = batch{span: span{Target: t}, day: day, opensDay: opensDay}
	}
	return queues
}

// firstVisits returns the first visit of a day for each target, or all visits of a small day.
func (o *batchOrder) firstVisits(day int, number uint64) []batch {
	queues, left := o.queues(day, true), o.Router.Targets()
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

// otherVisits yields the visits of a day that firstVisits leaves, up to sortWindow at a time.
func (o *batchOrder) otherVisits(day int, number uint64, yield func([]batch) bool) bool {
	opened := make([]bool, o.Router.Targets())
	queues, n := o.queues(day, false), 0
	flush := func() bool {
		for t := range queues {
			slices.SortStableFunc(queues[t].visits, func(a, b plannedVisit) int { return a.device - b.device })
		}
		return yield(queues)
	}
	for t, v := range o.plan(day, number, o.tooLong) {
		if o.Days[day].Visits <= smallDay || !opened[t] {
			opened[t] = true
			continue
		}
		queues[t].visits = append(queues[t].visits, v)
		if n++; n == sortWindow {
			if !flush() {
				return false
			}
			queues, n = o.queues(day, false), 0
		}
	}
	return flush()
}

// daySchedule distributes the visits of one day over its hours.
type daySchedule struct {
	day    calendar.Day
	pieces []profile.Piece
	seed   uint64
}

func newDaySchedule(d calendar.Day, curve profile.Profile, seed uint64) daySchedule {
	s := daySchedule{day: d, seed: seed}
	for p := range curve.Pieces(d.Start, d.Start, d.End) {
		s.pieces = append(s.pieces, p)
	}
	return s
}

// start returns when visit k of the day starts, as a Unix time. The curve divides the day into as many equally likely
// stretches as it has visits, and visit k starts at a random time of the k-th, early enough to end within the day. It
// returns false if the visit is longer than the day.
func (s *daySchedule) start(k, number uint64, length time.Duration) (int64, bool) {
	last := s.day.End.Add(-length - time.Second)
	if last.Before(s.day.Start) {
		return 0, false
	}
	const stream = 0x9fb21c651e98df25 // independent of the draws of visits
	rng := rand.New(rand.NewPCG(s.seed^stream, number))
	share := (float64(k) + rng.Float64()) / float64(s.day.Visits)
	at := s.timeOf(share * s.visitsBefore(last))
	if at.After(last) {
		at = last
	}
	return at.Unix(), true
}

// visitsBefore returns how many visits the curve has before a time.
func (s *daySchedule) visitsBefore(at time.Time) float64 {
	sum := 0.0
	for _, p := range s.pieces {
		if !at.After(p.From) {
			break
		}
		if at.Before(p.To) {
			return sum + p.VisitsBefore(at)
		}
		sum += p.Visits()
	}
	return sum
}

// timeOf is the inverse of visitsBefore.
func (s *daySchedule) timeOf(visits float64) time.Time {
	for _, p := range s.pieces {
		n := p.Visits()
		if visits < n {
			return p.TimeOf(visits)
		}
		visits -= n
	}
	return s.day.End
}
